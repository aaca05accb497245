import Inference
import Text

/// A strategy in the place of a model: every conversation becomes a question to the strategy, and its reply comes back.
///
/// What only asks a model in conversations, such as a game of many turns, thereby runs under any strategy. The turns of a conversation are
/// laid out in the question's text. A request's own sampling and limits are the strategy's business; its seed starts the strategy's
/// random streams.
public struct StrategyModel: LanguageModel {
    public let strategy: any ReasoningStrategy
    private let model: any LanguageModel

    /// - Throws: `CapabilityError` where the model can't do what the strategy needs.
    public init(_ strategy: any ReasoningStrategy, asking model: any LanguageModel) throws {
        let missing = strategy.needs.subtracting(model.capabilities)
        if !missing.isEmpty { throw CapabilityError(slug: strategy.name, model: model, missing: missing) }
        self.strategy = strategy
        self.model = model
    }

    public var identity: ModelIdentity {
        var identity = model.identity
        identity.name += ", \(strategy.name)"
        return identity
    }

    public var capabilities: Capabilities { .completion }

    public func complete(_ request: CompletionRequest) async throws -> Completion {
        let text = Self.question(of: request.prompt)
        let question = Question(id: "turn", text, kind: .text, golds: [])
        let inquiry = Inquiry(
            question, asking: model, seed: SeededGenerator.derive(request.sampling.seed ?? 0, text))
        let solution = try await strategy.solve(inquiry)
        let cost = inquiry.cost
        return Completion(
            text: solution.text.isEmpty ? solution.answer : solution.text,
            finish: cost.cutShort > 0 ? .length : .stop, usage: cost.usage)
    }

    public func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        wholeStream(request)
    }

    /// A single message as it stands; of a longer conversation every turn with who speaks.
    private static func question(of prompt: Prompt) -> String {
        guard case .chat(let messages, _) = prompt else { return prompt.transcript }
        let spoken = messages.filter { $0.role != .system }
        let instruction = messages.filter { $0.role == .system }.map(\.content).joined(separator: "\n\n")
        let turns =
            spoken.count == 1
            ? spoken[0].content
            : spoken.map { ($0.role == .user ? "They: " : "You: ") + $0.content }.joined(separator: "\n\n")
        return [instruction, turns].filter { !$0.isEmpty }.joined(separator: "\n\n")
    }
}
