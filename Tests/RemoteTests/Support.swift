import Foundation
import Inference
import Remote
import Text

/// A chat answer with this text.
func chatAnswer(_ text: String, finish: String = "stop", logProbs: JSONValue = .null) -> JSONValue {
    [
        "id": "x", "object": "chat.completion", "model": "m",
        "choices": [
            [
                "index": 0, "message": ["role": "assistant", "content": .string(text)],
                "finish_reason": .string(finish), "logprobs": logProbs,
            ]
        ],
        "usage": [
            "prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10,
            "prompt_tokens_details": ["cached_tokens": 4],
        ],
    ]
}

/// An answer to raw text.
func textAnswer(_ text: String, finish: String = "stop", logProbs: JSONValue = .null) -> JSONValue {
    [
        "choices": [
            ["index": 0, "text": .string(text), "finish_reason": .string(finish), "logprobs": logProbs]
        ],
        "usage": ["prompt_tokens": 2, "completion_tokens": 1],
    ]
}

/// The events of a streamed chat answer.
func chatStream(_ pieces: [String], finish: String? = "stop", done: Bool = true) -> String {
    var events = pieces.map { piece -> JSONValue in
        ["choices": [["index": 0, "delta": ["content": .string(piece)], "finish_reason": nil]]]
    }
    if let finish {
        events.append(["choices": [["index": 0, "delta": .object([]), "finish_reason": .string(finish)]]])
        events.append(["choices": [], "usage": ["prompt_tokens": 7, "completion_tokens": 3]])
    }
    return events.map { "data: \($0.text())\n\n" }.joined() + (done ? "data: [DONE]\n\n" : "")
}

/// A model at a mock server, impatient and without the machine's own environment.
func model(
    at server: MockServer, dialect: Dialect = .openai, environment: [String: String] = [:],
    _ change: (inout RemoteEndpoint) throws -> Void = { _ in }
) throws -> RemoteModel {
    var endpoint = RemoteEndpoint(url: try EndpointURL(server.url), name: "m", dialect: dialect)
    endpoint.retries.baseDelay = .milliseconds(2)
    endpoint.retries.maxDelay = .milliseconds(10)
    endpoint.timeouts.total = .seconds(120)
    try change(&endpoint)
    return try RemoteModel(endpoint: endpoint, environment: environment)
}

let hello = CompletionRequest(.chat([.user("Hello")]))

/// A chat request whose one message is this text.
func ask(_ text: String) -> CompletionRequest { CompletionRequest(.chat([.user(text)])) }

/// The error that a call ends with, or nil.
func remoteError(_ body: () async throws -> Void) async -> RemoteError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? RemoteError
    }
}

/// The texts and the completion of a stream.
func collect(
    _ stream: AsyncThrowingStream<CompletionEvent, any Error>
) async throws -> (texts: [String], completion: Completion?) {
    var texts: [String] = []
    var completion: Completion?
    for try await event in stream {
        switch event {
        case .text(let text): texts.append(text)
        case .done(let whole): completion = whole
        }
    }
    return (texts, completion)
}

/// Waits until a condition holds; false after a minute.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<12000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
}

/// An empty folder that is removed afterwards.
func withTemporaryFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lyceum-remote-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}
