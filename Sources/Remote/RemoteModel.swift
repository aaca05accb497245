import Inference
import Synchronization
import Text

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A language model behind an OpenAI-compatible endpoint: vLLM, SGLang, llama-server, Ollama, or a hosted service.
///
/// Conversations go to `chat/completions`, raw text to `completions`. What the endpoint's ``Dialect`` can't express is refused before
/// anything is sent. Differences to a local model that no request can avoid:
/// - whether special tokens in raw text are recognised is the server's choice;
/// - token ids are told by some servers only; log-probabilities carry the id -1 where they aren't;
/// - some servers don't tell a stop string from the end of text; with stop rules in the request that counts as a stop.
///
/// It conforms to `ScoringModel`, but only an endpoint whose capabilities hold `.scoring` gives scores.
public struct RemoteModel: ScoringModel {
    public let identity: ModelIdentity
    public let capabilities: Capabilities
    public let endpoint: RemoteEndpoint
    /// What was asked here and what it cost.
    public let account: RemoteAccount

    let connection: Connection
    let encoder: RequestEncoder
    private let cache: ResponseCache?

    /// Nothing is sent; see ``connect(to:reference:account:environment:)`` for a look at the endpoint first.
    ///
    /// - Parameters:
    ///   - reference: what the user typed; nil: `openai:NAME@URL`.
    ///   - environment: where keys are looked for; nil: the process's own.
    /// - Throws: ``RemoteError`` of the kind `invalidEndpoint`.
    public init(
        endpoint: RemoteEndpoint, reference: String? = nil, account: RemoteAccount = RemoteAccount(),
        environment: [String: String]? = nil
    ) throws {
        connection = try Connection(
            endpoint: endpoint, account: account, environment: environment ?? ProcessInfo.processInfo.environment)
        encoder = RequestEncoder(endpoint)
        cache = endpoint.cacheFolder.map(ResponseCache.init(folder:))
        capabilities = endpoint.capabilities
        identity = ModelIdentity(
            reference: reference ?? "openai:\(endpoint.name)@\(endpoint.url)", name: endpoint.name,
            fingerprint: SHA256.hexadecimal("\(endpoint.url)\n\(endpoint.name)".utf8),
            contextLength: endpoint.contextLength)
        self.endpoint = endpoint
        self.account = account
    }

    /// The model of `openai:NAME@URL`.
    public static func openAI(
        name: String, url: String = "https://api.openai.com/v1", dialect: Dialect = .auto,
        account: RemoteAccount = RemoteAccount()
    ) throws -> RemoteModel {
        try RemoteModel(
            endpoint: RemoteEndpoint(url: EndpointURL(url), name: name, dialect: dialect), account: account)
    }

    /// The model of `ollama:NAME` or `ollama:NAME@URL`.
    public static func ollama(
        name: String, url: String? = nil, account: RemoteAccount = RemoteAccount()
    ) throws -> RemoteModel {
        let endpoint = RemoteEndpoint(
            url: try EndpointURL(url ?? "http://127.0.0.1:11434/v1"), name: name, dialect: .ollama)
        let reference = url == nil ? "ollama:\(name)" : "ollama:\(name)@\(endpoint.url)"
        return try RemoteModel(endpoint: endpoint, reference: reference, account: account)
    }

    public func complete(_ request: CompletionRequest) async throws -> Completion {
        try await account.counting {
            let encoded = try encoder.encode(request)
            return try await answer(to: request, encoded: encoded, streaming: encoded.mustStream, delivery: nil)
        }
    }

    public func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let completion = try await account.counting {
                        let delivery = Delivery(to: continuation)
                        let encoded = try encoder.encode(request)
                        let completion = try await answer(
                            to: request, encoded: encoded, streaming: true, delivery: delivery)
                        // From the cache, the text comes at once.
                        if !delivery.hasBegun { delivery.deliver(completion.text) }
                        return completion
                    }
                    continuation.yield(.done(completion))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Gets the answer from the cache or the endpoint. A stream is asked for again only while nothing of it was delivered.
    private func answer(
        to request: CompletionRequest, encoded: EncodedRequest, streaming: Bool, delivery: Delivery?
    ) async throws -> Completion {
        try await cached(encoded.operation, encoded.body, isRepeatable: encoded.isRepeatable) {
            let completion = try await connection.ask(
                encoded.operation, body: streaming ? encoded.streamingBody : encoded.body, streaming: streaming,
                canRepeat: { delivery?.hasBegun != true }
            ) { answer in
                if streaming, answer.isEventStream {
                    return try await Self.pieces(of: answer, of: request) { delivery?.deliver($0) }
                }
                return try await Self.whole(answer, of: request)
            }
            account.record { $0.usage = $0.usage + completion.usage }
            return completion
        }
    }

