import Foundation
import Inference
import Text

/// An endpoint on loopback that speaks llama-server's dialect, with a local model behind it and faults on demand.
enum EngineServer {
    /// What can go wrong with a request.
    enum Fault: CaseIterable {
        case tooMany, broken, cutShort, noJSON, silent

        var steps: [MockServer.Step] {
            switch self {
            case .tooMany: .answer(429, ["Retry-After": "0"], "slow down")
            case .broken: .answer(500, [:], "out of memory")
            case .cutShort:
                [.send([UInt8]("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"choices\":[".utf8)), .close]
            case .noJSON: .answer(200, ["Content-Type": "application/json"], "{\"choices\": [{\"index\": 0, ]}")
            case .silent: [.hang]
            }
        }
    }

    /// - Parameter fault: what goes wrong with the nth request (from 0).
    static func start(
        _ model: any LanguageModel, fault: @escaping @Sendable (Int) -> Fault? = { _ in nil }
    ) throws -> MockServer {
        try MockServer { index, request in
            if let fault = fault(index) { return fault.steps }
            do {
                let (completion, isStream) = try answer(request, by: model)
                return isStream
                    ? .stream(chatStream([completion.text], finish: finish(completion)))
                    : .json(body(completion, isChat: request.target.hasSuffix("chat/completions")))
            } catch {
                return .answer(400, [:], "\(error)")
            }
        }
    }

    private static func answer(
        _ request: MockServer.Request, by model: any LanguageModel
    ) throws -> (Completion, isStream: Bool) {
        let json = request.json
        let messages = json["messages"]?.arrayValue?.map { message in
            ChatMessage(
                role: Role(message["role"]?.stringValue ?? "user"), content: message["content"]?.stringValue ?? "")
        }
        var sampling = Sampling()
        sampling.temperature = json["temperature"]?.doubleValue ?? 0
        sampling.topP = json["top_p"]?.doubleValue ?? 1
        sampling.topK = json["top_k"]?.intValue ?? 0
        sampling.minP = json["min_p"]?.doubleValue ?? 0
        sampling.typicalP = json["typical_p"]?.doubleValue ?? 1
        sampling.repetitionPenalty = json["repeat_penalty"]?.doubleValue ?? 1
        sampling.seed = json["seed"]?.intValue.map(UInt64.init)
        let wanted = CompletionRequest(
            messages.map { .chat($0) } ?? .text(json["prompt"]?.stringValue ?? ""), sampling: sampling,
            stop: StopRule(
                maxTokens: json["max_tokens"]?.intValue ?? 16,
                strings: json["stop"]?.arrayValue?.compactMap(\.stringValue) ?? []),
            topLogProbs: json["top_logprobs"]?.intValue ?? json["logprobs"]?.intValue)
        // A thread of its own waits here, as the script is no asynchronous code.
        let box = Box()
        let done = DispatchSemaphore(value: 0)
        Task {
            box.result = await Result { try await model.complete(wanted) }
            done.signal()
        }
        done.wait()
        return (try box.result!.get(), json["stream"]?.boolValue == true)
    }

    private final class Box: @unchecked Sendable { var result: Result<Completion, any Error>? }

    private static func finish(_ completion: Completion) -> String { completion.finish == .length ? "length" : "stop" }

    private static func body(_ completion: Completion, isChat: Bool) -> JSONValue {
        let logProbs: JSONValue =
            completion.logProbs.map { positions in
                [
                    "content": .array(
                        positions.map { position in
                            var members = token(position.chosen)
                            members.append(.init("top_logprobs", .array(position.top.map { .object(token($0)) })))
                            return .object(members)
                        })
                ]
            } ?? .null
        let text: JSONValue.Member =
            isChat
            ? .init("message", ["role": "assistant", "content": .string(completion.text)])
            : .init("text", .string(completion.text))
        let choice: [JSONValue.Member] = [
            .init("index", 0), text, .init("finish_reason", .string(finish(completion))), .init("logprobs", logProbs),
        ]
        return [
            "choices": [.object(choice)],
            "usage": [
                "prompt_tokens": .integer(completion.usage.promptTokens),
                "completion_tokens": .integer(completion.usage.completionTokens),
            ],
        ]
    }

    private static func token(_ token: TokenLogProb) -> [JSONValue.Member] {
        [
            .init("id", .integer(Int(token.id))), .init("token", .string(token.text)),
            .init("logprob", .number(Double(token.logProb))),
        ]
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
