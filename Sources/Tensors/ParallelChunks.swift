import CKernels

/// Calls `body(0) … body(chunks - 1)` on the pool and returns when all are done. A call from inside a chunk runs in place.
public func parallel(_ chunks: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
        var job = body
        withUnsafeMutablePointer(to: &job) { pointer in
            ck_parallel(
                Int64(chunks),
                { context, chunk, _ in
                    context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(chunk))
                }, pointer)
        }
    }
}
