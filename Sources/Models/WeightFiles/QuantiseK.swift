// The K formats: blocks of 256 whose scales are those of least error among candidates, as llama.cpp's reference quantisers find them
// (ggml-quants.c); their layouts are those of DequantiseK.swift.

/// The largest number that a K block can hold: 63 · 65504, cut to a round figure.
private let largestNumber: Float = 4e6

/// A number as a block takes it: NaN becomes 0, and what is beyond the format the largest that it holds.
@inline(__always)
private func finite(_ value: Float) -> Float {
    value.isNaN ? 0 : max(-largestNumber, min(largestNumber, value))
}

private typealias Lanes = SIMD8<Float>

/// To the nearest whole number, for magnitudes below 2²²: in the sum no bits are left below one.
@inline(__always)
private func rounded(_ values: Lanes) -> Lanes { (values + 0x1.8p23) - 0x1.8p23 }

/// The line scale·q + minimum that 32 numbers lie near for whole q in 0...top.
private struct Line {
    var scale: Float = 0
    /// Never above 0, since the format subtracts it.
    var minimum: Float

    /// The line of least error Σ w (scale·q + minimum − x)², w = |x| + √mean(x²), among those that least squares gives to the q of 21
    /// grids, whose 0 is the least number and whose steps are the range over top − 1 to top + 1.
    init(near values: UnsafePointer<Float>, top: Float) {
        var least: Float = 0
        var largest = -largestNumber
        var squares: Float = 0
        for index in 0..<32 {
            let value = finite(values[index])
            least = min(least, value)
            largest = max(largest, value)
            squares += value * value
        }
        minimum = least
        let range = largest - least
        guard range > 0 else { return }
        let spread = (squares / 32).squareRoot()
        withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 8) { lanes in
            let weights = UnsafeMutableBufferPointer(rebasing: lanes[..<4])
            let places = UnsafeMutableBufferPointer(rebasing: lanes[4...])
            var weightSum: Float = 0
            var mean: Float = 0
            for lane in 0..<4 {
                for index in 0..<8 {
                    let value = finite(values[8 * lane + index])
                    // In units of the range the sums neither overflow nor vanish.
                    weights[lane][index] = (value.magnitude + spread) / range
                    places[lane][index] = (value - least) / range
                }
                weightSum += weights[lane].sum()
                mean += (weights[lane] * places[lane]).sum()
            }
            mean /= weightSum
            search(weights, places, weightSum: weightSum, mean: mean, zero: -least / range, range: range, top: top)
        }
    }

    /// - Parameters:
    ///   - places: the numbers, counted in ranges from the least one.
    ///   - mean: their weighted mean.
    ///   - zero: the place of 0.
    private mutating func search(
        _ weights: UnsafeMutableBufferPointer<Lanes>, _ places: UnsafeMutableBufferPointer<Lanes>, weightSum: Float,
        mean: Float, zero: Float, range: Float, top: Float
    ) {
        let least = minimum
        // The error is the spread about the mean, less what the line explains of it.
        var mostExplained = -Float.infinity
        for candidate in -10...10 {
            let inverse = top + 0.1 * Float(candidate)
            var sums = Lanes()
            var squares = Lanes()
            var products = Lanes()
            for lane in 0..<4 {
                var quants = rounded(places[lane] * inverse)
                quants.replace(with: top, where: quants .> top)
                let weighted = weights[lane] * quants
                sums += weighted
                squares += weighted * quants
                products += weighted * (places[lane] - mean)
            }
            let quantMean = sums.sum() / weightSum
            let squareSum = squares.sum()
            let productSum = products.sum()
            let variance = squareSum - quantMean * quantMean * weightSum
            var slope = productSum / variance
            var offset = mean - slope * quantMean
            var explained = slope * productSum
            // Where all quants are one, or the minimum would be above 0, the line goes through 0.
            if variance <= 1e-5 * squareSum || offset > zero {
                let rise = mean - zero
                let product = productSum + rise * quantMean * weightSum
                slope = product / squareSum
                offset = zero
                explained = slope * product - rise * rise * weightSum
            }
            guard explained > mostExplained else { continue }
            mostExplained = explained
            scale = slope * range
            minimum = min(0, least + offset * range)
        }
    }
}

/// Fills what Q4_K and Q5_K have in common, d, dmin and the scales and minima of eight sub-blocks, and gives their quants.
@inline(__always)
private func quantiseLines(
    _ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, top: Float, _ rounding: BlockRounding,
    _ place: (_ subBlock: Int, _ index: Int, _ quant: UInt8) -> Void
) {
    var scales = SIMD8<Float>()
    var depths = SIMD8<Float>()
    for subBlock in 0..<8 {
        let line = Line(near: values + 32 * subBlock, top: top)
        scales[subBlock] = max(0, line.scale)
        depths[subBlock] = -line.minimum
    }
    let packed = (target + 4).assumingMemoryBound(to: UInt8.self)
    let scale = storeUnit(of: scales.max(), levels: 63, at: target)
    let depth = storeUnit(of: depths.max(), levels: 63, at: target + 2)
    for subBlock in 0..<8 {
        pack(level(scales[subBlock], unit: scale), level(depths[subBlock], unit: depth), subBlock, into: packed)
        let factors = scaleAndMinimum(packed, subBlock)
        let step = scale * Float(factors.scale)
        guard step > 0 else { continue }
        let offset = depth * Float(factors.minimum)
        for number in 32 * subBlock..<32 * subBlock + 32 {
            let steps = (finite(values[number]) + offset) / step + rounding.threshold(number)
            // Cutting off rounds down, as nothing here is below 0.
            place(subBlock, number % 32, UInt8(max(0, min(top, steps))))
        }
    }
}

