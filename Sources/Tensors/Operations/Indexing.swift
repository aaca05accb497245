import CKernels

/// The rows of `table` [vocabulary, width] at `indices`, as f32: [indices..., width]. The table may be f32, bf16 or f16.
public func embedding(_ indices: Tensor, _ table: Tensor) -> Tensor {
    precondition(indices.dtype == .i32 && table.rank == 2, "embedding of \(indices.dtype) in \(table.shape)")
    let (places, source) = (indices.contiguous(), table.detached().contiguous())
    let (vocabulary, width) = (table.shape[0], table.shape[1])
    let count = indices.count
    let result = Tensor(unfilled: Shape(indices.shape.dimensions + [width]))
    withExtendedLifetime((places, source, result)) {
        let (at, to, from) = (places.integerAddress, result.floatAddress, source.address)
        let (dtype, bytes) = (source.dtype, width * source.dtype.byteCount)
        for index in 0..<count {
            precondition(
                at[index] >= 0 && at[index] < vocabulary, "index \(at[index]) in a table of \(vocabulary) rows")
        }
        parallel(count, grain: rowGrain(width)) { part in
            for index in part {
                let row = from + Int(at[index]) * bytes
                let line = to + index * width
                switch dtype {
                case .bf16: ck_bf16_to_f32(row.assumingMemoryBound(to: UInt16.self), line, Int64(width))
                case .f16: ck_f16_to_f32(row.assumingMemoryBound(to: UInt16.self), line, Int64(width))
                default: UnsafeMutableRawPointer(line).copyMemory(from: row, byteCount: bytes)
                }
            }
        }
    }
    guard records(table) else { return result }
    return result.recorded(from: [table]) { dy, pass in
        let gradient = pass.takeSum(0) ?? .zeros([vocabulary, width])
        withExtendedLifetime((places, dy, gradient)) {
            let (at, from, to) = (places.integerAddress, dy.floatAddress, gradient.floatAddress)
            for index in 0..<count {
                ck_accumulate(from + index * width, 1, to + Int(at[index]) * width, Int64(width))
            }
        }
        return [gradient]
    }
}

/// One element a row of the last dimension: x [rows..., width], indices [rows...] → [rows...]. Row r gives x[r, indices[r]].
public func gather(_ x: Tensor, _ indices: Tensor) -> Tensor {
    precondition(
        indices.dtype == .i32 && x.dtype == .f32 && x.rank >= 1 && indices.shape == x.shape.removing(-1),
        "gather from \(x.shape) at \(indices.shape)")
    let (source, places) = (x.detached().contiguous(), indices.contiguous())
    let width = x.shape.last
    let result = Tensor(unfilled: indices.shape)
    withExtendedLifetime((source, places, result)) {
        for row in 0..<indices.count {
            let place = Int(places.integerAddress[row])
            precondition(place >= 0 && place < width, "element \(place) of a row of \(width)")
            result.floatAddress[row] = source.floatAddress[row * width + place]
        }
    }
    let original = x.shape
    return result.recordedIfNeeded(from: x) { [scatterIntoRows($0, places, shape: original)] }
}

/// Zeros of `shape` but for one element a row, which holds `values`.
func scatterIntoRows(_ values: Tensor, _ places: Tensor, shape: Shape) -> Tensor {
    let result = Tensor.zeros(shape)
    let source = values.contiguous()
    withExtendedLifetime((source, places, result)) {
        for row in 0..<source.count {
            result.floatAddress[row * shape.last + Int(places.integerAddress[row])] = source.floatAddress[row]
        }
    }
    return result
}

/// Some rows of x [rows, ...], in the order of `indices`, which may repeat: [indices, ...].
public func takeRows(_ x: Tensor, _ indices: [Int32]) -> Tensor {
    let flat = x.reshaped([x.shape[0], -1])
    var shape = x.shape
    shape[0] = indices.count
    return embedding(Tensor(indices), flat).reshaped(shape)
}
