import Inference
import Text

/// The tokens of a given text as an endpoint sees them, with their log-probabilities.
struct ScoredPrompt: CacheableAnswer, Equatable {
    /// What a token is compared by: its id where told, else its text.
    var tokens: [String]
    /// Empty where the endpoint tells none.
    var ids: [TokenID]
    var logProbs: [Float?]

    func score(from start: Int) -> Score {
        Score(ids: ids.isEmpty ? [] : Array(ids[start...]), logProbs: Array(logProbs[start...]))
    }

    init(tokens: [String], ids: [TokenID], logProbs: [Float?]) {
        self.tokens = tokens
        self.ids = ids
        self.logProbs = logProbs
    }

    var cached: JSONValue {
        [
            "tokens": .array(tokens.map { .string($0) }), "ids": .array(ids.map { .integer(Int($0)) }),
            "logProbs": .array(logProbs.map { $0.map { .number(Double($0)) } ?? .null }),
        ]
    }

    init?(cached: JSONValue) {
        guard let tokens = cached["tokens"]?.arrayValue?.compactMap(\.stringValue),
            let ids = cached["ids"]?.arrayValue?.compactMap({ $0.intValue.flatMap(TokenID.init(exactly:)) }),
            let logProbs = cached["logProbs"]?.arrayValue, logProbs.count == tokens.count,
            ids.isEmpty || ids.count == tokens.count
        else { return nil }
        self.init(tokens: tokens, ids: ids, logProbs: logProbs.map { $0.doubleValue.map { Float($0) } })
    }
}

extension RemoteModel {
    /// Scores raw text, and with vLLM conversations too. The ids are empty where the endpoint doesn't tell them; one whose first
    /// token's id isn't told has -1 there.
    public func score(_ prompt: Prompt) async throws -> Score {
        try await account.counting { try await scored(prompt).score(from: 0) }
    }

