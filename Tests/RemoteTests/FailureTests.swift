import Foundation
import Inference
import Remote
import Testing
import Text

@Suite struct FailureTests {
    @Test func repeatsUntilItSucceeds() async throws {
        let server = try MockServer { index, _ in
            switch index {
            case 0: .answer(500, [:], "boom")
            case 1: [.close]
            case 2: [.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices".utf8)), .close]
            case 3: .answer(503, [:], "{}")
            default: .json(chatAnswer("at last"))
            }
        }
        defer { server.stop() }
        let remote = try model(at: server)
        #expect(try await remote.complete(hello).text == "at last")
        #expect(server.requests.count == 5)
        #expect(remote.account.ledger.retries == 4)
        #expect(remote.account.ledger.failures == 0)
        #expect(Set(server.requests.map(\.body)).count == 1)
    }

    @Test(arguments: ["Retry-After", "retry-after-ms"])
    func waitsAsLongAsTheServerSays(_ header: String) async throws {
        let server = try MockServer { index, _ in
            index == 0
                ? .answer(429, [header: header == "Retry-After" ? "1" : "300"], "slow down")
                : .json(chatAnswer("ok"))
        }
        defer { server.stop() }
        let remote = try model(at: server)
        let clock = ContinuousClock()
        let time = try await clock.measure { _ = try await remote.complete(hello) }
        #expect(time >= .milliseconds(header == "Retry-After" ? 1000 : 300))
        // Far above on purpose: the machine may be busy.
        #expect(time < .seconds(60))
        #expect(remote.account.ledger.retries == 1)
    }

    @Test func doesNotWaitForEver() async throws {
        let server = try MockServer(.answer(429, ["Retry-After": "3600"], "tomorrow"))
        defer { server.stop() }
        let error = await remoteError { _ = try await model(at: server).complete(hello) }
        #expect(error?.kind == .retryTooFar(seconds: 3600, after: 429))
        #expect(server.requests.count == 1)
    }

    @Test func saysWhatWasTried() async throws {
        let body = "{\"error\":{\"message\":\"\(String(repeating: "no room ", count: 200))\"}}"
        let server = try MockServer(.answer(503, [:], body))
        defer { server.stop() }
        let remote = try model(at: server) { $0.retries.maxRetries = 2 }
        let error = await remoteError { _ = try await remote.complete(hello) }
        let sentence = try #require(error?.description)
        #expect(sentence.contains("\(server.url)/chat/completions (model m) answered 503 Service Unavailable"))
        #expect(sentence.contains("no room no room"))
        #expect(sentence.contains("Asked 3 times over"))
        #expect(sentence.contains("503, 503, 503"))
        #expect(sentence.count < 800)
        guard case .status(503, let excerpt) = error?.kind else {
            Issue.record("\(sentence)")
            return
        }
        #expect(excerpt.count <= 501)
        #expect(server.requests.count == 3)
    }

    @Test(arguments: [400, 401, 404, 422, 308])
    func doesNotRepeatWhatCannotHelp(_ status: Int) async throws {
        let server = try MockServer(.answer(status, ["Location": "http://127.0.0.1:1/"], "<html>no</html>"))
        defer { server.stop() }
        let error = await remoteError { _ = try await model(at: server).complete(hello) }
        #expect(error?.kind == .status(status, excerpt: "<html>no</html>"))
        #expect(server.requests.count == 1)
    }

    @Test func doesNotWaitForCredit() async throws {
        let server = try MockServer(
            .answer(429, [:], "{\"error\":{\"message\":\"no credit\",\"code\":\"insufficient_quota\"}}"))
        defer { server.stop() }
        let error = await remoteError { _ = try await model(at: server).complete(hello) }
        #expect(error?.kind == .status(429, excerpt: "no credit"))
        #expect(server.requests.count == 1)
    }

    @Test func reportsARefusedConnection() async throws {
        let server = try MockServer(.json(chatAnswer("x")))
        server.stop()
        let remote = try model(at: server) { $0.retries.maxRetries = 1 }
        let error = await remoteError { _ = try await remote.complete(hello) }
        #expect(error?.description.contains("connection refused") == true)
        #expect(error?.attempts.count == 2)
    }

    @Test(arguments: [
        "", "[]", "{}", "{\"choices\":[]}",
        "{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"?\"}]}",
        "{\"choices\":[{\"message\":{\"tool_calls\":[{}]}}]}", "<html>",
    ])
    func reportsWhatCannotBeRead(_ body: String) async throws {
        let server = try MockServer(.answer(200, ["Content-Type": "application/json"], body))
        defer { server.stop() }
        let error = await remoteError { _ = try await model(at: server).complete(hello) }
        guard case .malformed = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(server.requests.count == 1)
    }

    @Test(arguments: ["{", "{\"choices\": [{\"index\": 0, ]}", "{\"choices\":[{\"text\":\"\\ud800\"}]}"])
    func asksAgainWhereJSONIsBroken(_ body: String) async throws {
        let server = try MockServer { index, _ in index < 2 ? .answer(200, [:], body) : .json(chatAnswer("whole")) }
        defer { server.stop() }
        let remote = try model(at: server)
        #expect(try await remote.complete(hello).text == "whole")
        #expect(server.requests.count == 3 && remote.account.ledger.retries == 2)
    }

    @Test func boundsTheAnswer() async throws {
        let server = try MockServer(.json(chatAnswer(String(repeating: "x", count: 10_000))))
        defer { server.stop() }
        let remote = try model(at: server) { $0.maxResponseBytes = 4096 }
        let error = await remoteError { _ = try await remote.complete(hello) }
        #expect(error?.kind == .tooLarge(limit: 4096))
    }

    @Test func givesUpOnSilence() async throws {
        let server = try MockServer([.hang])
        defer { server.stop() }
        let remote = try model(at: server) { endpoint in
            endpoint.timeouts.connect = .milliseconds(300)
            endpoint.timeouts.firstByte = .milliseconds(200)
            endpoint.retries.maxRetries = 1
        }
        let error = await remoteError { _ = try await remote.complete(hello) }
        #expect(error?.kind == .timedOut(.firstByte))
        #expect(error?.attempts == ["timed out (firstByte)", "timed out (firstByte)"])
    }

    @Test func givesUpOnAPauseInTheMiddle() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
        let server = try MockServer([.send(Array(head.utf8)), .hang])
        defer { server.stop() }
        let remote = try model(at: server) { endpoint in
            endpoint.timeouts.betweenBytes = .milliseconds(200)
            endpoint.retries = .never
        }
        let error = await remoteError { _ = try await remote.complete(hello) }
        #expect(error?.kind == .timedOut(.betweenBytes))
    }

