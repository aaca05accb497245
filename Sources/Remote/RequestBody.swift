import Inference
import Text

/// A request as the endpoint gets it.
struct EncodedRequest: Sendable {
    /// `chat/completions` or `completions`.
    var operation: String
    var body: JSONValue
    /// Whether asking twice must give the same answer: greedy, or with a seed.
    var isRepeatable: Bool
    /// llama-server repeats the assistant's beginning in a whole answer, but not in a stream.
    var mustStream = false

    /// The body with streaming switched on.
    var streamingBody: JSONValue {
        guard case .object(var members) = body else { return body }
        if !members.contains(where: { $0.key == "stream" }) { members.append(.init("stream", true)) }
        if !members.contains(where: { $0.key == "stream_options" }) {
            members.append(.init("stream_options", ["include_usage": true]))
        }
        return .object(members)
    }
}

/// Turns requests into the bodies of one endpoint's dialect, and refuses what the dialect can't express.
struct RequestEncoder: Sendable {
    let endpoint: RemoteEndpoint
    private let dialect: Dialect
    private let traits: DialectTraits

    init(_ endpoint: RemoteEndpoint) {
        self.endpoint = endpoint
        dialect = endpoint.dialect.resolved(for: endpoint.url)
        traits = endpoint.traits
    }

    /// - Throws: ``RemoteError`` of the kind `unsupported`.
    func encode(_ request: CompletionRequest) throws -> EncodedRequest {
        guard request.interventions.isEmpty else {
            throw unsupported("interventions", "They need an open model, such as 'embedded' or a local file.")
        }
        guard request.stop.maxTokens >= 1 else {
            throw unsupported("a maximum of \(request.stop.maxTokens) tokens", "At least 1 is needed.")
        }
        var body = Body()
        body["model"] = .string(endpoint.name)
        let isChat = try encode(request.prompt, into: &body)
        try encode(request.sampling, into: &body)
        try encode(request.stop, isChat: isChat, into: &body)
        if let constraint = request.constraint { try encode(constraint, isChat: isChat, into: &body) }
        if let count = request.topLogProbs { try encodeLogProbs(count, isChat: isChat, into: &body) }
        if let adapter = request.adapter { try encode(adapter: adapter, into: &body) }
        if dialect == .vllm || dialect == .sglang { body["return_token_ids"] = true }
        return EncodedRequest(
            operation: isChat ? "chat/completions" : "completions", body: body.finished(with: endpoint.extraBody),
            isRepeatable: request.sampling.temperature == 0 || request.sampling.seed != nil,
            mustStream: dialect == .llamaServer && body["continue_final_message"] != nil)
    }

    private func encode(_ prompt: Prompt, into body: inout Body) throws -> Bool {
        switch prompt {
        case .tokens:
            throw unsupported("a prompt of token ids", "Give the text, or use a local model.")
        case .text(let text, _):
            body["prompt"] = .string(text)
            return false
        case .chat(let messages, let tools):
            guard !messages.isEmpty else { throw unsupported("an empty conversation", "Give at least one message.") }
            body["messages"] = .array(messages.map(encode))
            if !tools.isEmpty { body["tools"] = .array(tools.map(\.json)) }
            if messages.last?.role == .assistant {
                guard traits.continuesAssistant else {
                    throw unsupported(
                        "the continuation of the assistant's own message",
                        "The dialects vllm, sglang and llama-server have it; or ask for raw text.")
                }
                body["add_generation_prompt"] = false
                body["continue_final_message"] = true
            }
            return true
        }
    }

    private func encode(_ message: ChatMessage) -> JSONValue {
        var encoded = Body()
        encoded["role"] = .string(message.role.name)
        encoded["content"] = message.content.isEmpty && !message.toolCalls.isEmpty ? .null : .string(message.content)
        if !message.toolCalls.isEmpty {
            encoded["tool_calls"] = .array(
                message.toolCalls.map { call in
                    [
                        "id": .string(call.id), "type": "function",
                        "function": ["name": .string(call.name), "arguments": .string(call.arguments.text())],
                    ]
                })
        }
        if let id = message.toolCallID { encoded["tool_call_id"] = .string(id) }
        if let name = message.name { encoded["name"] = .string(name) }
        return encoded.value
    }

