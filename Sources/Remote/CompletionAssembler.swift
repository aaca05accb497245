import Inference
import Text

/// Puts a completion together from an endpoint's answer: the pieces of a stream, or the one piece of a whole answer.
struct CompletionAssembler {
    private let request: CompletionRequest
    private var text = ""
    private var ids: [TokenID] = []
    private var logProbs: [PositionLogProbs] = []
    private var usage: Usage?
    private var toolCalls = ToolCallAssembler()
    private var refusal = ""
    private var finishReason: String?
    /// What ended the text, where the server says so: a stop string or token, or null for the end of text.
    private var stopReason: JSONValue?
    private(set) var hasChoice = false

    init(for request: CompletionRequest) {
        self.request = request
    }

    /// Whether the endpoint said why the text ends, so that nothing more can follow.
    var isFinished: Bool { finishReason != nil }

    /// Takes an answer or a piece of one, and returns the text that it adds.
    mutating func take(_ piece: JSONValue) throws -> String {
        guard piece.objectValue != nil else { throw AttemptFailure.malformed("a piece of it is no JSON object") }
        if let error = piece["error"], error != .null { throw AttemptFailure(reported: error) }
        if let object = piece["usage"], object.objectValue != nil { usage = Self.usage(from: object) }
        guard let choices = piece["choices"]?.arrayValue,
            let choice = choices.first(where: { ($0["index"]?.intValue ?? 0) == 0 })
        else { return "" }
        hasChoice = true
        let message = choice["delta"] ?? choice["message"]
        let added = Self.text(of: message?["content"]) ?? choice["text"]?.stringValue ?? ""
        text += added
        refusal += message?["refusal"]?.stringValue ?? ""
        for call in message?["tool_calls"]?.arrayValue ?? [] { try toolCalls.take(call) }
        if let object = choice["logprobs"], object != .null, let count = request.topLogProbs {
            logProbs += try LogProbReader(topCount: count).positions(in: object)
        }
        for id in choice["token_ids"]?.arrayValue ?? [] {
            guard let id = id.intValue.flatMap(TokenID.init(exactly:)) else {
                throw AttemptFailure.malformed("token_ids holds something else than token ids")
            }
            ids.append(id)
        }
        if let reason = choice["finish_reason"]?.stringValue, !reason.isEmpty { finishReason = reason }
        stopReason = choice["stop_reason"] ?? choice["matched_stop"] ?? stopReason
        return added
    }

    /// The whole completion.
    func finished() throws -> Completion {
        guard hasChoice else { throw AttemptFailure.malformed("it has no choices") }
        let calls = try toolCalls.finished()
        var finish = try finish(hasToolCalls: !calls.isEmpty)
        if !refusal.isEmpty, text.isEmpty { finish = .contentFilter }
        var positions = logProbs
        if positions.count == ids.count {
            for index in positions.indices where positions[index].chosen.id < 0 {
                positions[index].chosen.id = ids[index]
            }
        }
        if request.topLogProbs != nil, positions.isEmpty, !text.isEmpty {
            throw AttemptFailure.malformed("it lacks the log-probabilities that were asked for")
        }
        if finish == .endOfText, calls.isEmpty, let problem = request.constraint?.violation(in: text) {
            throw AttemptFailure(.constraintIgnored(problem), isRetryable: false)
        }
        return Completion(
            text: text.isEmpty ? refusal : text, ids: ids, finish: finish, usage: usage ?? Usage(),
            logProbs: request.topLogProbs == nil ? nil : positions, toolCalls: calls)
    }

    private func finish(hasToolCalls: Bool) throws -> FinishReason {
        if hasToolCalls { return .toolCalls }
        switch finishReason?.lowercased() {
        case nil: return .endOfText
        case "stop", "eos", "eos_token", "end_turn", "complete": return stopped
        case "stop_sequence": return .stop
        case "length", "max_tokens", "max_output_tokens": return .length
        case "content_filter": return .contentFilter
        case "tool_calls", "function_call": return .toolCalls
        case "abort", "error", "insufficient_system_resource":
            throw AttemptFailure(.reported("finish_reason is '\(finishReason ?? "")'"), isRetryable: true)
        default:
            throw AttemptFailure.malformed("finish_reason is '\(Excerpt.of(finishReason ?? "", limit: 60))'")
        }
    }

    /// Tells a stop rule from the model's own end. Where the server doesn't, a request with stop rules counts as stopped by them.
    private var stopped: FinishReason {
        switch stopReason {
        case .string: .stop
        case .integer(let token):
            TokenID(exactly: token).map(request.stop.tokens.contains) == true ? .stop : .endOfText
        case nil: request.stop.strings.isEmpty && request.stop.tokens.isEmpty ? .endOfText : .stop
        default: .endOfText
        }
    }

    /// A message's content: a string, or parts with text.
    private static func text(of content: JSONValue?) -> String? {
        if let parts = content?.arrayValue { return parts.compactMap { $0["text"]?.stringValue }.joined() }
        return content?.stringValue
    }

    static func usage(from object: JSONValue) -> Usage {
        func count(_ value: JSONValue?) -> Int { max(value?.intValue ?? 0, 0) }
        return Usage(
            promptTokens: count(object["prompt_tokens"]),
            cachedTokens: count(object["prompt_tokens_details"]?["cached_tokens"]),
            completionTokens: count(object["completion_tokens"]))
    }
}

/// Joins the pieces in which a stream delivers tool calls.
private struct ToolCallAssembler {
    private struct Partial {
        var id = ""
        var name = ""
        var arguments = ""
    }

    private var partials: [Int: Partial] = [:]
    private var latest = -1

    mutating func take(_ piece: JSONValue) throws {
        let id = piece["id"]?.stringValue ?? ""
        let function = piece["function"]
        let name = function?["name"]?.stringValue ?? ""
        // Without an index, a piece with another id or a name of its own begins a call; others belong to the latest.
        let beginsCall = latest < 0 || !name.isEmpty || (!id.isEmpty && partials[latest]?.id != id)
        let index = piece["index"]?.intValue ?? (beginsCall ? latest + 1 : latest)
        guard (0..<4096).contains(index) else { throw AttemptFailure.malformed("a tool call has the index \(index)") }
        latest = index
        var partial = partials[index] ?? Partial()
        if partial.id.isEmpty { partial.id = id }
        if partial.name.isEmpty { partial.name = name }
        switch function?["arguments"] {
        case .string(let text): partial.arguments += text
        case .object(let members): partial.arguments = JSONValue.object(members).text()
        default: break
        }
        partials[index] = partial
    }

    /// The calls in their order. Arguments that are no JSON, which a model may well write, stay the string that they are.
    func finished() throws -> [ToolCall] {
        try partials.sorted { $0.key < $1.key }.map { index, partial in
            guard !partial.name.isEmpty else { throw AttemptFailure.malformed("a tool call has no name") }
            let isBlank = partial.arguments.allSatisfy(\.isWhitespace)
            let arguments =
                isBlank ? .object([]) : (try? JSONValue(parsing: partial.arguments)) ?? .string(partial.arguments)
            return ToolCall(
                id: partial.id.isEmpty ? "call_\(index)" : partial.id, name: partial.name, arguments: arguments)
        }
    }
}
