import Inference
import Synchronization
import Text

/// A language model that answers by script and remembers what it was asked: for exact tests of a method's control flow.
public final class ScriptedModel: LanguageModel {
    /// Makes the text of an answer from the request and its position among all requests.
    public typealias Reply = @Sendable (CompletionRequest, Int) throws -> String

    public let identity: ModelIdentity
    public let capabilities: Capabilities
    private let reply: Reply
    private let asked = Mutex<[CompletionRequest]>([])

    public init(
        name: String = "scripted", capabilities: Capabilities = [.completion, .rawText], reply: @escaping Reply
    ) {
        identity = ModelIdentity(reference: name, name: name, fingerprint: "scripted", contextLength: nil)
        self.capabilities = capabilities
        self.reply = reply
    }

    /// Answers with these texts in the order of the requests; a request too many is an error.
    public convenience init(name: String = "scripted", _ replies: [String]) {
        self.init(name: name) { _, index in
            guard replies.indices.contains(index) else { throw ScriptError.exhausted(replies: replies.count) }
            return replies[index]
        }
    }

    /// Answers with the first rule whose text occurs in the prompt; a prompt that no rule fits is an error.
    public convenience init(name: String = "scripted", rules: [(contains: String, reply: String)]) {
        self.init(name: name) { request, _ in
            let prompt = request.prompt.plainText
            guard let rule = rules.first(where: { prompt.contains($0.contains) }) else {
                throw ScriptError.noRule(prompt: prompt)
            }
            return rule.reply
        }
    }

    /// All requests so far, in the order in which they came.
    public var requests: [CompletionRequest] { asked.withLock { $0 } }

    public func complete(_ request: CompletionRequest) async throws -> Completion {
        try Task.checkCancellation()
        let index = asked.withLock { requests in
            requests.append(request)
            return requests.count - 1
        }
        let text = try reply(request, index)
        let words = text.split(separator: " ").count
        return Completion(text: text, finish: .endOfText, usage: Usage(completionTokens: words))
    }

    public func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let completion = try await complete(request)
                    for character in completion.text { continuation.yield(.text(String(character))) }
                    continuation.yield(.done(completion))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// Why a scripted model has no answer.
public enum ScriptError: Error, Hashable, CustomStringConvertible {
    case exhausted(replies: Int)
    case noRule(prompt: String)

    public var description: String {
        switch self {
        case .exhausted(let replies): "The script has \(replies) replies and was asked for one more."
        case .noRule(let prompt): "No rule of the script fits the prompt \(prompt.prefix(200).debugDescription)."
        }
    }
}

extension Prompt {
    /// The prompt as one text, roles left out: for scripts and traces, not for models.
    public var plainText: String {
        switch self {
        case .chat(let messages, _): messages.map(\.content).joined(separator: "\n")
        case .text(let text, _): text
        case .tokens(let ids): ids.map(String.init).joined(separator: " ")
        }
    }
}
