import Foundation
import Inference
import Remote
import Testing
import Text

@Suite struct CacheTests {
    private func entries(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
    }

    @Test func asksOnce() async throws {
        try await withTemporaryFolder { folder in
            let logProbs: JSONValue = [
                "content": [["token": "x", "logprob": -0.1, "top_logprobs": [["token": "y", "logprob": -9.5]]]]
            ]
            let server = try MockServer(.json(chatAnswer("pay once 🦉", logProbs: logProbs)))
            defer { server.stop() }
            var request = hello
            request.topLogProbs = 1
            let first = try model(at: server) { $0.cacheFolder = folder }
            let completion = try await first.complete(request)
            // Another model, another process: the same entry, also for a stream.
            let second = try model(at: server) { $0.cacheFolder = folder }
            #expect(try await second.complete(request) == completion)
            let (texts, streamed) = try await collect(second.stream(request))
            #expect(texts == ["pay once 🦉"])
            #expect(streamed == completion)
            #expect(server.requests.count == 1)
            #expect(second.account.ledger.cacheHits == 2)
            #expect(second.account.ledger.usage == Usage())
            #expect(first.account.ledger.usage == completion.usage)
            #expect(try entries(in: folder).count == 1)
        }
    }

    @Test func everyDifferenceCounts() async throws {
        try await withTemporaryFolder { folder in
            let server = try MockServer(.json(chatAnswer("x")))
            defer { server.stop() }
            let remote = try model(at: server) { $0.cacheFolder = folder }
            var warm = hello
            warm.sampling = .random(seed: 1)
            var short = hello
            short.stop.maxTokens = 3
            for request in [hello, ask("Hello!"), warm, short] { _ = try await remote.complete(request) }
            let other = try model(at: server) { endpoint in
                endpoint.cacheFolder = folder
                endpoint.name = "n"
            }
            _ = try await other.complete(hello)
            #expect(server.requests.count == 5)
            #expect(try entries(in: folder).count == 5)
        }
    }

    @Test func doesNotCacheUnseededSamples() async throws {
        try await withTemporaryFolder { folder in
            let server = try MockServer(.json(chatAnswer("x")))
            defer { server.stop() }
            let remote = try model(at: server) { $0.cacheFolder = folder }
            var request = hello
            request.sampling = .random(temperature: 1)
            _ = try await remote.complete(request)
            _ = try await remote.complete(request)
            #expect(server.requests.count == 2)
            #expect(try entries(in: folder).isEmpty)
        }
    }

    @Test(arguments: ["", "{", "[]", "{\"version\":1,\"key\":\"other\",\"answer\":{}}"])
    func replacesDamagedEntries(_ damage: String) async throws {
        try await withTemporaryFolder { folder in
            let server = try MockServer(.json(chatAnswer("good")))
            defer { server.stop() }
            let remote = try model(at: server) { $0.cacheFolder = folder }
            _ = try await remote.complete(hello)
            let path = "\(folder)/\(try #require(try entries(in: folder).first))"
            let good = try Data(contentsOf: URL(filePath: path))
            try Data(damage.utf8).write(to: URL(filePath: path))
            #expect(try await remote.complete(hello).text == "good")
            #expect(server.requests.count == 2)
            #expect(try Data(contentsOf: URL(filePath: path)) == good)
            #expect(try await remote.complete(hello).text == "good")
            #expect(server.requests.count == 2)
        }
    }

    @Test func holdsNoKeyAndKeepsToItself() async throws {
        try await withTemporaryFolder { folder in
            let server = try MockServer(.json(chatAnswer("x")))
            defer { server.stop() }
            let remote = try model(at: server, environment: ["OPENAI_API_KEY": "sk-secret"]) { $0.cacheFolder = folder }
            _ = try await remote.complete(hello)
            for entry in try entries(in: folder) {
                let text = try String(contentsOfFile: "\(folder)/\(entry)", encoding: .utf8)
                #expect(!text.contains("sk-secret"))
            }
        }
    }

    @Test func goesOnWithoutAWritableFolder() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/file"
            try Data().write(to: URL(filePath: file))
            let server = try MockServer(.json(chatAnswer("x")))
            defer { server.stop() }
            let remote = try model(at: server) { $0.cacheFolder = file }
            #expect(try await remote.complete(hello).text == "x")
            #expect(remote.account.ledger.cacheWriteFailures == 1)
        }
    }

    @Test func doesNotKeepFailures() async throws {
        try await withTemporaryFolder { folder in
            let server = try MockServer { index, _ in index == 0 ? .answer(400, [:], "no") : .json(chatAnswer("x")) }
            defer { server.stop() }
            let remote = try model(at: server) { $0.cacheFolder = folder }
            await #expect(throws: RemoteError.self) { _ = try await remote.complete(hello) }
            #expect(try await remote.complete(hello).text == "x")
        }
    }
}
