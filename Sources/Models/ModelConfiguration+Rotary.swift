#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How queries and keys are rotated by their positions.
///
/// Source: Su et al. 2021 (RoPE); the scalings as in Hugging Face transformers' `modeling_rope_utils`.
public struct RotaryConfiguration: Sendable, Hashable, Codable {
    /// Which numbers of a head turn together.
    public enum Pairing: String, Sendable, Hashable, Codable {
        /// Number i with number i + dimension/2, as Hugging Face files expect.
        case halves
        /// Numbers 2i and 2i + 1, as the query and key rows of GGUF files of the architecture `llama` are arranged.
        case neighbours
    }

    public enum Scaling: Sendable, Hashable, Codable {
        case none
        /// All frequencies are divided by the factor.
        case linear(factor: Double)
        /// Low frequencies are divided by the factor, high ones kept, those between blended (Llama 3.1).
        case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalContext: Int)
        /// YaRN (Peng et al. 2023). Without an attention factor it is 0.1·ln(factor) + 1.
        case yarn(
            factor: Double, originalContext: Int, betaFast: Double, betaSlow: Double, attentionFactor: Double?)
        /// Each frequency is divided by its own factor (the GGUF tensor `rope_freqs.weight`).
        case factors([Float])
    }

    /// The base of the wavelengths.
    public var theta: Double
    /// How many numbers of each head turn; even, at most the head's size. The rest stay as they are.
    public var dimension: Int
    public var pairing: Pairing
    public var scaling: Scaling
    /// The base in layers with a sliding window where it differs (Gemma 3); those are not scaled.
    public var localTheta: Double?

    public init(
        theta: Double, dimension: Int, pairing: Pairing, scaling: Scaling = .none, localTheta: Double? = nil
    ) {
        self.theta = theta
        self.dimension = dimension
        self.pairing = pairing
        self.scaling = scaling
        self.localTheta = localTheta
    }

    /// The angle per position of each pair, `dimension / 2` of them, fastest first.
    ///
    /// - Parameter local: for a layer with a sliding window.
    public func frequencies(local: Bool = false) -> [Float] {
        let isSeparate = local && localTheta != nil
        let base = isSeparate ? localTheta ?? theta : theta
        // In single precision, step by step, as the models were trained.
        let plain = (0..<dimension / 2).map { pair in
            1 / Float(pow(base, Double(Float(2 * pair) / Float(dimension))))
        }
        if isSeparate { return plain }
        switch scaling {
        case .none: return plain
        case .linear(let factor): return plain.map { $0 / Float(factor) }
        case .factors(let factors): return zip(plain, factors).map { $0 / $1 }
        case .llama3(let factor, let low, let high, let context):
            return plain.map { llama3Frequency($0, factor, low, high, Double(context)) }
        case .yarn(let factor, let context, let betaFast, let betaSlow, _):
            return yarnFrequencies(plain, factor, Double(context), betaFast, betaSlow)
        }
    }

    /// What the rotated queries and keys are each multiplied by; 1 except for YaRN.
    public var attentionFactor: Float {
        guard case .yarn(let factor, _, _, _, let given) = scaling else { return 1 }
        return Float(given ?? (factor <= 1 ? 1 : 0.1 * log(factor) + 1))
    }

    private func llama3Frequency(
        _ frequency: Float, _ factor: Double, _ low: Double, _ high: Double, _ context: Double
    ) -> Float {
        let wavelength = 2 * Double.pi / Double(frequency)
        if wavelength > context / low { return Float(Double(frequency) / factor) }
        if wavelength < context / high { return frequency }
        let smooth = (context / wavelength - low) / (high - low)
        return Float((1 - smooth) * Double(frequency) / factor + smooth * Double(frequency))
    }

    private func yarnFrequencies(
        _ plain: [Float], _ factor: Double, _ context: Double, _ betaFast: Double, _ betaSlow: Double
    ) -> [Float] {
        func pair(rotations: Double) -> Double {
            Double(dimension) * log(context / (rotations * 2 * Double.pi)) / (2 * log(theta))
        }
        let low = max(pair(rotations: betaFast).rounded(.down), 0)
        var high = min(pair(rotations: betaSlow).rounded(.up), Double(dimension - 1))
        if low == high { high += 0.001 }
        return plain.enumerated().map { index, frequency in
            let ramp = min(max((Double(index) - low) / (high - low), 0), 1)
            return Float(Double(frequency) / factor * ramp + Double(frequency) * (1 - ramp))
        }
    }
}
