import Catalogue
import Foundation
import Inference
import Laboratory
import Remote
import Testing
import Text

private let embedded = ModelReference.embeddedFile.path

/// Every strategy of the catalogue against an endpoint, beside the same model without one.
@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: embedded),
        "the embedded model is not in the cache; make demo fetches it"), .serialized)
struct StrategiesOverTheWireTests {
    /// Short replies, and seeds that pass the wire as they are.
    private struct Bounded: LanguageModel {
        let model: any LanguageModel
        var identity: ModelIdentity { model.identity }
        /// What an endpoint has, so that both sides are asked the same way.
        var capabilities: Capabilities { [.completion, .rawText, .logProbs, .constraints, .tools] }

        private func bounded(_ request: CompletionRequest) -> CompletionRequest {
            var request = request
            request.stop.maxTokens = min(request.stop.maxTokens, 20)
            request.sampling.seed = request.sampling.seed.map { $0 & 0x7FFF_FFFF }
            return request
        }

        func complete(_ request: CompletionRequest) async throws -> Completion {
            try await model.complete(bounded(request))
        }

        func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
            model.stream(bounded(request))
        }
    }

    private static let local = Result { try LocalModel(path: embedded, reference: "embedded") }

    private static let questions = [
        Question(id: "sum", "Tom has 3 apples and buys 4 more. How many apples has he?", kind: .number, golds: ["7"]),
        Question(
            id: "sky", "What colour is the sky by day?", options: ["green", "blue", "red"], kind: .options(3),
            golds: ["B"]),
        Question(id: "fish", "Can fish breathe under water?", kind: .yesNo, golds: ["yes"]),
    ]

    /// Spelt with what the short replies of a small model leave undone, and with a corpus where one is needed.
    private static let spellings: [String: String] = [
        "sec": "sec[on-failure=zero-shot;max-retries=2]", "furepa": "furepa[corpus=CORPUS;rounds=2;samples=3]",
    ]

    @Test(.timeLimit(.minutes(10)), arguments: Catalogue.standard.strategyNames + ["jekyll-hyde:zero-shot-cot"])
    func answersAreThoseOfTheModelBehindIt(name: String) async throws {
        let local = try Self.local.get()
        let corpus = FileManager.default.temporaryDirectory.appending(path: "lyceum-corpus-\(UUID().uuidString).jsonl")
        try #"{"id": "1", "title": "Sky", "text": "The sky is blue by day because air scatters blue light."}"#
            .write(to: corpus, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: corpus) }
        let spelling = Self.spellings[name]?.replacingOccurrences(of: "CORPUS", with: corpus.path) ?? name
        let strategy = try Catalogue.standard.strategy(spelling)
        // Every seventh request goes wrong, each time in another way. Silence costs its whole time-out, so one strategy meets it once.
        let faults = EngineServer.Fault.allCases.filter { $0 != .silent }
        let server = try EngineServer.start(local) { index in
            guard index % 7 == 2 else { return nil }
            return name == "jekyll-hyde" && index == 9 ? .silent : faults[index / 7 % faults.count]
        }
        defer { server.stop() }
        try await withTemporaryFolder { folder in
            func connect() throws -> RemoteModel {
                try model(at: server, dialect: .llamaServer) { endpoint in
                    endpoint.cacheFolder = folder
                    endpoint.timeouts.firstByte = .seconds(30)
                    endpoint.concurrency = 4
                }
            }
            let remote = try connect()
            let repeated = try connect()
            // Long prompts are the same for every question.
            for question in name == "promptd" ? Array(Self.questions.prefix(1)) : Self.questions {
                let here = try await strategy.attempt(question, asking: Bounded(model: local), seed: 5)
                let there = try await strategy.attempt(question, asking: Bounded(model: remote), seed: 5)
                #expect(there.solution == here.solution)
                #expect(there.steps == here.steps)
                #expect(there.cost.calls == here.cost.calls)
                #expect(there.isRight == here.isRight)
                // A second run of the same questions is answered out of the cache.
                let again = try await strategy.attempt(question, asking: Bounded(model: repeated), seed: 5)
                #expect(again.solution == there.solution)
            }
            let ledger = remote.account.ledger
            #expect(ledger.failures == 0 && ledger.cancelled == 0 && ledger.cacheWriteFailures == 0)
            #expect(ledger.requests == ledger.calls - ledger.cacheHits + ledger.retries)
            #expect(server.requests.count == ledger.requests)
            #expect(repeated.account.ledger.requests == 0)
            #expect(repeated.account.ledger.cacheHits == repeated.account.ledger.calls)
            #expect(repeated.account.ledger.calls == ledger.calls)
            #expect(ledger.retries == (server.requests.count + 4) / 7)
        }
    }

    @Test func whatCannotBeRepairedIsCountedAndNothingElseIsLost() async throws {
        // The first question's request fails for good; the others go through.
        let server = try MockServer { _, request in
            request.json.text().contains("apples") ? .answer(400, [:], "no apples here") : .json(textAnswer(" yes."))
        }
        defer { server.stop() }
        let remote = try model(at: server, dialect: .llamaServer)
        let strategy = try Catalogue.standard.strategy("direct")
        var failed = 0
        for question in Self.questions {
            do { _ = try await strategy.attempt(question, asking: Bounded(model: remote), seed: 5) } catch {
                #expect((error as? RemoteError)?.description.contains("no apples here") == true)
                failed += 1
            }
        }
        #expect(failed == 1)
        #expect(remote.account.ledger.failures == 1 && remote.account.ledger.retries == 0)
        #expect(remote.account.ledger.calls == 3 && server.requests.count == 3)
    }
}
