import Inference
import Laboratory

/// Which descriptions a training ends with.
public enum KeptDescriptions: String, OptionChoice {
    /// The last ones, as the paper does.
    case last
    /// Those with the least loss on validation points, which are neither trained on nor tested with.
    case best
}

/// The loop: predict a batch with θ, let the optimizer rewrite θ, go on with the next batch.
package struct VerbalTraining: Sendable {
    package var learner: VerbalLearner
    package var optimizer: VerbalOptimizer
    package var batchSize = 10
    package var epochs = 5
    /// Earlier optimization steps that the optimizer sees.
    package var memory = 1
    package var kept = KeptDescriptions.last
    /// Tests after every so many steps; 0: at the start and the end alone.
    package var stepsPerTest = 1

    package init(learner: VerbalLearner, optimizer: VerbalOptimizer) {
        self.learner = learner
        self.optimizer = optimizer
    }

    /// What held-out points say of some descriptions.
    package struct Test: Sendable, Hashable {
        package var all: VerbalLoss
        package var inRange: VerbalLoss
        /// Outside the training inputs' range: extrapolation.
        package var outOfRange: VerbalLoss
        package var predictions: [VerbalValue?]
    }

    package struct Step: Sendable, Hashable {
        /// From 1; 0 stands for the start.
        package var number: Int
        package var epoch: Int
        package var descriptions: String
        package var reasoning: String
        /// Of the batch, before the update.
        package var trainLoss: VerbalLoss?
        package var validation: VerbalLoss?
        package var test: Test?
        package var learnerFailures = 0
        package var optimizerFailures = 0
        package var wasCut = false
    }

    package struct History: Sendable, Hashable {
        package var steps: [Step]
        /// The step whose descriptions are the result.
        package var chosen: Int

        package var descriptions: String { steps[chosen].descriptions }
        package var learnerFailures: Int { steps.reduce(0) { $0 + $1.learnerFailures } }
        package var optimizerFailures: Int { steps.reduce(0) { $0 + $1.optimizerFailures } }
    }

    /// - Parameters:
    ///   - start: descriptions to begin with behind θ₀; empty: θ₀ alone.
    ///   - onStep: told how many steps are done.
    package func run(
        on data: VerbalData, start: String = "", onStep: @Sendable (Int) -> Void = { _ in }
    ) async throws -> History {
        try data.check(batchSize: batchSize)
        let task = learner.task
        var descriptions = start
        var turns: [VerbalOptimizer.Turn] = []
        var first = Step(number: 0, epoch: 0, descriptions: start, reasoning: "")
        try await judge(&first, data, isTest: true)
        var steps = [first]
        let perEpoch = (data.train.count + batchSize - 1) / batchSize
        let total = perEpoch * epochs
        for number in 1...max(1, total) where total > 0 {
            try Task.checkCancellation()
            let from = (number - 1) % perEpoch * batchSize
            let batch = Array(data.train[from..<min(from + batchSize, data.train.count)])
            let parameters = task.parameters(descriptions)
            let predictions = try await learner.predictAll(batch, parameters: parameters, as: "step \(number)")
            let update = try await optimizer.update(
                batch, predictions: predictions.map(\.value), parameters: parameters,
                memory: Array(turns.suffix(memory)), as: "optimization \(number)")
            if let new = update.descriptions {
                descriptions = new
                turns.append(update.turn)
            }
            var step = Step(
                number: number, epoch: (number - 1) / perEpoch + 1, descriptions: descriptions,
                reasoning: update.reasoning, trainLoss: VerbalLoss(predictions.map(\.value), of: batch, task))
            step.learnerFailures = predictions.reduce(0) { $0 + $1.failures }
            step.optimizerFailures = update.failures
            step.wasCut = update.wasCut
            let isTest = number == total || (stepsPerTest > 0 && number % stepsPerTest == 0)
            try await judge(&step, data, isTest: isTest)
            steps.append(step)
            onStep(number)
        }
        return History(steps: steps, chosen: chosen(of: steps))
    }

    /// Validation alone chooses; the test set never does.
    private func chosen(of steps: [Step]) -> Int {
        guard kept == .best else { return steps.count - 1 }
        return steps.indices.min { a, b in
            let (first, second) = (steps[a].validation?.value ?? .infinity, steps[b].validation?.value ?? .infinity)
            return first != second ? first < second : a > b
        } ?? steps.count - 1
    }

    private func judge(_ step: inout Step, _ data: VerbalData, isTest: Bool) async throws {
        let parameters = learner.task.parameters(step.descriptions)
        if kept == .best, !data.validation.isEmpty {
            let found = try await learner.predictAll(
                data.validation, parameters: parameters, as: "validation \(step.number)")
            step.validation = VerbalLoss(found.map(\.value), of: data.validation, learner.task)
            step.learnerFailures += found.reduce(0) { $0 + $1.failures }
        }
        guard isTest, !data.test.isEmpty else { return }
        let found = try await learner.predictAll(data.test, parameters: parameters, as: "test \(step.number)")
        step.learnerFailures += found.reduce(0) { $0 + $1.failures }
        step.test = Self.test(found.map(\.value), data, learner.task)
    }

    /// The losses of predictions for the test points, inside and outside the training range.
    package static func test(_ predictions: [VerbalValue?], _ data: VerbalData, _ task: VerbalTask) -> Test {
        let inside = data.test.map { data.isInRange($0.input) }
        func loss(_ isInside: Bool?) -> VerbalLoss {
            let places = data.test.indices.filter { isInside == nil || inside[$0] == isInside }
            return VerbalLoss(places.map { predictions[$0] }, of: places.map { data.test[$0] }, task)
        }
        return Test(all: loss(nil), inRange: loss(true), outOfRange: loss(false), predictions: predictions)
    }
}
