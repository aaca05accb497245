import Inference
import Text

/// An answer in the form in which the cache keeps it.
protocol CacheableAnswer: Sendable {
    var cached: JSONValue { get }
    /// nil when the entry is not what it should be.
    init?(cached: JSONValue)
}

extension Completion: CacheableAnswer {
    var cached: JSONValue {
        var object = Body()
        object["text"] = .string(text)
        object["ids"] = .array(ids.map { .integer(Int($0)) })
        object["finish"] = .string(finish.rawValue)
        object["usage"] = .array(
            [usage.promptTokens, usage.cachedTokens, usage.completionTokens].map { .integer($0) })
        if let logProbs {
            object["logProbs"] = .array(logProbs.map { .array(([$0.chosen] + $0.top).map(\.cached)) })
        }
        object["toolCalls"] = .array(
            toolCalls.map { ["id": .string($0.id), "name": .string($0.name), "arguments": $0.arguments] })
        return object.value
    }

    init?(cached: JSONValue) {
        guard let text = cached["text"]?.stringValue, let ids = cached["ids"]?.arrayValue?.compactMap(\.intValue),
            let finish = cached["finish"]?.stringValue.flatMap(FinishReason.init(rawValue:)),
            let usage = cached["usage"]?.arrayValue?.compactMap(\.intValue), usage.count == 3,
            let calls = cached["toolCalls"]?.arrayValue
        else { return nil }
        self.init(
            text: text, ids: ids.compactMap(TokenID.init(exactly:)), finish: finish,
            usage: Usage(promptTokens: usage[0], cachedTokens: usage[1], completionTokens: usage[2]))
        for call in calls {
            guard let id = call["id"]?.stringValue, let name = call["name"]?.stringValue,
                let arguments = call["arguments"]
            else { return nil }
            toolCalls.append(ToolCall(id: id, name: name, arguments: arguments))
        }
        guard let positions = cached["logProbs"] else { return }
        guard let positions = positions.arrayValue else { return nil }
        var logProbs: [PositionLogProbs] = []
        for position in positions {
            let tokens = position.arrayValue?.compactMap(TokenLogProb.init(cached:)) ?? []
            guard let chosen = tokens.first, tokens.count == position.arrayValue?.count else { return nil }
            logProbs.append(PositionLogProbs(chosen: chosen, top: Array(tokens.dropFirst())))
        }
        self.logProbs = logProbs
    }
}

extension TokenLogProb {
    fileprivate var cached: JSONValue { [.integer(Int(id)), .string(text), .number(Double(logProb))] }

    fileprivate init?(cached: JSONValue) {
        guard let id = cached[0]?.intValue.flatMap(TokenID.init(exactly:)), let text = cached[1]?.stringValue,
            let logProb = cached[2]
        else { return nil }
        // Minus infinity is written as null.
        self.init(id: id, text: text, logProb: logProb.doubleValue.map { Float($0) } ?? -.infinity)
    }
}