    /// Reads an answer that comes in one piece.
    private static func whole(_ answer: HTTPAnswer, of request: CompletionRequest) async throws -> Completion {
        var assembler = CompletionAssembler(for: request)
        _ = try assembler.take(try await answer.json())
        return try assembler.finished()
    }

    /// Reads a streamed answer, delivering text as it comes.
    private static func pieces(
        of answer: HTTPAnswer, of request: CompletionRequest, deliver: (String) -> Void
    ) async throws -> Completion {
        var assembler = CompletionAssembler(for: request)
        var events = ServerSentEvents()
        var isDone = false
        func take(_ event: String) throws {
            guard !isDone else { return }
            if event == "[DONE]" {
                isDone = true
                return
            }
            do {
                deliver(try assembler.take(try JSONValue(parsing: event)))
            } catch let error as JSONError {
                throw AttemptFailure(.malformed("an event of its stream is no JSON (\(error))"), isRetryable: true)
            }
        }
        do {
            try await answer.forEachPiece { piece in
                for event in try events.feed(piece) { try take(event) }
                return !isDone
            }
            // What is left without its blank line may be whole or cut off.
            if !isDone, let rest = try events.finish(), rest == "[DONE]" || (try? JSONValue(parsing: rest)) != nil {
                try take(rest)
            }
        } catch let failure as ServerSentEvents.Failure {
            switch failure {
            case .tooLong(let limit): throw AttemptFailure(.tooLarge(limit: limit), isRetryable: false)
            case .invalidUTF8: throw AttemptFailure.malformed("its stream is not valid UTF-8")
            }
        }
        guard isDone || assembler.isFinished else {
            throw AttemptFailure(.truncated("before its end was marked"), isRetryable: true)
        }
        return try assembler.finished()
    }

    /// Gives the answer from the cache, or asks for it and keeps it there.
    func cached<Answer: CacheableAnswer>(
        _ operation: String, _ body: JSONValue, isRepeatable: Bool, ask: () async throws -> Answer
    ) async throws -> Answer {
        guard let cache, isRepeatable else { return try await ask() }
        let key = ResponseCache.key(url: endpoint.url.operation(operation), operation: operation, body: body)
        if let answer = cache.answer(for: key).flatMap(Answer.init(cached:)) {
            account.record { $0.cacheHits += 1 }
            return answer
        }
        let answer = try await ask()
        do {
            try cache.store(answer.cached, for: key)
        } catch {
            // The answer itself is good; a cache that can't keep it costs money later, and the account says so.
            account.record { $0.cacheWriteFailures += 1 }
        }
        return answer
    }
}

extension HTTPAnswer {
    /// The whole body as JSON.
    func json() async throws -> JSONValue {
        let body = try await collect()
        do {
            return try JSONValue(parsing: body)
        } catch {
            let excerpt = Excerpt.of(String(decoding: body.prefix(2048), as: UTF8.self), limit: 200)
            // Broken JSON was damaged on its way or its writer stumbled; anything else comes from another sort of server.
            throw AttemptFailure(
                .malformed("it is no JSON (\(error)): “\(excerpt)”"),
                isRetryable: excerpt.first { !$0.isWhitespace } == "{")
        }
    }
}

/// Hands the text of a stream to its reader, and knows whether anything has reached it.
private final class Delivery: Sendable {
    private let continuation: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
    private let state = Mutex(false)

    init(to continuation: AsyncThrowingStream<CompletionEvent, any Error>.Continuation) {
        self.continuation = continuation
    }

    var hasBegun: Bool { state.withLock { $0 } }

    func deliver(_ text: String) {
        guard !text.isEmpty else { return }
        state.withLock { $0 = true }
        continuation.yield(.text(text))
    }
}
