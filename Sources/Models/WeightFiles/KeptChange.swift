import Tensors

/// How much of a change of weights from W to W + ΔW is still there after rounding Q: Σ (Q(W + ΔW) − W)·ΔW over Σ ΔW·ΔW. It is 1 where the
/// rounding errors have nothing to do with the change, 0 where all weights fall back to what they were.
public struct KeptChange: Sendable, Hashable {
    private var kept = 0.0
    private var whole = 0.0

    public init() {}

    init(from old: [Float], to new: [Float], stored: [Float]) {
        for index in old.indices {
            let change = Double(new[index]) - Double(old[index])
            kept += (Double(stored[index]) - Double(old[index])) * change
            whole += change * change
        }
    }

    /// The part of the change that was kept; nil when there was none.
    public var share: Double? { whole > 0 ? kept / whole : nil }

    /// Adds another tensor's.
    mutating func add(_ other: KeptChange) {
        kept += other.kept
        whole += other.whole
    }
}

extension WeightFormat {
    /// Below this share of a tensor's change, rounding to the nearest gives way to dithering, which errs more: by a sixth of a squared step
    /// in the mean where the grid is another, not by a twelfth.
    private static let leastShare = 0.5

    /// Brings changed numbers into this format so that the change is kept: to the nearest, or dithered where that loses the change. Weights
    /// that come from a format lie on its grid, and a change of less than half a step would fall back to where they were.
    ///
    /// - Parameters:
    ///   - old: the numbers before the change, as many as the new ones.
    ///   - file: what errors name.
    ///   - field: the tensor; dithering depends on its name.
    func quantised(
        _ new: [Float], changedFrom old: [Float], file: String, field: String
    ) throws(WeightFileError) -> (bytes: [UInt8], kept: KeptChange) {
        func rounded(_ rounding: Rounding) throws(WeightFileError) -> (bytes: [UInt8], kept: KeptChange) {
            let bytes = try new.withUnsafeBufferPointer { numbers throws(WeightFileError) in
                try quantised(numbers, rounding: rounding, file: file, field: field)
            }
            let stored = bytes.withUnsafeBytes { dequantised($0) }
            return (bytes, KeptChange(from: old, to: new, stored: stored))
        }
        let nearest = try rounded(.nearest)
        guard let share = nearest.kept.share, share < Self.leastShare else { return nearest }
        return try rounded(.dithered(seed: hashed(field)))
    }
}
