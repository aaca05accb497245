import Inference
import Remote
import Testing
import Text

@Suite struct ScoringTests {
    /// One token a character, each with the log-probability −its position, as an echoing server tells it.
    private func echo(_ request: MockServer.Request, countsGenerated: Bool) -> [MockServer.Step] {
        let prompt = (request.json["prompt"]?.stringValue ?? "").map(String.init)
        let tokens = prompt + (countsGenerated ? ["!"] : [])
        let values = tokens.indices.map { $0 == 0 ? JSONValue.null : .number(-Double($0)) }
        return .json([
            "choices": [
                [
                    "text": .string(tokens.joined()),
                    "logprobs": [
                        "tokens": .array(tokens.map { .string($0) }), "token_logprobs": .array(values),
                        "top_logprobs": .null,
                    ],
                ]
            ],
            "usage": ["prompt_tokens": .integer(prompt.count), "completion_tokens": 1],
        ])
    }

    @Test(arguments: [true, false])
    func scoresByEcho(_ countsGenerated: Bool) async throws {
        let server = try MockServer { echo($1, countsGenerated: countsGenerated) }
        defer { server.stop() }
        let remote = try model(at: server) { $0.scoring = .echo }
        #expect(remote.capabilities.contains(.scoring))
        let score = try await remote.score(.text("abcd"))
        #expect(score == Score(ids: [], logProbs: [nil, -1, -2, -3]))
        let body = try #require(server.requests.first?.json)
        #expect(body["echo"] == true && body["max_tokens"] == 1 && body["logprobs"] == 1)
        #expect(server.requests.first?.target == "/v1/completions")

        let scores = try await remote.score(continuations: ["xy", "", "z"], after: .text("abc"))
        #expect(scores.map(\.logProbs) == [[-3, -4], [], [-3]])
        #expect(scores[0].total() == -7)
        #expect(server.requests.count == 1 + 3)
        #expect(remote.account.ledger.usage.promptTokens == 4 + 3 + 5 + 4)
    }

    /// vLLM's form: token ids are the characters' code points, two letters "ab" are one token.
    private func promptLogProbs(_ request: MockServer.Request) -> [MockServer.Step] {
        var text = request.json["prompt"]?.stringValue ?? ""
        for message in request.json["messages"]?.arrayValue ?? [] {
            text += "<\(message["role"]?.stringValue ?? "")>\(message["content"]?.stringValue ?? "")"
        }
        if request.json["messages"] != nil, request.json["continue_final_message"] == nil { text += "<assistant>" }
        let ids = text.replacing("ab", with: "\u{3B1}").unicodeScalars.map { Int($0.value) }
        let entries = ids.enumerated().map { index, id -> JSONValue in
            index == 0 ? .null : .object([.init("\(id)", ["logprob": .number(-Double(index)), "rank": 1])])
        }
        let isChat = request.json["messages"] != nil
        var choice: [JSONValue.Member] = [.init("text", "!")]
        var answer: [JSONValue.Member] = [.init("usage", ["prompt_tokens": .integer(ids.count)])]
        if isChat {
            answer.append(.init("prompt_logprobs", .array(entries)))
        } else {
            choice.append(.init("prompt_logprobs", .array(entries)))
        }
        answer.append(.init("choices", [.object(choice)]))
        return .json(.object(answer))
    }

    @Test func scoresWithVLLM() async throws {
        let server = try MockServer { promptLogProbs($1) }
        defer { server.stop() }
        let remote = try model(at: server, dialect: .vllm)
        let score = try await remote.score(.text("xyz"))
        #expect(score == Score(ids: [-1, 121, 122], logProbs: [nil, -1, -2]))
        #expect(server.requests.first?.json["prompt_logprobs"] == 0)

        // "xa" + "b" becomes x, ab: the joined token belongs to the continuation.
        let joined = try await remote.score(continuations: ["b"], after: .text("xa"))
        #expect(joined == [Score(ids: [0x3B1], logProbs: [-1])])

        let chat = try await remote.score(continuations: ["no"], after: .chat([.user("q")]))
        #expect(chat.first?.ids == [110, 111])
        #expect(server.requests.last?.json["continue_final_message"] == true)
    }

    @Test func refusesToScoreWhereItCannot() async throws {
        let server = try MockServer(.json(textAnswer("x")))
        defer { server.stop() }
        let openai = try model(at: server)
        #expect(!openai.capabilities.contains(.scoring))
        let sglang = try model(at: server, dialect: .sglang)
        let errors = [
            await remoteError { _ = try await openai.score(.text("x")) },
            await remoteError { _ = try await sglang.score(.chat([.user("x")])) },
            await remoteError { _ = try await sglang.score(.tokens([1])) },
            await remoteError { _ = try await sglang.score(continuations: ["a"], after: .tokens([1])) },
        ]
        for error in errors {
            guard case .unsupported = error?.kind else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        #expect(server.requests.isEmpty)
        // A server that ignores echo is found out.
        let error = await remoteError { _ = try await sglang.score(.text("x")) }
        #expect(error?.description.contains("can't score text") == true)
    }

    @Test func remembersScores() async throws {
        try await withTemporaryFolder { folder in
            let server = try MockServer { promptLogProbs($1) }
            defer { server.stop() }
            let remote = try model(at: server, dialect: .vllm) { $0.cacheFolder = folder }
            let first = try await remote.score(.text("xyz"))
            #expect(try await remote.score(.text("xyz")) == first)
            #expect(server.requests.count == 1)
            #expect(remote.account.ledger.cacheHits == 1)
        }
    }
}

@Suite struct DiscoveryTests {
    @Test func learnsDialectAndContext() async throws {
        let server = try MockServer { _, request in
            request.target == "/v1/models"
                ? .json(["data": [["id": "m", "owned_by": "vllm", "max_model_len": 4096]]]) : .json(chatAnswer("x"))
        }
        defer { server.stop() }
        let endpoint = RemoteEndpoint(url: try EndpointURL(server.url), name: "m")
        let remote = try await RemoteModel.connect(to: endpoint, environment: [:])
        #expect(remote.endpoint.dialect == .vllm)
        #expect(remote.identity.contextLength == 4096)
        #expect(remote.capabilities.contains(.scoring))
        #expect(server.requests.map(\.method) == ["GET"])
    }

    @Test func namesTheModelsThatAreServed() async throws {
        let server = try MockServer(.json(["data": [["id": "owl"], ["id": "hawk"]]]))
        defer { server.stop() }
        let endpoint = RemoteEndpoint(url: try EndpointURL(server.url), name: "m")
        let error = await remoteError { _ = try await RemoteModel.connect(to: endpoint, environment: [:]) }
        #expect(error?.description.contains("serves no model 'm'. It serves: owl, hawk.") == true)
    }

    @Test func trustsAnEndpointWithoutAList() async throws {
        let server = try MockServer(.answer(404, [:], "nothing here"))
        defer { server.stop() }
        let endpoint = RemoteEndpoint(url: try EndpointURL(server.url), name: "m")
        let remote = try await RemoteModel.connect(to: endpoint, environment: [:])
        #expect(remote.identity.name == "m")
    }
}
