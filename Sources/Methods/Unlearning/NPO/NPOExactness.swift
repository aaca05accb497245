import Tensors
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What NPO's equations promise of any model, measured.
package struct NPOExactness: Sendable {
    /// The largest difference between the first step's gradient and gradient ascent's, over the latter's largest number.
    package let firstStepError: Double
    /// |L_NPO - (2/β) log 2 - mean r| at β = 1e-4, over the largest |r|.
    package let limitError: Double
    /// The largest difference between W and the slope of the loss by central differences.
    package let weightError: Double

    /// - Parameter texts: a few answers to be forgotten.
    package init(_ model: TrainableModel, texts: [TokenSequence]) throws {
        let before = Policy(model.model).logProbabilities(texts).sums.detached()
        func gradients(_ term: any ForgetTerm) -> [Float] {
            let own = AnswerLikelihoods(
                sums: Policy(model.model).logProbabilities(texts).sums, reference: before, lengths: texts.map(\.weight))
            let found = term.loss(answers: own, refusals: nil).backward()
            return model.parameters.flatMap { found[$0.tensor]?.floats() ?? [Float](repeating: 0, count: $0.count) }
        }
        let (npo, ascent) = (gradients(try NegativePreference(beta: 1)), gradients(GradientAscent()))
        let largest = ascent.reduce(0) { max($0, abs($1)) }
        firstStepError = Double(zip(npo, ascent).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(largest, 1e-30))

        let ratios: [Float] = [-3, -1.5, -0.25, 0, 0.5, 2]
        let small = try NegativePreference(beta: 1e-4)
        limitError =
            ratios.map { r in
                let loss = Double(small.loss(logRatios: Tensor([r])).item)
                return abs(loss - 2 / small.beta * log(2.0) - Double(r)) / 3
            }.max() ?? 1

        let term = try NegativePreference(beta: 1)
        let weights = term.weights(logRatios: Tensor(ratios)).floats()
        let step: Float = 0.02
        weightError =
            zip(ratios, weights).map { r, weight in
                let high = term.loss(logRatios: Tensor([r + step])).item
                let low = term.loss(logRatios: Tensor([r - step])).item
                return abs(Double((high - low) / (2 * step)) - Double(weight))
            }.max() ?? 1
    }
}
