import Foundation
import Text
import Testing

import Inference

/// The sampler against the plain statement of what it does: sort everything, filter, draw.
@Suite struct SamplerTests {
    /// The tokens that may be drawn, with their probabilities.
    private func reference(_ logits: [Float], _ sampling: Sampling) -> [TokenID: Double] {
        let peak = logits.max() ?? 0
        var all = logits.enumerated().map {
            (id: TokenID($0), weight: exp(Double($1 - peak) / sampling.temperature))
        }
        all.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.id < $1.id }
        if sampling.topK > 0 { all = Array(all.prefix(sampling.topK)) }
        let mass = all.reduce(0) { $0 + $1.weight }
        var (kept, reached): ([(id: TokenID, weight: Double)], Double) = ([], 0)
        for candidate in all where reached < mass * sampling.topP {
            kept.append(candidate)
            reached += candidate.weight
        }
        if sampling.minP > 0 { kept = kept.filter { $0.weight >= sampling.minP } }
        let total = kept.reduce(0) { $0 + $1.weight }
        return Dictionary(uniqueKeysWithValues: kept.map { ($0.id, $0.weight / total) })
    }

    @Test(
        arguments: [
            Sampling.random(temperature: 0.7), .random(temperature: 1, topK: 5), .random(temperature: 1.3, topP: 0.6),
            .random(temperature: 1, topK: 300, topP: 0.9), .random(temperature: 1, topP: 0.9999),
            .random(temperature: 0.5, minP: 0.2), .random(temperature: 2, topK: 900, topP: 0.5, minP: 0.01),
        ])
    func drawsWhatTheFiltersLeaveAsOftenAsTheySay(_ sampling: Sampling) throws {
        var random = RandomStream(seed: 5)
        for spread in [1, 8] as [Float] {
            var logits = (0..<1000).map { _ in spread * Float(random.uniform() + random.uniform() + random.uniform()) }
            let expected = reference(logits, sampling)
            var seeded = sampling
            seeded.seed = 9
            var sampler = Sampler(seeded, prompt: [])
            let draws = 4000
            var counts: [TokenID: Int] = [:]
            for _ in 0..<draws {
                let token = logits.withUnsafeMutableBufferPointer { sampler.choose($0) }
                counts[token, default: 0] += 1
            }
            #expect(counts.keys.allSatisfy { expected[$0] != nil }, "\(sampling)")
            for (token, probability) in expected where probability > 0.02 {
                let share = Double(counts[token] ?? 0) / Double(draws)
                let error = (probability * (1 - probability) / Double(draws)).squareRoot()
                #expect(abs(share - probability) <= 5 * error, "\(sampling) \(token)")
            }
        }
    }
}
