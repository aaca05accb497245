#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Maps values of an axis to places of a drawing, with ticks at round numbers.
struct PlotScale {
    let low: Double
    let high: Double
    /// Round values inside the axis, ascending.
    let ticks: [Double]
    private let start: Double
    private let end: Double

    /// An axis that holds all finite values, widened to round ends.
    ///
    /// - Parameters:
    ///   - start, end: the places of the axis's ends in the drawing.
    ///   - includesZero: whether the axis begins at or holds 0, as bars need it.
    init(_ values: [Double], from start: Double, to end: Double, includesZero: Bool, count: Int = 5) {
        let finite = values.filter(\.isFinite)
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        if includesZero {
            low = min(0, low)
            high = max(0, high)
        }
        if low == high {
            let margin = low == 0 ? 1 : abs(low) * 0.5
            if low != 0 || !includesZero { low -= margin }
            high += margin
        }
        let step = Self.roundStep((high - low) / Double(count))
        let first = (low / step).rounded(.down)
        let last = (high / step).rounded(.up)
        self.low = first * step
        self.high = last * step
        ticks = stride(from: first, through: min(last, first + 40), by: 1).map { $0 * step }
        self.start = start
        self.end = end
    }

    func place(_ value: Double) -> Double {
        let share = (value - low) / (high - low)
        return start + max(0, min(1, share)) * (end - start)
    }

    /// The next of 1, 2, 5 times a power of ten.
    private static func roundStep(_ rough: Double) -> Double {
        guard rough > 0, rough.isFinite else { return 1 }
        let power = pow(10, log10(rough).rounded(.down))
        let share = rough / power
        return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power
    }
}
