import Inference
import Remote
import Testing

@Suite struct KeyTests {
    private let secret = "sk-verysecret-0123456789"

    @Test func findsTheKeyOfTheHostFirst() async throws {
        let server = try MockServer(.json(chatAnswer("hi")))
        defer { server.stop() }
        let all = [
            "LYCEUM_API_KEY_127_0_0_1": "host", "LYCEUM_API_KEY": "general", "OPENAI_API_KEY": "openai",
        ]
        _ = try await model(at: server, environment: all).complete(hello)
        _ = try await model(at: server, environment: all.filter { !$0.key.hasSuffix("_1") }).complete(hello)
        _ = try await model(at: server, environment: ["LYCEUM_API_KEY": "", "OPENAI_API_KEY": "openai"])
            .complete(hello)
        _ = try await model(at: server).complete(hello)
        _ = try await model(at: server, environment: all) { $0.key = .none }.complete(hello)
        let sent = server.requests.map { $0.headers["authorization"] }
        #expect(sent == ["Bearer host", "Bearer general", "Bearer openai", nil, nil])
        #expect(KeySource.variable(forHost: "api.my-host.com") == "LYCEUM_API_KEY_API_MY_HOST_COM")
    }

    @Test func neverShowsTheKey() async throws {
        let key = try APIKey(secret)
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!"\(key) \(String(reflecting: key)) \(dumped)".contains("verysecret"))

        // A server that repeats the key in its error, as some do.
        let secret = secret
        let server = try MockServer { index, _ in
            index == 0
                ? .answer(401, [:], "{\"error\":{\"message\":\"Incorrect API key: \(secret)\"}}")
                : .answer(200, [:], "<p>\(secret)</p>")
        }
        defer { server.stop() }
        let remote = try model(at: server) { $0.key = .key(key) }
        let error = await remoteError { _ = try await remote.complete(hello) }
        #expect(error?.description.contains("Incorrect API key: [key]") == true)
        #expect(!"\(String(describing: error)) \(String(reflecting: error))".contains("verysecret"))
        let unreadable = await remoteError { _ = try await remote.complete(hello) }
        #expect(unreadable?.description.contains("<p>[key]</p>") == true)
        var model = ""
        dump(remote, to: &model)
        #expect(!model.contains("verysecret"))
    }

    @Test func sendsNoKeyUnencryptedToOtherMachines() throws {
        let url = try EndpointURL("http://model.example/v1")
        var endpoint = RemoteEndpoint(url: url, name: "m", key: .key(try APIKey(secret)))
        let error = #expect(throws: RemoteError.self) { try RemoteModel(endpoint: endpoint, environment: [:]) }
        #expect(error?.description.contains("sendsKeyOverPlainHTTP") == true)
        #expect(error?.description.contains(secret) == false)
        endpoint.sendsKeyOverPlainHTTP = true
        _ = try RemoteModel(endpoint: endpoint, environment: [:])
        var withHeader = RemoteEndpoint(url: url, name: "m", key: .none)
        withHeader.headers = [("Api-Key", secret)]
        let headerError = #expect(throws: RemoteError.self) { try RemoteModel(endpoint: withHeader, environment: [:]) }
        #expect(headerError?.description.contains("header Api-Key would be sent") == true)
        #expect(headerError?.description.contains(secret) == false)
        // One that merely stands in the environment is left out instead.
        endpoint.sendsKeyOverPlainHTTP = false
        endpoint.key = .environment
        _ = try RemoteModel(endpoint: endpoint, environment: ["OPENAI_API_KEY": secret])
    }

    @Test(arguments: ["", "  ", "a b", "a\nX-Evil: 1", "ключ"])
    func refusesKeysThatNoHeaderMayHold(_ text: String) {
        #expect(throws: RemoteError.self) { try APIKey(text) }
    }

    @Test func namesTheVariableThatCannotBeUsed() throws {
        let endpoint = RemoteEndpoint(url: try EndpointURL("https://h/v1"), name: "m")
        let error = #expect(throws: RemoteError.self) {
            try RemoteModel(endpoint: endpoint, environment: ["OPENAI_API_KEY": "a\u{7}b"])
        }
        #expect(error?.description.contains("OPENAI_API_KEY") == true)
    }

    @Test func saysWhichVariableToSet() async throws {
        let server = try MockServer(.answer(401, [:], "no"))
        defer { server.stop() }
        let error = await remoteError { _ = try await model(at: server).complete(hello) }
        #expect(error?.description.contains("LYCEUM_API_KEY_127_0_0_1") == true)
    }
}
