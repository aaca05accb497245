import Inference
import Remote
import Testing
import Text

@Suite struct ConcurrencyTests {
    @Test func asksNoMoreAtOnceThanAllowed() async throws {
        let server = try MockServer([.pause(.milliseconds(20))] + .json(chatAnswer("ok")))
        defer { server.stop() }
        let remote = try model(at: server) { $0.concurrency = 3 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try await remote.complete(hello) } }
            try await group.waitForAll()
        }
        #expect(server.requests.count == 20)
        #expect(server.mostActive == 3)
    }

    @Test func aCancelledRequestFreesItsPlace() async throws {
        let server = try MockServer { _, request in
            request.json["messages"]?[0]?["content"] == "hang" ? [.hang] : .json(chatAnswer("ok"))
        }
        defer { server.stop() }
        let remote = try model(at: server) { $0.concurrency = 1 }
        let hanging = Task { try await remote.complete(ask("hang")) }
        #expect(await eventually { server.requests.count == 1 })
        let waiting = Task { try await remote.complete(ask("waits and is cancelled")) }
        let served = Task { try await remote.complete(ask("waits and is served")) }
        try await Task.sleep(for: .milliseconds(30))
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        #expect(server.requests.count == 1)
        hanging.cancel()
        await #expect(throws: CancellationError.self) { _ = try await hanging.value }
        #expect(try await served.value.text == "ok")
        #expect(server.requests.count == 2)
        #expect(await eventually { server.clientsGone == 1 })
        #expect(remote.account.ledger.cancelled == 2)
    }

    @Test func cancellingEndsTheWaitForARetry() async throws {
        let server = try MockServer(.answer(429, ["Retry-After": "60"], "later"))
        defer { server.stop() }
        let remote = try model(at: server) { $0.timeouts.total = .seconds(600) }
        let task = Task { try await remote.complete(hello) }
        #expect(await eventually { remote.account.ledger.retries == 1 })
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(server.requests.count == 1)
    }

    @Test func losesNothing() async throws {
        // Every answer repeats its question; every third request fails in one of three ways.
        let server = try MockServer { index, request in
            guard let question = request.json["messages"]?[0]?["content"]?.stringValue else { return [.close] }
            if index % 9 == 1 { return .answer(500, [:], "boom") }
            if index % 9 == 4 { return [.close] }
            if index % 9 == 7 { return .answer(429, ["Retry-After": "0"], "slow") }
            return request.json["stream"] == true
                ? .stream(chatStream(["<", question, ">"])) : .json(chatAnswer("<\(question)>"))
        }
        defer { server.stop() }
        let remote = try model(at: server) { endpoint in
            endpoint.concurrency = 16
            endpoint.retries.maxRetries = 12
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<300 {
                group.addTask {
                    let request = ask("question \(index)")
                    let text =
                        index % 2 == 0
                        ? try await remote.complete(request).text
                        : try await collect(remote.stream(request)).completion?.text
                    #expect(text == "<question \(index)>")
                }
            }
            try await group.waitForAll()
        }
        let ledger = remote.account.ledger
        #expect(ledger.calls == 300)
        #expect(ledger.failures == 0)
        #expect(ledger.retries >= 100)
        #expect(ledger.requests == 300 + ledger.retries)
        // A connection that died between two requests may be noticed only after sending.
        #expect(server.requests.count <= ledger.requests)
        #expect(ledger.usage.promptTokens == 2100)
    }
}
