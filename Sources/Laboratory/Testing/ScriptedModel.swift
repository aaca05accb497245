import Inference
import Models
import Synchronization
import Text

/// A language model that answers by script and remembers what it was asked: for exact tests of a method's control flow.
public final class ScriptedModel: LanguageModel {
    /// Makes the text of an answer from the request and its position among all requests.
    public typealias Reply = @Sendable (CompletionRequest, Int) throws -> String

    public let identity: ModelIdentity
    public let capabilities: Capabilities
    private let reply: Reply
    private let words: ModelText?
    private let asked = Mutex<[CompletionRequest]>([])

    /// - Parameter words: of the model whose tokens its usage counts, prompts in that model's template; nil: prompts count nothing and
    ///   answers their words.
    public init(
        name: String = "scripted", capabilities: Capabilities = [.completion, .rawText],
        countingAs words: ModelText? = nil, reply: @escaping Reply
    ) {
        identity = ModelIdentity(reference: name, name: name, fingerprint: "scripted", contextLength: nil)
        self.capabilities = capabilities
        self.words = words
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
        return Completion(text: text, finish: .endOfText, usage: try usage(request.prompt, text))
    }

    private func usage(_ prompt: Prompt, _ text: String) throws -> Usage {
        guard let words else { return Usage(completionTokens: text.split(separator: " ").count) }
        let tokenizer = words.tokenizer
        let read: Int
        switch prompt {
        case .tokens(let ids): read = ids.count
        case .text(let text, _): read = tokenizer.encode(text).count
        case .chat(let messages, _):
            guard let template = words.template else { throw ScriptError.noTemplate }
            read =
                tokenizer.encode(segments: try template.renderSegments(messages: messages, addGenerationPrompt: true))
                .count
        }
        // The token that ends an answer is written, too.
        return Usage(promptTokens: read, completionTokens: tokenizer.encode(text).count + 1)
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
    case noTemplate

    public var description: String {
        switch self {
        case .exhausted(let replies): "The script has \(replies) replies and was asked for one more."
        case .noTemplate: "A conversation can't be counted with the words of a model that has no chat template."
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
