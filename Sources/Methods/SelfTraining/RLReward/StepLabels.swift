import Inference
import Laboratory
import Text
import Training

/// Labels of steps without a person (Wang et al. 2024, Math-Shepherd): a step is as good as what its prefix is completed to.
package struct StepLabels: Sendable {
    /// Completes prefixes: the policy that is to learn, or a stronger model with the same vocabulary.
    package typealias Completer = @Sendable ([RolloutRequest]) async throws -> [WrittenText]

    package var kind: RLReward.Options.Labels
    /// Completions a prefix.
    package var completions: Int

    package init(_ kind: RLReward.Options.Labels = .hard, completions: Int = 8) {
        self.kind = kind
        self.completions = completions
    }

    private func label(right: Int) -> Float {
        kind == .hard ? (right > 0 ? 1 : 0) : Float(right) / Float(completions)
    }

    /// A response whose prefix is completed: through the end of one of its steps.
    private struct Prefix: Hashable {
        var question: Int
        var tokens: [TokenID]
    }

    /// Samples for a process reward model: every step that ends inside its response is labelled by completions, the last step of a
    /// finished response by whether the response is right. Equal prefixes are completed once.
    package func process(
        _ responses: [StepResponse], of task: StepTask, completer: @escaping Completer, in lab: Lab
    ) async throws -> [ScoredText] {
        func prefix(_ response: StepResponse, _ end: Int) -> Prefix? {
            response.isFinished && end == response.completion.count - 1
                ? nil : Prefix(question: response.question, tokens: Array(response.completion[...end]))
        }
        var places: [Prefix: Int] = [:]
        var distinct: [Prefix] = []
        for response in responses {
            for case let one? in response.ends.map({ prefix(response, $0) }) where places[one] == nil {
                places[one] = distinct.count
                distinct.append(one)
            }
        }
        let seed = lab.seed("completions")
        let labels = try await lab.forEach("Labelling steps", Array(distinct.enumerated())) { place, prefix in
            let room = task.longest - prefix.tokens.count
            // Where nothing more may be written, nothing right comes.
            guard room > 0 else { return label(right: 0) }
            let texts = try await completer(
                RolloutRequest.samples(
                    completions, promptIndex: prefix.question, prompt: task.prompts[prefix.question] + prefix.tokens,
                    limit: room, seed: seed, place: place))
            return label(right: texts.count { task.response($0).isRight })
        }
        return responses.filter { !$0.steps.isEmpty }.map { response in
            ScoredText(
                response.text,
                marks: response.ends.map { end in
                    let known = prefix(response, end).flatMap { places[$0] }.map { labels[$0] }
                    return .init(place: response.prompt.count + end, score: known ?? (response.isRight ? 1 : 0))
                })
        }
    }

    /// Samples for an outcome reward model: whether a finished response is right, at its end.
    package static func outcome(_ responses: [StepResponse]) -> [ScoredText] {
        responses.filter(\.isFinished).map {
            ScoredText($0.text, marks: [.init(place: $0.text.count - 1, score: $0.isRight ? 1 : 0)])
        }
    }
}
