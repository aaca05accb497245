import Inference
import Synchronization

/// A model that keeps account of what it was asked and answered: for methods whose claim is about the number or the form of
/// their calls, and for checks of that form.
public final class CallLedger: LanguageModel {
    /// One call, in the order in which calls ended.
    public struct Call: Sendable {
        public var request: CompletionRequest
        public var completion: Completion
    }

    private let model: any LanguageModel
    private let kept = Mutex<[Call]>([])

    public init(_ model: any LanguageModel) { self.model = model }

    public var identity: ModelIdentity { model.identity }
    public var capabilities: Capabilities { model.capabilities }

    /// All calls so far.
    public var calls: [Call] { kept.withLock { $0 } }

    /// What all calls cost together.
    public var usage: Usage { calls.reduce(Usage()) { $0 + $1.completion.usage } }

    public func complete(_ request: CompletionRequest) async throws -> Completion {
        let completion = try await model.complete(request)
        kept.withLock { $0.append(Call(request: request, completion: completion)) }
        return completion
    }

    /// Streams pass through; the call is kept when its end is reached.
    public func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    for try await event in self.model.stream(request) {
                        if case .done(let completion) = event {
                            self.kept.withLock { $0.append(Call(request: request, completion: completion)) }
                        }
                        continuation.yield(event)
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}
