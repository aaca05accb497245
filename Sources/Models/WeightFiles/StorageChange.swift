/// How the numbers of a tensor differ between the Hugging Face file and the GGUF file of the same model.
public enum StorageChange: Sendable, Hashable {
    case none
    /// GGUF's rows pair neighbours for the rotation where Hugging Face's pair halves: of each head, GGUF row 2i is
    /// Hugging Face row i, and GGUF row 2i + 1 is row i + half the head.
    case neighbouringQueryRows
    /// The same, counted in key heads.
    case neighbouringKeyRows
    /// Hugging Face stores `[inputs, outputs]`, GGUF `[outputs, inputs]`.
    case transposed
    /// GGUF's numbers are larger by 1.
    case plusOne

    /// The numbers as Hugging Face has them, from the numbers as GGUF has them.
    ///
    /// - Parameter shape: the extents as Hugging Face has them.
    public func undone(_ values: [Float], shape: [Int], _ configuration: ModelConfiguration) -> [Float] {
        switch self {
        case .none: values
        case .plusOne: values.map { $0 - 1 }
        case .transposed: shape.count == 2 ? swapped(values, rows: shape[1], columns: shape[0]) : values
        case .neighbouringQueryRows, .neighbouringKeyRows:
            regrouped(values, shape, configuration) { row, half in row % half * 2 + row / half }
        }
    }

    /// The numbers as GGUF has them, from the numbers as Hugging Face has them.
    ///
    /// - Parameter shape: the extents as Hugging Face has them.
    public func done(_ values: [Float], shape: [Int], _ configuration: ModelConfiguration) -> [Float] {
        switch self {
        case .none: values
        case .plusOne: values.map { $0 + 1 }
        case .transposed: shape.count == 2 ? swapped(values, rows: shape[0], columns: shape[1]) : values
        case .neighbouringQueryRows, .neighbouringKeyRows:
            regrouped(values, shape, configuration) { row, half in row % 2 * half + row / 2 }
        }
    }

    /// Fills each head's row r from that head's row `origin(r, half the head)`.
    private func regrouped(
        _ values: [Float], _ shape: [Int], _ configuration: ModelConfiguration, origin: (Int, Int) -> Int
    ) -> [Float] {
        let heads = self == .neighbouringQueryRows ? configuration.heads : configuration.kvHeads
        let rows = shape.first ?? 0
        let columns = shape.dropFirst().reduce(1, *)
        let headSize = rows / max(heads, 1)
        guard rows * columns == values.count, headSize * heads == rows, headSize.isMultiple(of: 2) else {
            return values
        }
        var result: [Float] = []
        result.reserveCapacity(values.count)
        for row in 0..<rows {
            let start = (row / headSize * headSize + origin(row % headSize, headSize / 2)) * columns
            result.append(contentsOf: values[start..<start + columns])
        }
        return result
    }
}

/// The transpose of a matrix of so many rows and columns.
private func swapped(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    precondition(rows * columns == values.count, "\(values.count) numbers are no matrix of \(rows) × \(columns)")
    return [Float](unsafeUninitializedCapacity: values.count) { buffer, initialised in
        for row in 0..<rows {
            for column in 0..<columns { buffer[column * rows + row] = values[row * columns + column] }
        }
        initialised = values.count
    }
}
