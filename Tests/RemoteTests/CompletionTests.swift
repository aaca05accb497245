import Inference
import Remote
import Testing
import Text

@Suite struct CompletionTests {
    @Test func completesAConversation() async throws {
        let server = try MockServer(.json(chatAnswer("Hi 🦉")))
        defer { server.stop() }
        let remote = try model(at: server)
        let completion = try await remote.complete(hello)
        #expect(completion.text == "Hi 🦉")
        #expect(completion.finish == .endOfText)
        #expect(completion.usage == Usage(promptTokens: 7, cachedTokens: 4, completionTokens: 3))
        #expect(completion.logProbs == nil)
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/v1/chat/completions")
        #expect(request.headers["content-type"] == "application/json")
        #expect(
            request.json == [
                "model": "m", "messages": [["role": "user", "content": "Hello"]], "temperature": 0.0,
                "max_tokens": 256,
            ])
        var expected = RemoteAccount.Ledger()
        expected.calls = 1
        expected.requests = 1
        expected.usage = completion.usage
        #expect(remote.account.ledger == expected)
    }

    @Test func completesRawText() async throws {
        let server = try MockServer(.json(textAnswer(" world", finish: "length")))
        defer { server.stop() }
        let completion = try await model(at: server).complete(CompletionRequest(.text("Hello,")))
        #expect(completion.text == " world")
        #expect(completion.finish == .length)
        #expect(server.requests.first?.target == "/v1/completions")
        #expect(server.requests.first?.json["prompt"] == "Hello,")
    }

    @Test func sendsTheQueryAndExtraFieldsAndHeaders() async throws {
        let server = try MockServer(.json(chatAnswer("x")))
        defer { server.stop() }
        let remote = try model(at: server) { endpoint in
            endpoint.url = try EndpointURL(server.url + "?api-version=3")
            endpoint.headers = [("X-Team", "owls")]
            endpoint.extraBody = [.init("reasoning_effort", "low"), .init("temperature", .null)]
        }
        _ = try await remote.complete(hello)
        let request = try #require(server.requests.first)
        #expect(request.target == "/v1/chat/completions?api-version=3")
        #expect(request.headers["x-team"] == "owls")
        #expect(request.json["reasoning_effort"] == "low")
        #expect(request.json["temperature"] == nil)
    }

    @Test func readsLogProbsOfConversations() async throws {
        func token(_ text: String, _ value: Double) -> JSONValue {
            ["token": .string(text), "logprob": .number(value)]
        }
        let logProbs: JSONValue = [
            "content": [
                [
                    "token": "Hi", "logprob": -0.5, "id": 12,
                    "top_logprobs": [token("Ho", -3), token("Hi", -0.5), token("Ha", -2)],
                ]
            ]
        ]
        let server = try MockServer(.json(chatAnswer("Hi", logProbs: logProbs)))
        defer { server.stop() }
        var request = hello
        request.topLogProbs = 2
        let completion = try await model(at: server).complete(request)
        #expect(
            completion.logProbs == [
                PositionLogProbs(
                    chosen: TokenLogProb(id: 12, text: "Hi", logProb: -0.5),
                    top: [
                        TokenLogProb(id: -1, text: "Hi", logProb: -0.5), TokenLogProb(id: -1, text: "Ha", logProb: -2),
                    ])
            ])
        #expect(server.requests.first?.json["logprobs"] == true)
        #expect(server.requests.first?.json["top_logprobs"] == 2)
    }

    @Test func readsLogProbsOfRawText() async throws {
        let logProbs: JSONValue = [
            "tokens": [" a", " b"], "token_logprobs": [-1.0, -2.0],
            "top_logprobs": [[" a": -1.0, " c": -1.5], .null], "text_offset": [0, 2],
        ]
        let server = try MockServer(.json(textAnswer(" a b", logProbs: logProbs)))
        defer { server.stop() }
        let completion = try await model(at: server).complete(CompletionRequest(.text("x"), topLogProbs: 5))
        #expect(completion.logProbs?.map(\.chosen.text) == [" a", " b"])
        #expect(completion.logProbs?.map(\.chosen.logProb) == [-1, -2])
        #expect(completion.logProbs?[0].top.map(\.text) == [" a", " c"])
        #expect(completion.logProbs?[1].top == [])
        #expect(server.requests.first?.json["logprobs"] == 5)
    }

    @Test func missesLogProbsThatDidNotCome() async throws {
        let server = try MockServer(.json(chatAnswer("Hi")))
        defer { server.stop() }
        let error = await remoteError {
            _ = try await model(at: server).complete(CompletionRequest(.chat([.user("x")]), topLogProbs: 1))
        }
        #expect(error?.description.contains("lacks the log-probabilities") == true)
    }

    @Test func callsTools() async throws {
        let answer: JSONValue = [
            "choices": [
                [
                    "index": 0, "finish_reason": "stop",
                    "message": [
                        "content": .null,
                        "tool_calls": [
                            [
                                "id": "c1", "type": "function",
                                "function": ["name": "add", "arguments": "{\"a\": 1, \"b\": [2]}"],
                            ],
                            ["id": "c2", "function": ["name": "now", "arguments": ""]],
                            ["function": ["name": "odd", "arguments": "{not json"]],
                        ],
                    ],
                ]
            ]
        ]
        let server = try MockServer(.json(answer))
        defer { server.stop() }
        let tool = ToolDefinition(name: "add", summary: "Adds.", parameters: ["type": "object"])
        let call = ToolCall(id: "c0", name: "add", arguments: ["a": 1])
        let conversation: [ChatMessage] = [
            .user("1+1?"), ChatMessage(role: .assistant, content: "", toolCalls: [call]),
            ChatMessage(role: .tool, content: "2", toolCallID: "c0"),
        ]
        let completion = try await model(at: server).complete(
            CompletionRequest(.chat(conversation, tools: [tool])))
        #expect(completion.finish == .toolCalls)
        #expect(
            completion.toolCalls == [
                ToolCall(id: "c1", name: "add", arguments: ["a": 1, "b": [2]]),
                ToolCall(id: "c2", name: "now", arguments: .object([])),
                ToolCall(id: "call_2", name: "odd", arguments: "{not json"),
            ])
        let body = try #require(server.requests.first?.json)
        #expect(body["tools"] == [tool.json])
        #expect(body["messages"]?[1]?["content"] == .null)
        #expect(body["messages"]?[1]?["tool_calls"]?[0]?["function"]?["arguments"] == "{\"a\":1}")
        #expect(body["messages"]?[2] == ["role": "tool", "content": "2", "tool_call_id": "c0"])
    }

    @Test(
        arguments: [
            ("stop", ["stop_reason": "END"], FinishReason.stop), ("stop", ["stop_reason": nil], .endOfText),
            ("stop", ["matched_stop": 2], .endOfText), ("stop", ["matched_stop": 9], .stop), ("stop", [:], .stop),
            ("length", [:], .length), ("content_filter", [:], .contentFilter),
            ("eos", ["stop_reason": nil], .endOfText),
        ] as [(String, JSONValue, FinishReason)])
    func tellsWhyItEnded(_ reason: String, _ extra: JSONValue, _ expected: FinishReason) async throws {
        var choice: [JSONValue.Member] = [.init("text", "x"), .init("finish_reason", .string(reason))]
        choice += extra.objectValue ?? []
        let server = try MockServer(.json(["choices": [.object(choice)]]))
        defer { server.stop() }
        let stop = StopRule(strings: ["END"], tokens: [9])
        let completion = try await model(at: server, dialect: .vllm).complete(
            CompletionRequest(.text("a"), stop: stop))
        #expect(completion.finish == expected)
    }

    @Test func readsRefusalsAndParts() async throws {
        let server = try MockServer { index, _ in
            let message: JSONValue =
                index == 0
                ? ["content": .null, "refusal": "I won't."]
                : ["content": [["type": "text", "text": "a"], ["type": "text", "text": "b"]]]
            return .json(["choices": [["message": message, "finish_reason": "stop"]]])
        }
        defer { server.stop() }
        let remote = try model(at: server)
        let refusal = try await remote.complete(hello)
        #expect(refusal.text == "I won't.")
        #expect(refusal.finish == .contentFilter)
        #expect(try await remote.complete(hello).text == "ab")
    }

    @Test func noticesIgnoredConstraints() async throws {
        let server = try MockServer(.json(chatAnswer("maybe")))
        defer { server.stop() }
        let remote = try model(at: server, dialect: .vllm)
        for constraint in [Constraint.choice(["yes", "no"]), .jsonSchema(["type": "object"])] {
            var request = hello
            request.constraint = constraint
            let error = await remoteError { _ = try await remote.complete(request) }
            guard case .constraintIgnored = error?.kind else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        var request = hello
        request.constraint = .choice(["maybe"])
        #expect(try await remote.complete(request).text == "maybe")
    }

    @Test func takesTokenIDsWhereTold() async throws {
        let answer: JSONValue = [
            "choices": [
                [
                    "text": "ab", "finish_reason": "stop", "token_ids": [5, 6],
                    "logprobs": ["tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0], "top_logprobs": .null],
                ]
            ]
        ]
        let server = try MockServer(.json(answer))
        defer { server.stop() }
        let completion = try await model(at: server, dialect: .vllm).complete(
            CompletionRequest(.text("x"), topLogProbs: 0))
        #expect(completion.ids == [5, 6])
        #expect(completion.logProbs?.map(\.chosen.id) == [5, 6])
    }

    @Test func identifiesTheModel() throws {
        let one = try RemoteModel.openAI(name: "a", url: "http://127.0.0.1:9/v1")
        let same = try RemoteModel.openAI(name: "a", url: "http://127.0.0.1:9/v1/")
        let other = try RemoteModel.openAI(name: "b", url: "http://127.0.0.1:9/v1")
        #expect(one.identity == same.identity)
        #expect(one.identity.fingerprint != other.identity.fingerprint)
        #expect(one.identity.reference == "openai:a@http://127.0.0.1:9/v1")
        let ollama = try RemoteModel.ollama(name: "smollm2")
        #expect(ollama.identity.reference == "ollama:smollm2")
        #expect(ollama.endpoint.url.port == 11434)
    }
}
