import CKernels

/// The threads that kernels run on: one pool for the process.
public enum ThreadPool {
    /// How many threads take part in a kernel. Setting 0 means every processor this process may use.
    public static var threads: Int {
        get { Int(ck_pool_threads()) }
        set { ck_pool_set_threads(Int32(clamping: newValue)) }
    }
}

/// Calls `body` with consecutive parts of `0 ..< count`, each at least `grain` long (but the last), on the pool's threads, and
/// returns when all are done. Runs in place when there is only one part.
@inline(__always)
func parallel(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let threads = Int(ck_pool_threads())
    if count <= grain || threads == 1 {
        if count > 0 { body(0..<count) }
        return
    }
    let parts = min((count + grain - 1) / grain, threads * 4)
    runParts(count, size: (count + parts - 1) / parts, body)
}

private struct Parts {
    let count: Int
    let size: Int
    let body: (Range<Int>) -> Void
}

private func runParts(_ count: Int, size: Int, _ body: (Range<Int>) -> Void) {
    withoutActuallyEscaping(body) { body in
        var parts = Parts(count: count, size: size, body: body)
        withUnsafeMutablePointer(to: &parts) { parts in
            ck_parallel(
                Int64((count + size - 1) / size),
                { context, chunk, _ in
                    guard let parts = context?.assumingMemoryBound(to: Parts.self) else { return }
                    let start = Int(chunk) * parts.pointee.size
                    parts.pointee.body(start..<min(start + parts.pointee.size, parts.pointee.count))
                }, parts)
        }
    }
}

/// How many elements are worth a thread's while.
let elementGrain = 1 << 14

/// How many rows of this width are.
func rowGrain(_ width: Int) -> Int { max(1, elementGrain / max(1, width)) }
