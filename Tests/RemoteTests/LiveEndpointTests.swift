import Foundation
import Inference
import Remote
import Testing
import Text

/// Against a real server, named as `DIALECT MODEL URL` in LYCEUM_TEST_ENDPOINT, such as
/// `llama-server smollm2 http://127.0.0.1:8080/v1`. Without the variable they are skipped.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["LYCEUM_TEST_ENDPOINT"] != nil,
        "LYCEUM_TEST_ENDPOINT names no endpoint"),
    .serialized)
struct LiveEndpointTests {
    private func connect() async throws -> RemoteModel {
        let setting = ProcessInfo.processInfo.environment["LYCEUM_TEST_ENDPOINT"] ?? ""
        let words = setting.split(separator: " ").map(String.init)
        try #require(words.count == 3, "LYCEUM_TEST_ENDPOINT is '\(setting)', not DIALECT MODEL URL")
        let dialect = try #require(Dialect(rawValue: words[0]), "'\(words[0])' is no dialect")
        return try await RemoteModel.connect(
            to: RemoteEndpoint(url: try EndpointURL(words[2]), name: words[1], dialect: dialect))
    }

    private let question = Prompt.chat([.user("What is the capital of France?")])

    @Test func answersAndStreamsTheSame() async throws {
        let remote = try await connect()
        let request = CompletionRequest(question, stop: StopRule(maxTokens: 24))
        let whole = try await remote.complete(request)
        #expect(whole.usage.promptTokens > 5 && whole.usage.completionTokens > 1)
        let (texts, streamed) = try await collect(remote.stream(request))
        #expect(texts.count > 1)
        #expect(texts.joined() == streamed?.text)
        #expect(streamed?.text == whole.text)
        #expect(streamed?.finish == whole.finish)
        #expect(streamed?.usage.completionTokens == whole.usage.completionTokens)
    }

    @Test func continuesRawText() async throws {
        let remote = try await connect()
        let short = CompletionRequest(.text("One, two, three, four,"), stop: StopRule(maxTokens: 4))
        let completion = try await remote.complete(short)
        #expect(completion.text.contains("five"))
        #expect(completion.finish == .length)
        let (_, streamed) = try await collect(remote.stream(short))
        #expect(streamed?.text == completion.text)
    }

    @Test func tellsLogProbs() async throws {
        let remote = try await connect()
        for prompt in [question, .text("One, two, three,")] {
            for count in [0, 3] {
                let request = CompletionRequest(prompt, stop: StopRule(maxTokens: 5), topLogProbs: count)
                let completion = try await remote.complete(request)
                let positions = try #require(completion.logProbs)
                #expect(positions.count == completion.usage.completionTokens)
                #expect(positions.allSatisfy { $0.top.count == count && $0.chosen.logProb <= 0 })
                if count > 0 {
                    // Greedy: the chosen token is the most likely one.
                    #expect(positions.allSatisfy { abs($0.chosen.logProb - $0.top[0].logProb) < 1e-3 })
                }
                #expect(positions.map(\.chosen.text).joined().hasPrefix(completion.text))
                let (_, streamed) = try await collect(remote.stream(request))
                #expect(streamed?.logProbs?.map(\.chosen.text) == positions.map(\.chosen.text))
            }
        }
    }

    @Test func repeatsWithASeed() async throws {
        let remote = try await connect()
        func sample(_ seed: UInt64) async throws -> String {
            let sampling = Sampling.random(temperature: 1.5, seed: seed)
            return try await remote.complete(
                CompletionRequest(.text("The"), sampling: sampling, stop: StopRule(maxTokens: 16))
            ).text
        }
        let first = try await sample(1 << 50 | 7)
        #expect(try await sample(1 << 50 | 7) == first)
        #expect(try await sample(8) != first)
    }

    @Test func stopsAtStrings() async throws {
        let completion = try await connect().complete(
            CompletionRequest(.text("One, two, three, four,"), stop: StopRule(maxTokens: 30, strings: [" seven"])))
        #expect(completion.text.contains("six") && !completion.text.contains("seven"))
        #expect(completion.finish == .stop)
    }

    @Test func obeysConstraints() async throws {
        let remote = try await connect()
        var request = CompletionRequest(question, stop: StopRule(maxTokens: 60))
        request.constraint = .jsonSchema([
            "type": "object", "properties": ["city": ["type": "string", "maxLength": 20]], "required": ["city"],
            "additionalProperties": false,
        ])
        let completion = try await remote.complete(request)
        #expect(try JSONValue(parsing: completion.text)["city"]?.stringValue != nil)
        guard remote.endpoint.dialect != .openai, remote.endpoint.dialect != .ollama else { return }
        request.constraint = .choice(["\"Lyon\"", "Paris\nFrance"])
        #expect(["\"Lyon\"", "Paris\nFrance"].contains(try await remote.complete(request).text))
    }

    @Test func continuesTheAssistant() async throws {
        let remote = try await connect()
        guard remote.endpoint.dialect != .openai, remote.endpoint.dialect != .ollama else { return }
        let messages: [ChatMessage] = [.user("Count to ten."), .assistant("One, two, three, four,")]
        let completion = try await remote.complete(CompletionRequest(.chat(messages), stop: StopRule(maxTokens: 8)))
        #expect(completion.text.hasPrefix(" five"), "\(completion.text)")
    }

    @Test func takesEverySamplingOption() async throws {
        let remote = try await connect()
        guard remote.endpoint.dialect == .llamaServer else { return }
        var sampling = Sampling.random(temperature: 0.8, topK: 20, topP: 0.9, minP: 0.02, seed: 3)
        sampling.typicalP = 0.9
        sampling.repetitionPenalty = 1.1
        sampling.presencePenalty = 0.1
        sampling.frequencyPenalty = 0.1
        sampling.logitBias = [5: -.infinity]
        let stop = StopRule(maxTokens: 40, ignoresEndOfText: true)
        let completion = try await remote.complete(CompletionRequest(question, sampling: sampling, stop: stop))
        #expect(completion.usage.completionTokens == 40)
        #expect(completion.finish == .length)
    }

    @Test func explainsAPromptThatIsTooLong() async throws {
        let remote = try await connect()
        let text = String(repeating: "word ", count: 200_000)
        let error = await remoteError { _ = try await remote.complete(CompletionRequest(.text(text))) }
        guard case .status(400..<500, let excerpt) = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!excerpt.isEmpty)
    }

    @Test func servesManyAtOnce() async throws {
        let remote = try await connect()
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<12 {
                let prompt = Prompt.text("\(index), \(index + 1), \(index + 2),")
                group.addTask {
                    try await remote.complete(CompletionRequest(prompt, stop: StopRule(maxTokens: 4))).text
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(texts.count == 12)
        #expect(remote.account.ledger.failures == 0)
    }
}
