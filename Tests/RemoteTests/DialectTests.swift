import Inference
import Remote
import Testing
import Text

@Suite struct DialectTests {
    /// The body that a request becomes.
    private func body(
        _ request: CompletionRequest, _ dialect: Dialect, _ change: (inout RemoteEndpoint) -> Void = { _ in }
    ) async throws -> JSONValue {
        let server = try MockServer { _, request in
            .json(request.target.hasSuffix("chat/completions") ? chatAnswer("{}") : textAnswer("{}"))
        }
        defer { server.stop() }
        _ = try await model(at: server, dialect: dialect, environment: [:], change).complete(request)
        return try #require(server.requests.first?.json)
    }

    private var everything: Sampling {
        var sampling = Sampling.random(temperature: 0.5, topK: 40, topP: 0.9, minP: 0.05, seed: 1 << 40 | 3)
        sampling.repetitionPenalty = 1.1
        sampling.presencePenalty = 0.2
        sampling.frequencyPenalty = 0.3
        sampling.logitBias = [7: -.infinity, 3: 1.5]
        return sampling
    }

    @Test func writesAllOfVLLM() async throws {
        let stop = StopRule(maxTokens: 9, strings: ["a"], tokens: [4, 2], ignoresEndOfText: true)
        var request = CompletionRequest(.text("x"), sampling: everything, stop: stop, adapter: "lora")
        request.constraint = .jsonSchema(["type": "object"])
        let body = try await body(request, .vllm)
        let seed = try #require(body["seed"]?.intValue)
        #expect((0...0x7FFF_FFFF).contains(seed))
        #expect(
            body == [
                "model": "lora", "prompt": "x", "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05,
                "repetition_penalty": 1.1, "presence_penalty": 0.2, "frequency_penalty": 0.3,
                "logit_bias": ["3": 1.5, "7": -100.0], "seed": .integer(seed), "max_tokens": 9, "stop": ["a"],
                "stop_token_ids": [2, 4], "ignore_eos": true, "guided_json": ["type": "object"],
                "structured_outputs": ["json": ["type": "object"]], "return_token_ids": true,
            ])
    }

    @Test func statesNeutralValuesWhereServersHaveTheirOwn() async throws {
        let body = try await body(hello, .llamaServer)
        #expect(body["top_k"] == 0)
        #expect(body["top_p"] == 1.0)
        #expect(body["min_p"] == 0.0)
        #expect(body["typical_p"] == 1.0)
        #expect(body["repeat_penalty"] == 1.0)
        #expect(body["repeat_last_n"] == nil)
        #expect(try await self.body(hello, .vllm)["top_k"] == -1)
        #expect(try await self.body(hello, .ollama)["top_p"] == 1.0)
    }

    @Test func writesLlamaServersOwnFields() async throws {
        var request = CompletionRequest(.text("x"), sampling: everything, topLogProbs: nil)
        request.sampling.typicalP = 0.8
        request.constraint = .choice(["y\"es", "no"])
        let server = try MockServer(.json(textAnswer("no")))
        defer { server.stop() }
        _ = try await model(at: server, dialect: .llamaServer).complete(request)
        let body = try #require(server.requests.first?.json)
        #expect(body["typical_p"] == 0.8)
        #expect(body["repeat_last_n"] == 32768)
        #expect(body["grammar"] == "root ::= \"y\\\"es\" | \"no\"")
    }

    @Test func writesConstraintsOfEachDialect() async throws {
        let schema: JSONValue = ["type": "object"]
        let format: JSONValue = [
            "type": "json_schema", "json_schema": ["name": "answer", "strict": true, "schema": schema],
        ]
        var request = hello
        request.constraint = .jsonSchema(schema)
        for dialect in [Dialect.openai, .ollama, .sglang, .llamaServer] {
            #expect(try await body(request, dialect)["response_format"] == format)
        }
        let structured = try await body(request, .vllm) { $0.vllmConstraints = .structuredOutputs }
        #expect(structured["guided_json"] == nil && structured["structured_outputs"] == ["json": schema])
        let guided = try await body(request, .vllm) { $0.vllmConstraints = .guided }
        #expect(guided["guided_json"] == schema && guided["structured_outputs"] == nil)
        request.constraint = .regex("\\{\\}")
        #expect(try await body(request, .vllm)["guided_regex"] == "\\{\\}")
        #expect(try await body(request, .sglang)["regex"] == "\\{\\}")
        request.constraint = .choice(["{}", "a.b"])
        #expect(try await body(request, .vllm)["guided_choice"] == ["{}", "a.b"])
        #expect(try await body(request, .sglang)["regex"] == "(\\{\\}|a\\.b)")
        request.prompt = .text("x")
        request.constraint = .jsonSchema(schema)
        #expect(try await body(request, .llamaServer)["json_schema"] == schema)
    }

    @Test func continuesTheAssistant() async throws {
        let request = CompletionRequest(.chat([.user("x"), .assistant("It is")]))
        let body = try await body(request, .vllm)
        #expect(body["continue_final_message"] == true)
        #expect(body["add_generation_prompt"] == false)
        // llama-server repeats the beginning unless it streams.
        let server = try MockServer(.stream(chatStream([" so"])))
        defer { server.stop() }
        #expect(try await model(at: server, dialect: .llamaServer).complete(request).text == " so")
        #expect(server.requests.first?.json["stream"] == true)
        #expect(server.requests.first?.json["continue_final_message"] == true)
    }

    @Test func namesTheLimitAsOpenAIWantsIt() throws {
        let remote = try RemoteModel(
            endpoint: RemoteEndpoint(url: try EndpointURL("https://api.openai.com/v1"), name: "m", key: .none))
        #expect(remote.endpoint.capabilities == [.completion, .rawText, .logProbs, .constraints, .tools])
    }

    struct Impossible: Sendable, CustomTestStringConvertible {
        var dialect: Dialect
        var words: String
        var change: @Sendable (inout CompletionRequest) -> Void
        var testDescription: String { "\(dialect) \(words)" }
    }

    @Test(arguments: [
        Impossible(dialect: .vllm, words: "interventions") { $0.interventions = [.ablateHeads([Head(0, 0)])] },
        Impossible(dialect: .vllm, words: "token ids") { $0.prompt = .tokens([1, 2]) },
        Impossible(dialect: .openai, words: "adapter") { $0.adapter = "a" },
        Impossible(dialect: .ollama, words: "adapter") { $0.adapter = "a" },
        Impossible(dialect: .openai, words: "regular expression") { $0.constraint = .regex("a") },
        Impossible(dialect: .llamaServer, words: "regular expression") { $0.constraint = .regex("a") },
        Impossible(dialect: .ollama, words: "choice list") { $0.constraint = .choice(["a"]) },
        Impossible(dialect: .vllm, words: "choice among nothing") { $0.constraint = .choice([]) },
        Impossible(dialect: .openai, words: "constraint on raw text") {
            $0.prompt = .text("x")
            $0.constraint = .jsonSchema(["type": "object"])
        },
        Impossible(dialect: .openai, words: "top-k") { $0.sampling.topK = 3 },
        Impossible(dialect: .ollama, words: "min-p") { $0.sampling.minP = 0.1 },
        Impossible(dialect: .vllm, words: "typical") { $0.sampling.typicalP = 0.5 },
        Impossible(dialect: .openai, words: "repetition penalty") { $0.sampling.repetitionPenalty = 1.2 },
        Impossible(dialect: .ollama, words: "logit bias") { $0.sampling.logitBias = [1: 1] },
        Impossible(dialect: .vllm, words: "no number") { $0.sampling.logitBias = [1: .nan] },
        Impossible(dialect: .vllm, words: "finite") { $0.sampling.temperature = .infinity },
        Impossible(dialect: .openai, words: "stop tokens") { $0.stop.tokens = [1] },
        Impossible(dialect: .openai, words: "end of text") { $0.stop.ignoresEndOfText = true },
        Impossible(dialect: .openai, words: "assistant") { $0.prompt = .chat([.user("x"), .assistant("y")]) },
        Impossible(dialect: .openai, words: "empty conversation") { $0.prompt = .chat([]) },
        Impossible(dialect: .openai, words: "0 tokens") { $0.stop.maxTokens = 0 },
        Impossible(dialect: .openai, words: "log-probabilities") { $0.topLogProbs = 1000 },
    ])
    func refusesBeforeAnythingIsSent(_ impossible: Impossible) async throws {
        let server = try MockServer(.json(chatAnswer("x")))
        defer { server.stop() }
        var request = hello
        impossible.change(&request)
        let asked = request
        let remote = try model(at: server, dialect: impossible.dialect)
        for streaming in [false, true] {
            let error = await remoteError {
                if streaming {
                    _ = try await collect(remote.stream(asked))
                } else {
                    _ = try await remote.complete(asked)
                }
            }
            guard case .unsupported(let sentence) = error?.kind else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(sentence.contains(impossible.words))
            #expect(sentence.contains(server.url))
        }
        #expect(server.requests.isEmpty)
        #expect(remote.account.ledger.requests == 0)
        #expect(remote.account.ledger.failures == 2)
    }
}
