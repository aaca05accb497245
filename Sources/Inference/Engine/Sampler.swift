import Tensors
import Text

/// A small, fast, splittable random stream: SplitMix64 (Steele, Lea, Flood 2014).
package struct RandomStream: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    package mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }
}

/// Chooses a request's next tokens. Holds the request's own random stream and counts, so that a result does not depend on
/// what else is in the batch.
package struct Sampler {
    let sampling: Sampling
    private var random: RandomStream
    private var promptTokens: Set<TokenID> = []
    private var counts: [TokenID: Int] = [:]

    package init(_ sampling: Sampling, prompt: [TokenID]) {
        self.sampling = sampling
        random = RandomStream(seed: sampling.seed ?? UInt64.random(in: 0 ... .max))
        if sampling.repetitionPenalty != 1 { promptTokens = Set(prompt) }
    }

    /// Penalties and biases, in place.
    func adjust(_ logits: UnsafeMutableBufferPointer<Float>) {
        if sampling.repetitionPenalty != 1 {
            let penalty = Float(sampling.repetitionPenalty)
            for id in promptTokens.union(counts.keys) where Int(id) < logits.count {
                let logit = logits[Int(id)]
                logits[Int(id)] = logit > 0 ? logit / penalty : logit * penalty
            }
        }
        if sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0 {
            for (id, count) in counts where Int(id) < logits.count {
                logits[Int(id)] -= Float(sampling.presencePenalty + sampling.frequencyPenalty * Double(count))
            }
        }
        for (id, bias) in sampling.logitBias where id >= 0 && Int(id) < logits.count {
            logits[Int(id)] += bias
        }
    }

    /// Notes a chosen token.
    mutating func accept(_ token: TokenID) {
        guard sampling.repetitionPenalty != 1 || sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0
        else { return }
        counts[token, default: 0] += 1
    }

    /// Chooses from adjusted logits; tokens at minus infinity are never chosen.
    package mutating func choose(_ logits: UnsafeMutableBufferPointer<Float>) -> TokenID {
        let best = TokenID(indexOfMaximum(UnsafeBufferPointer(logits)))
        guard sampling.temperature > 0 else { return best }
        let peak = logits[Int(best)]
        guard peak > -.infinity else { return best }

        // e^((logit − peak) / temperature); what lies below 10⁻⁹ of the peak cannot matter to any filter.
        let scale = 1 / Float(sampling.temperature)
        let threshold = peak - 20.7 * Float(sampling.temperature)
        var candidates = candidates(in: logits, above: threshold, peak: peak, scale: scale)
        var mass = candidates.reduce(0) { $0 + Double($1.weight) }
        orderLeading(&candidates, of: mass)
        if sampling.topK > 0, candidates.count > sampling.topK {
            candidates.removeLast(candidates.count - sampling.topK)
            mass = candidates.reduce(0) { $0 + Double($1.weight) }
        }
        if sampling.topP < 1 { keepNucleus(&candidates, of: mass) }
        if sampling.minP > 0 {
            let least = sampling.minP  // times the peak's weight, which is 1
            candidates.removeAll { Double($0.weight) < least }
        }
        if sampling.typicalP < 1 { keepTypical(&candidates) }

        let total = candidates.reduce(0) { $0 + Double($1.weight) }
        var left = random.uniform() * total
        for candidate in candidates {
            left -= Double(candidate.weight)
            if left < 0 { return candidate.id }
        }
        return candidates.last?.id ?? best
    }

    private struct Candidate {
        var id: TokenID
        var weight: Float
    }

    private func candidates(
        in logits: UnsafeMutableBufferPointer<Float>, above threshold: Float, peak: Float, scale: Float
    ) -> [Candidate] {
        var found: [Candidate] = []
        found.reserveCapacity(256)
        for (id, logit) in logits.enumerated() where logit > threshold {
            found.append(Candidate(id: TokenID(id), weight: exponential((logit - peak) * scale)))
        }
        return found
    }

    /// Puts the candidates that the filters can reach in order, the most likely first. Thousands of unlikely candidates are the rule, so they
    /// are sorted only as far down as top-k or top-p reach, and not at all where no filter asks for an order.
    private func orderLeading(_ candidates: inout [Candidate], of mass: Double) {
        guard sampling.topK > 0 || sampling.topP < 1 || sampling.typicalP < 1 else { return }
        for least in [0.1, 1e-2, 1e-3, 1e-4] as [Float] where sampling.topK > 0 || sampling.topP < 1 {
            let leading = candidates.filter { $0.weight > least }
            let reaches =
                sampling.topK > 0
                ? leading.count >= sampling.topK
                : leading.reduce(0) { $0 + Double($1.weight) } > mass * sampling.topP
            if reaches {
                candidates = leading
                break
            }
        }
        candidates.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.id < $1.id }
    }

    /// Cuts the candidates after the first whose mass reaches top-p of the whole.
    private func keepNucleus(_ candidates: inout [Candidate], of whole: Double) {
        let limit = whole * sampling.topP
        var mass = 0.0
        for (index, candidate) in candidates.enumerated() {
            mass += Double(candidate.weight)
            if mass >= limit {
                candidates.removeLast(candidates.count - index - 1)
                return
            }
        }
    }

    /// Locally typical sampling (Meister et al. 2022): the tokens whose surprise is nearest to the entropy, up to the mass.
    private func keepTypical(_ candidates: inout [Candidate]) {
        let total = candidates.reduce(0) { $0 + Double($1.weight) }
        let surprises = candidates.map { -logarithm(Double($0.weight) / total) }
        let entropy = zip(candidates, surprises).reduce(0) { $0 + Double($1.0.weight) / total * $1.1 }
        let order = candidates.indices.sorted { abs(surprises[$0] - entropy) < abs(surprises[$1] - entropy) }
        var mass = 0.0
        var kept: [Candidate] = []
        for index in order {
            kept.append(candidates[index])
            mass += Double(candidates[index].weight) / total
            if mass >= sampling.typicalP { break }
        }
        candidates = kept
    }
}
