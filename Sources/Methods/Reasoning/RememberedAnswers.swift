import Inference
import Synchronization

/// A model that answers a greedy request which it has answered before from memory: for strategies that differ late in a conversation
/// they share. Sampled and constrained requests always go to the model.
public final class RememberedAnswers: LanguageModel {
    private struct Key: Hashable {
        var prompt: Prompt
        var stop: StopRule
    }

    private let model: any LanguageModel
    private let known = Mutex<[Key: Completion]>([:])

    public init(_ model: any LanguageModel) { self.model = model }

    public var identity: ModelIdentity { model.identity }
    public var capabilities: Capabilities { model.capabilities }

    public func complete(_ request: CompletionRequest) async throws -> Completion {
        guard request.sampling == .greedy, request.constraint == nil, request.topLogProbs == nil,
            request.adapter == nil,
            request.interventions.isEmpty
        else { return try await model.complete(request) }
        let key = Key(prompt: request.prompt, stop: request.stop)
        if let answer = known.withLock({ $0[key] }) { return answer }
        let answer = try await model.complete(request)
        known.withLock { $0[key] = answer }
        return answer
    }

    /// Streams always come from the model.
    public func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        model.stream(request)
    }
}