    @Test func boundsTheWholeCall() async throws {
        let beginning = chatStream(["a"], finish: nil, done: false)
        let steps = Array([MockServer.Step].stream(beginning, isWhole: false).dropLast())
        let drip: [MockServer.Step] = (0..<100).flatMap { _ in
            [.pause(.milliseconds(20)), .send(Array("3\r\n: \n\r\n".utf8))] as [MockServer.Step]
        }
        let server = try MockServer(steps + drip)
        defer { server.stop() }
        let remote = try model(at: server) { endpoint in
            endpoint.timeouts.total = .seconds(1)
        }
        let error = await remoteError { _ = try await collect(remote.stream(hello)) }
        #expect(error?.kind == .timedOut(.total))
    }

    @Test func rejectsSettingsThatCannotBeUsed() throws {
        let changes: [(inout RemoteEndpoint) -> Void] = [
            { $0.name = "" }, { $0.concurrency = 0 }, { $0.timeouts.total = .zero }, { $0.retries.maxRetries = -1 },
            { $0.headers = [("X", "a\r\nb")] }, { $0.headers = [("X Y", "a")] }, { $0.maxResponseBytes = 1 },
        ]
        for change in changes {
            var endpoint = RemoteEndpoint(url: try EndpointURL("http://127.0.0.1:1/v1"), name: "m")
            change(&endpoint)
            #expect(throws: RemoteError.self) { try RemoteModel(endpoint: endpoint, environment: [:]) }
        }
    }

    @Test func survivesDamagedAnswers() async throws {
        let whole = chatAnswer("Hello", logProbs: ["content": [["token": "x", "logprob": -1.0]]]).utf8()
        let stream = Array(chatStream(["Hel", "lo"]).utf8)
        let server = try MockServer { index, request in
            var mutator = ByteMutator(seed: UInt64(index))
            let isStream = request.json["stream"] == true
            let body = mutator.mutated(isStream ? stream : whole)
            return isStream ? .stream([body]) : .answer(200, ["Content-Type": "application/json"], body)
        }
        defer { server.stop() }
        let remote = try model(at: server) { $0.retries = .never }
        var failures = 0
        for index in 0..<400 {
            var request = hello
            request.topLogProbs = index % 4 < 2 ? nil : 3
            do {
                if index % 2 == 0 {
                    _ = try await remote.complete(request)
                } else {
                    _ = try await collect(remote.stream(request))
                }
            } catch {
                #expect(error is RemoteError)
                failures += 1
            }
        }
        #expect(failures > 0 && failures < 400)
        #expect(remote.account.ledger.failures == failures)
    }
}