/// Stores the unit in which so many levels reach a number, and gives it as it is stored.
@inline(__always)
private func storeUnit(of largest: Float, levels: Float, at target: UnsafeMutableRawPointer) -> Float {
    let bits = HalfPrecision.f16(largest / levels)
    store(bits, at: target)
    return HalfPrecision.float(f16: bits)
}

/// The nearest 6-bit multiple of a unit.
@inline(__always)
private func level(_ value: Float, unit: Float) -> UInt8 {
    unit > 0 ? UInt8(min(63, (value / unit).rounded())) : 0
}

/// Packs a sub-block's scale and minimum as ``scaleAndMinimum(_:_:)`` takes them apart. The bytes are zero before the first.
@inline(__always)
private func pack(_ scale: UInt8, _ minimum: UInt8, _ subBlock: Int, into packed: UnsafeMutablePointer<UInt8>) {
    if subBlock < 4 {
        packed[subBlock] = scale
        packed[subBlock + 4] = minimum
    } else {
        packed[subBlock + 4] = scale & 15 | minimum << 4
        packed[subBlock - 4] |= (scale >> 4) << 6
        packed[subBlock] |= (minimum >> 4) << 6
    }
}

func quantiseQ4K(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding) {
    let bytes = target.initializeMemory(as: UInt8.self, repeating: 0, count: 144)
    quantiseLines(values, target, top: 15, rounding) { subBlock, index, quant in
        bytes[16 + subBlock / 2 * 32 + index] |= quant << UInt8(subBlock % 2 * 4)
    }
}

func quantiseQ5K(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding) {
    let bytes = target.initializeMemory(as: UInt8.self, repeating: 0, count: 176)
    quantiseLines(values, target, top: 31, rounding) { subBlock, index, quant in
        bytes[48 + subBlock / 2 * 32 + index] |= (quant & 15) << UInt8(subBlock % 2 * 4)
        bytes[16 + index] |= (quant >> 4) << UInt8(subBlock)
    }
}

func quantiseQ6K(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding) {
    let bytes = target.initializeMemory(as: UInt8.self, repeating: 0, count: 210)
    var scales = SIMD16<Float>()
    for subBlock in 0..<16 {
        scales[subBlock] = symmetricScale(of: values + 16 * subBlock)
    }
    let largest = scales.max() > -scales.min() ? scales.max() : scales.min()
    let unit = storeUnit(of: largest, levels: -128, at: target + 208)
    guard unit != 0 else { return }
    for subBlock in 0..<16 {
        let level = max(-128, min(127, (scales[subBlock] / unit).rounded()))
        bytes[192 + subBlock] = UInt8(bitPattern: Int8(level))
        let step = unit * level
        guard step != 0 else { continue }
        for index in 0..<16 {
            let number = 16 * subBlock + index
            let steps = finite(values[number]) / step + 32 + rounding.threshold(number)
            let quant = UInt8(max(0, min(63, steps)))
            bytes[subBlock / 8 * 64 + subBlock % 4 * 16 + index] |= (quant & 15) << UInt8(subBlock % 8 / 4 * 4)
            bytes[128 + subBlock / 8 * 32 + subBlock % 2 * 16 + index] |= (quant >> 4) << UInt8(subBlock % 8 / 2 * 2)
        }
    }
}

/// The scale by which scale·q lies nearest to 16 numbers for whole q in −32...31: of the least error Σ x² (scale·q − x)² among those that
/// least squares gives to the q of 19 grids about the one that has the number of largest magnitude at −32.
private func symmetricScale(of values: UnsafePointer<Float>) -> Float {
    var extreme: Float = 0
    for index in 0..<16 {
        let value = finite(values[index])
        if value.magnitude > extreme.magnitude { extreme = value }
    }
    guard extreme != 0 else { return 0 }
    var shares = (Lanes(), Lanes())
    for index in 0..<8 {
        shares.0[index] = finite(values[index]) / extreme
        shares.1[index] = finite(values[8 + index]) / extreme
    }
    var best = Float(-1) / 32
    var mostExplained: Float = 0
    for candidate in -9...9 {
        let inverse = -(32 + 0.1 * Float(candidate))
        var products = Lanes()
        var squares = Lanes()
        for shares in [shares.0, shares.1] {
            var quants = rounded(shares * inverse)
            quants.replace(with: -32, where: quants .< -32)
            quants.replace(with: 31, where: quants .> 31)
            let weighted = shares * shares * quants
            products += weighted * shares
            squares += weighted * quants
        }
        let productSum = products.sum()
        let squareSum = squares.sum()
        guard squareSum > 0, productSum * productSum > mostExplained * squareSum else { continue }
        mostExplained = productSum * productSum / squareSum
        best = productSum / squareSum
    }
    return best * extreme
}
