import Inference
import Text

/// Reads log-probabilities in both forms that OpenAI's protocol has: a list of positions (`content`, of conversations) and
/// parallel lists (`tokens`, `token_logprobs`, `top_logprobs`, of raw text). Servers mix them, so the form decides.
///
/// Ids that an endpoint does not tell are -1.
struct LogProbReader {
    /// How many of the most likely tokens to keep at each position.
    var topCount: Int

    func positions(in object: JSONValue) throws -> [PositionLogProbs] {
        if let content = object["content"]?.arrayValue { return try content.map(position) }
        guard object["tokens"] != nil else { return [] }
        let lists = try ParallelLists(object)
        return lists.tokens.indices.map { index in
            let chosen = TokenLogProb(
                id: -1, text: lists.tokens[index], logProb: lists.logProbs[index] ?? -.infinity)
            return PositionLogProbs(chosen: chosen, top: top(lists.tops?[index].objectValue ?? []))
        }
    }

    private func position(_ entry: JSONValue) throws -> PositionLogProbs {
        let rivals = try entry["top_logprobs"]?.arrayValue?.map(token) ?? []
        return PositionLogProbs(chosen: try token(entry), top: mostLikely(rivals))
    }

    private func token(_ entry: JSONValue) throws -> TokenLogProb {
        guard let text = entry["token"]?.stringValue else {
            throw AttemptFailure.malformed("a log-probability names no token")
        }
        return TokenLogProb(
            id: entry["id"]?.intValue.flatMap(TokenID.init(exactly:)) ?? -1, text: text,
            logProb: Self.logProb(entry["logprob"]))
    }

    private func top(_ members: [JSONValue.Member]) -> [TokenLogProb] {
        mostLikely(members.map { TokenLogProb(id: -1, text: $0.key, logProb: Self.logProb($0.value)) })
    }

    private func mostLikely(_ tokens: [TokenLogProb]) -> [TokenLogProb] {
        Array(tokens.sorted { $0.logProb > $1.logProb }.prefix(topCount))
    }

    /// Minus infinity can't be spelt in JSON; servers write null for it.
    private static func logProb(_ value: JSONValue?) -> Float {
        value?.doubleValue.map { Float($0) } ?? -.infinity
    }

    /// The lists of the form for raw text, checked to be equally long.
    struct ParallelLists {
        var tokens: [String]
        /// nil where the endpoint says null, as for the first token of an echoed prompt.
        var logProbs: [Float?]
        var tops: [JSONValue]?

        init(_ object: JSONValue) throws {
            guard let tokens = object["tokens"]?.arrayValue, let values = object["token_logprobs"]?.arrayValue,
                tokens.count == values.count
            else { throw AttemptFailure.malformed("tokens and token_logprobs are not two lists of one length") }
            self.tokens = try tokens.map { token in
                guard let text = token.stringValue else {
                    throw AttemptFailure.malformed("tokens holds something else than text")
                }
                return text
            }
            logProbs = values.map { $0.doubleValue.map { Float($0) } }
            tops = object["top_logprobs"]?.arrayValue
            if let tops, tops.count != tokens.count {
                throw AttemptFailure.malformed("top_logprobs has \(tops.count) entries for \(tokens.count) tokens")
            }
        }
    }
}
