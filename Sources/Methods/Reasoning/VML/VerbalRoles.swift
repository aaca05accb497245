import Foundation
import Inference
import Laboratory
import Text

/// How a role's model is asked.
package struct VerbalCalls: Sendable {
    package var model: any LanguageModel
    package var temperature: Double
    package var maxTokens: Int
    /// How often a reply that can't be read is asked for again; again means sampled, or the same would come.
    package var retries: Int
    package var seed: UInt64

    package init(
        _ model: any LanguageModel, temperature: Double = 0, maxTokens: Int = 1024, retries: Int = 5, seed: UInt64 = 1
    ) {
        self.model = model
        self.temperature = temperature
        self.maxTokens = maxTokens
        self.retries = retries
        self.seed = seed
    }

    /// Asks until a reply can be read, at most `retries` times again. The result is nil where none could.
    func ask<Result>(
        _ messages: [ChatMessage], as name: String, _ read: (String) -> Result?
    ) async throws -> (result: Result?, reply: String, failures: Int) {
        var reply = ""
        for attempt in 0...max(0, retries) {
            let heat = attempt == 0 ? temperature : max(temperature, 0.7)
            let sampling =
                heat > 0
                ? Sampling.random(
                    temperature: heat, seed: SeededGenerator.derive(seed, "\(name)/\(attempt)")) : .greedy
            reply = try await model.complete(
                CompletionRequest(.chat(messages), sampling: sampling, stop: StopRule(maxTokens: maxTokens))
            ).text
            if let result = read(reply) { return (result, reply, attempt) }
        }
        return (nil, reply, retries + 1)
    }
}

/// The role that predicts: f(x; θ), one call a point. Several points in one prompt would make predictions depend on each other.
package struct VerbalLearner: Sendable {
    package var task: VerbalTask
    package var wording: VerbalWording
    package var calls: VerbalCalls

    package init(_ task: VerbalTask, wording: VerbalWording = .standard, calls: VerbalCalls) {
        self.task = task
        self.wording = wording
        self.calls = calls
    }

    package struct Prediction: Sendable, Hashable {
        /// Nil where no reply could be read.
        package var value: VerbalValue?
        package var reply: String
        package var failures: Int
    }

    package func messages(_ input: VerbalValue, parameters: String) -> [ChatMessage] {
        let user = VerbalWording.fill(
            wording.learner,
            [
                "descriptions": parameters, "input": input.text(decimals: task.decimals), "format": task.format,
            ])
        return (wording.learnerSystem.isEmpty ? [] : [.system(wording.learnerSystem)]) + [.user(user)]
    }

    /// - Parameter parameters: all that the prompt shows as parameters, θ₀ included.
    package func predict(_ input: VerbalValue, parameters: String, as name: String) async throws -> Prediction {
        let found = try await calls.ask(messages(input, parameters: parameters), as: name) {
            VerbalReply.prediction(in: $0, marker: wording.outputMarker, task.target)
        }
        return Prediction(value: found.result, reply: found.reply, failures: found.failures)
    }

    /// Predicts all points at once, a call each.
    package func predictAll(
        _ points: [VerbalPoint], parameters: String, as name: String
    ) async throws -> [Prediction] {
        try await withThrowingTaskGroup(of: (Int, Prediction).self) { group in
            for (index, point) in points.enumerated() {
                group.addTask {
                    (index, try await predict(point.input, parameters: parameters, as: "\(name)/\(index)"))
                }
            }
            var found: [(Int, Prediction)] = []
            for try await one in group { found.append(one) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

/// The role that rewrites the descriptions after each batch, one call a batch.
package struct VerbalOptimizer: Sendable {
    package var task: VerbalTask
    package var wording: VerbalWording
    package var calls: VerbalCalls
    /// What the task demands of descriptions beyond the paper's instruction: "use no symbolic form".
    package var instruction: String
    /// Characters of descriptions that are kept.
    package var longest: Int

    package init(
        _ task: VerbalTask, wording: VerbalWording = .standard, calls: VerbalCalls, instruction: String = "",
        longest: Int = 4000
    ) {
        self.task = task
        self.wording = wording
        self.calls = calls
        self.instruction = instruction
        self.longest = longest
    }

    /// An optimization step as later steps may see it.
    package struct Turn: Sendable, Hashable {
        package var user: String
        package var assistant: String

        package init(user: String, assistant: String) {
            self.user = user
            self.assistant = assistant
        }
    }

    package struct Update: Sendable, Hashable {
        /// Nil where no reply held descriptions: they then stay as they are.
        package var descriptions: String?
        package var turn: Turn
        package var failures: Int
        package var wasCut: Bool

        /// The reply without its descriptions: why they changed.
        package var reasoning: String
    }

    package func prompt(_ batch: [VerbalPoint], predictions: [VerbalValue?], parameters: String) -> String {
        let inputs = batch.map { $0.input.text(decimals: task.decimals) }
        let outputs = predictions.map { $0?.text(decimals: task.decimals) ?? "?" }
        let targets = batch.map { $0.target.text(decimals: task.decimals) }
        let list: ([String]) -> String = { "[" + $0.joined(separator: ", ") + "]" }
        return VerbalWording.fill(
            wording.optimizer,
            [
                "descriptions": parameters, "inputs": list(inputs), "predictions": list(outputs),
                "targets": list(targets),
                "rows": batch.indices.map { "\(inputs[$0]) \(outputs[$0]) \(targets[$0]) ;" }.joined(separator: " "),
                "instruction": instruction.isEmpty ? "" : " \(instruction)",
            ])
    }

    /// - Parameter memory: earlier steps to be shown, the oldest first.
    package func update(
        _ batch: [VerbalPoint], predictions: [VerbalValue?], parameters: String, memory: [Turn], as name: String
    ) async throws -> Update {
        let user = prompt(batch, predictions: predictions, parameters: parameters)
        let messages =
            (wording.optimizerSystem.isEmpty ? [] : [ChatMessage.system(wording.optimizerSystem)])
            + memory.flatMap { [ChatMessage.user($0.user), .assistant($0.assistant)] } + [.user(user)]
        let found = try await calls.ask(messages, as: name) {
            VerbalReply.descriptions(in: $0, marker: wording.descriptionsMarker)
        }
        let descriptions = found.result.map { String($0.prefix(longest)) }
        let reasoning =
            found.result.flatMap { found.reply.range(of: $0, options: .backwards) }
            .map { String(found.reply[..<$0.lowerBound]).trimmingSpaces } ?? found.reply
        return Update(
            descriptions: descriptions, turn: Turn(user: user, assistant: found.reply), failures: found.failures,
            wasCut: (found.result?.count ?? 0) > longest, reasoning: reasoning)
    }
}