    /// Scores each continuation by two questions: the prompt alone, asked once, and the prompt with the continuation. The
    /// continuation's tokens are those after the longest common beginning of both; where the tokenizer joins the prompt's end and the
    /// continuation's beginning into one token, that token belongs to the continuation.
    public func score(continuations: [String], after prompt: Prompt) async throws -> [Score] {
        try await account.counting {
            let context = try await isEmpty(prompt) ? nil : scored(prompt)
            let scores = try await withThrowingTaskGroup(of: (Int, Score).self) { group in
                for (index, continuation) in continuations.enumerated() {
                    group.addTask {
                        guard !continuation.isEmpty else { return (index, Score(ids: [], logProbs: [])) }
                        let whole = try await scored(extended(prompt, by: continuation))
                        let common = zip(whole.tokens, context?.tokens ?? []).prefix { $0 == $1 }.count
                        return (index, whole.score(from: common))
                    }
                }
                return try await group.reduce(into: [(Int, Score)]()) { $0.append($1) }
            }
            return scores.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func isEmpty(_ prompt: Prompt) -> Bool {
        if case .text(let text, _) = prompt { text.isEmpty } else { false }
    }

    private func extended(_ prompt: Prompt, by continuation: String) throws -> Prompt {
        switch prompt {
        case .text(let text, let special): return .text(text + continuation, special: special)
        case .chat(var messages, let tools):
            if let last = messages.indices.last, messages[last].role == .assistant {
                messages[last].content += continuation
            } else {
                messages.append(.assistant(continuation))
            }
            return .chat(messages, tools: tools)
        case .tokens: throw encoder.unsupported("a score of token ids", "Give the text, or use a local model.")
        }
    }

    private func scored(_ prompt: Prompt) async throws -> ScoredPrompt {
        let scoring = endpoint.promptScoring
        guard scoring != .none else {
            throw encoder.unsupported(
                "a score of given text",
                "The dialects vllm and sglang have it, a service that echoes log-probabilities (scoring = echo), and "
                    + "local models.")
        }
        if case .chat = prompt, scoring == .echo {
            throw encoder.unsupported("a score of a conversation", "Give raw text, or use vllm or a local model.")
        }
        var request = CompletionRequest(prompt, stop: StopRule(maxTokens: 1))
        request.topLogProbs = nil
        let encoded = try encoder.encode(request)
        var body = Body(encoded.body)
        if scoring == .echo {
            body["echo"] = true
            body["logprobs"] = 1
        } else {
            body["prompt_logprobs"] = 0
        }
        let question = body.value
        return try await cached(encoded.operation, question, isRepeatable: true) {
            let (scored, usage) = try await connection.ask(encoded.operation, body: question) { answer in
                let json = try await answer.json()
                if let error = json["error"], error != .null { throw AttemptFailure(reported: error) }
                let usage = CompletionAssembler.usage(from: json["usage"] ?? .null)
                let scored =
                    scoring == .echo
                    ? try Self.echoed(json, usage: usage) : try Self.promptLogProbs(json)
                return (scored, usage)
            }
            account.record { $0.usage = $0.usage + usage }
            return scored
        }
    }

    /// Reads an echoed prompt with log-probabilities, without the token generated after it.
    private static func echoed(_ json: JSONValue, usage: Usage) throws -> ScoredPrompt {
        guard let object = json["choices"]?[0]?["logprobs"], object != .null else {
            throw AttemptFailure.malformed(
                "it has no log-probabilities of the prompt, so the endpoint can't score text")
        }
        let lists = try LogProbReader.ParallelLists(object)
        let total = lists.tokens.count
        // One token had to be generated; servers count it or leave it out when it ends the text.
        let count =
            (total - 1...total).contains(usage.promptTokens)
            ? usage.promptTokens : total - min(usage.completionTokens, 1)
        guard count >= 0, total > 0 else { throw AttemptFailure.malformed("it echoes no tokens") }
        return ScoredPrompt(
            tokens: Array(lists.tokens.prefix(count)), ids: [], logProbs: Array(lists.logProbs.prefix(count)))
    }

    /// Reads vLLM's `prompt_logprobs`: for each position null or a map from token id to its log-probability.
    private static func promptLogProbs(_ json: JSONValue) throws -> ScoredPrompt {
        let choice = json["choices"]?[0]
        guard let entries = choice?["prompt_logprobs"]?.arrayValue ?? json["prompt_logprobs"]?.arrayValue else {
            throw AttemptFailure.malformed("it has no prompt_logprobs, so the endpoint can't score text")
        }
        let told = (choice?["prompt_token_ids"]?.arrayValue ?? json["prompt_token_ids"]?.arrayValue)?.map(\.intValue)
        if let told, told.count != entries.count {
            throw AttemptFailure.malformed("prompt_token_ids and prompt_logprobs differ in length")
        }
        var scored = ScoredPrompt(tokens: [], ids: [], logProbs: [])
        for (index, entry) in entries.enumerated() {
            let known = told?[index]
            let members = entry.objectValue ?? []
            guard entry == .null || known != nil || members.count == 1 else {
                throw AttemptFailure.malformed("prompt_logprobs[\(index)] doesn't say which token the prompt has there")
            }
            let member = known.map { id in members.first { $0.key == "\(id)" } } ?? members.first
            let id = known ?? member.flatMap { Int($0.key) } ?? -1
            guard let token = TokenID(exactly: id) else {
                throw AttemptFailure.malformed("prompt_logprobs[\(index)] has the token id \(id)")
            }
            scored.ids.append(token)
            scored.tokens.append("\(token)")
            scored.logProbs.append(member?.value["logprob"]?.doubleValue.map { Float($0) })
        }
        return scored
    }
}

extension Body {
    init(_ value: JSONValue) {
        self.init()
        for member in value.objectValue ?? [] { self[member.key] = member.value }
    }
}