    private func encode(_ sampling: Sampling, into body: inout Body) throws {
        let numbers = [
            ("temperature", sampling.temperature), ("topP", sampling.topP), ("minP", sampling.minP),
            ("typicalP", sampling.typicalP), ("repetitionPenalty", sampling.repetitionPenalty),
            ("presencePenalty", sampling.presencePenalty), ("frequencyPenalty", sampling.frequencyPenalty),
        ]
        for (name, value) in numbers where !value.isFinite {
            throw unsupported("\(name) = \(value)", "A finite number is needed.")
        }
        body["temperature"] = .number(sampling.temperature)
        let statesNeutral = traits.statesNeutralValues
        if sampling.topP != 1 || statesNeutral || dialect == .ollama { body["top_p"] = .number(sampling.topP) }
        if let (field, off) = traits.topK {
            body[field] = .integer(sampling.topK > 0 ? sampling.topK : off)
        } else if sampling.topK > 0 {
            throw unsupported("top-k sampling", "The dialects vllm, sglang and llama-server have it.")
        }
        try set(
            traits.minP, sampling.minP, neutral: 0, "min-p sampling", "vllm, sglang and llama-server", into: &body)
        try set(traits.typicalP, sampling.typicalP, neutral: 1, "typical sampling", "llama-server", into: &body)
        try set(
            traits.repetitionPenalty, sampling.repetitionPenalty, neutral: 1, "a repetition penalty",
            "vllm, sglang and llama-server", into: &body)
        if sampling.presencePenalty != 0 || statesNeutral {
            body["presence_penalty"] = .number(sampling.presencePenalty)
        }
        if sampling.frequencyPenalty != 0 || statesNeutral {
            body["frequency_penalty"] = .number(sampling.frequencyPenalty)
        }
        let isPenalised =
            sampling.repetitionPenalty != 1 || sampling.presencePenalty != 0 || sampling.frequencyPenalty != 0
        // llama-server's penalties look at the last 64 tokens only unless told otherwise; not all versions know -1 for all.
        if dialect == .llamaServer, isPenalised {
            body["repeat_last_n"] = .integer(endpoint.contextLength ?? 32768)
        }
        if !sampling.logitBias.isEmpty {
            guard traits.hasLogitBias else { throw unsupported("a logit bias", "Every other dialect has it.") }
            guard !sampling.logitBias.values.contains(where: \.isNaN) else {
                throw unsupported("a logit bias that is no number", "Biases from -100 to 100 are sent.")
            }
            let biases = sampling.logitBias.sorted { $0.key < $1.key }.map { id, bias in
                JSONValue.Member("\(id)", .number(Double(min(max(bias, -100), 100))))
            }
            body["logit_bias"] = .object(biases)
        }
        if let seed = sampling.seed { body["seed"] = .integer(Self.wireSeed(seed)) }
    }

    /// A seed that every server takes: some keep only 31 bits. Small seeds stay what they are.
    static func wireSeed(_ seed: UInt64) -> Int {
        seed <= 0x7FFF_FFFF ? Int(seed) : Int((seed ^ seed >> 31 ^ seed >> 62) & 0x7FFF_FFFF)
    }

    private func set(
        _ field: String?, _ value: Double, neutral: Double, _ feature: String, _ dialects: String,
        into body: inout Body
    ) throws {
        if let field {
            if value != neutral || traits.statesNeutralValues { body[field] = .number(value) }
        } else if value != neutral {
            throw unsupported(feature, "The dialects with it: \(dialects).")
        }
    }

    private func encode(_ stop: StopRule, isChat: Bool, into body: inout Body) throws {
        // OpenAI's reasoning models refuse max_tokens, other services don't know its successor.
        let isOpenAI = endpoint.url.host == "api.openai.com" || endpoint.url.host.hasSuffix(".openai.azure.com")
        body[isChat && isOpenAI ? "max_completion_tokens" : "max_tokens"] = .integer(stop.maxTokens)
        if !stop.strings.isEmpty { body["stop"] = .array(stop.strings.map { .string($0) }) }
        if !stop.tokens.isEmpty {
            guard traits.hasStopTokens else {
                throw unsupported("stop tokens", "Use stop strings, or the dialect vllm or sglang.")
            }
            body["stop_token_ids"] = .array(stop.tokens.sorted().map { .integer(Int($0)) })
        }
        if stop.ignoresEndOfText {
            guard traits.hasIgnoreEndOfText else {
                throw unsupported(
                    "generation beyond the end of text", "The dialects vllm, sglang and llama-server have it.")
            }
            body["ignore_eos"] = true
        }
    }

    private func encodeLogProbs(_ count: Int, isChat: Bool, into body: inout Body) throws {
        guard (0...100).contains(count) else {
            throw unsupported(
                "\(count) log-probabilities a position", "0 to 100 can be asked for; many servers give 20.")
        }
        // llama-server takes 0 for "none at all", so the one too many is dropped on reading.
        let asked = dialect == .llamaServer ? max(count, 1) : count
        if isChat {
            body["logprobs"] = true
            body["top_logprobs"] = .integer(asked)
        } else {
            body["logprobs"] = .integer(asked)
        }
    }

    private func encode(adapter: String, into body: inout Body) throws {
        switch traits.adapters {
        case .modelName: body["model"] = .string(adapter)
        case .loraPath: body["lora_path"] = .string(adapter)
        case nil:
            throw unsupported(
                "the adapter '\(Excerpt.of(adapter, limit: 100))'",
                "The dialects vllm and sglang have adapters; elsewhere an adapter is a model of its own name.")
        }
    }

    func unsupported(_ feature: String, _ advice: String) -> RemoteError {
        RemoteError(
            .unsupported(
                "The model \(endpoint.name) at \(endpoint.url) (dialect \(dialect.rawValue)) can't be asked for "
                    + "\(feature). \(advice)"))
    }
}

/// Members of a JSON object in the order of their setting.
struct Body {
    private var members: [JSONValue.Member] = []

    subscript(key: String) -> JSONValue? {
        get { members.last { $0.key == key }?.value }
        set {
            let position = members.firstIndex { $0.key == key }
            switch (position, newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil): members.remove(at: position)
            case (nil, let value?): members.append(.init(key, value))
            case (nil, nil): break
            }
        }
    }

    var value: JSONValue { .object(members) }

    /// The object with the user's own fields over it; null takes a field away.
    func finished(with extra: [JSONValue.Member]) -> JSONValue {
        var copy = self
        for member in extra { copy[member.key] = member.value == .null ? JSONValue?.none : member.value }
        return copy.value
    }
}
