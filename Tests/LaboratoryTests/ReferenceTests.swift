import Foundation
import Inference
import Laboratory
import Testing
import Text

@Suite struct ModelReferenceTests {
    @Test func formsAreRead() throws {
        #expect(try ModelReference("embedded") == .embedded)
        #expect(try ModelReference("models/a.gguf") == .file("models/a.gguf"))
        #expect(
            try ModelReference("openai:org/name@v2@http://localhost:8000/v1")
                == .openAI(name: "org/name@v2", url: "http://localhost:8000/v1"))
        #expect(try ModelReference("ollama:llama3.2:1b") == .ollama(name: "llama3.2:1b"))
        #expect(try ModelReference("minilm") == .packaged(.minilm))
        #expect(try ModelReference("./minilm") == .file("./minilm"))
        for text in ["embedded", "gemma3-270m", "a b.gguf", "openai:n@https://h/v1", "ollama:n"] {
            #expect(try ModelReference(text).description == text)
        }
    }

    @Test(arguments: [
        "", "  ", "openai:name", "openai:@http://x", "openai:n@localhost:8000", "openai:n@http://", "ollama:",
    ])
    func faultsSayWhatWouldBeRight(text: String) {
        let error = #expect(throws: ModelReferenceError.self) { try ModelReference(text) }
        #expect((error?.description.count ?? 0) > 30)
    }

    @Test func missingFilesSayWhatToType() throws {
        let error = #expect(throws: ModelReferenceError.self) { try ModelReference("nowhere.gguf").localPath() }
        #expect(error?.description.contains("Hugging Face folder") == true)
        #expect(error?.description.contains("gemma3-270m") == true)
    }
}

@Suite struct ScriptedModelTests {
    @Test func streamsWhatItCompletes() async throws {
        let model = ScriptedModel(["Grüße 👋"])
        var text = ""
        var last: Completion?
        for try await event in model.stream(CompletionRequest(.text("hello"))) {
            switch event {
            case .text(let piece): text += piece
            case .done(let completion): last = completion
            }
        }
        #expect(text == "Grüße 👋")
        #expect(last?.text == text)
        #expect(model.requests.count == 1)
    }

    @Test func anExhaustedScriptIsAnError() async {
        let model = ScriptedModel(["one"])
        _ = try? await model.complete(CompletionRequest(.text("a")))
        await #expect(throws: ScriptError.exhausted(replies: 1)) {
            try await model.complete(CompletionRequest(.text("b")))
        }
        await #expect(throws: ScriptError.noRule(prompt: "b")) {
            try await ScriptedModel(rules: [("a", "x")]).complete(CompletionRequest(.text("b")))
        }
    }
}

@Suite struct LabTests {
    @Test func forEachKeepsTheOrderAndItsBound() async throws {
        let lab = Lab(slug: "m", subject: nil)
        let inFlight = InFlight()
        let results = try await lab.forEach("work", Array(0..<100), inFlight: 7) { item in
            await inFlight.enter()
            try await Task.sleep(for: .microseconds((item * 37) % 900))
            await inFlight.leave()
            return item * item
        }
        #expect(results == (0..<100).map { $0 * $0 })
        #expect(await inFlight.most <= 7)
        #expect(await inFlight.most > 1)
    }

    @Test func theFirstErrorEndsTheWork() async {
        struct Failure: Error {}
        let lab = Lab(slug: "m", subject: nil)
        await #expect(throws: Failure.self) {
            try await lab.forEach("work", Array(0..<1_000), inFlight: 4) { item in
                if item == 5 { throw Failure() }
                try await Task.sleep(for: .milliseconds(item < 5 ? 0 : 50))
                return item
            }
        }
    }

    @Test func streamsFollowTheSeed() {
        let lab = Lab(slug: "m", subject: nil, seed: 4)
        var a = lab.random("a")
        var b = lab.with(seed: 5).random("a")
        var again = lab.random("a")
        let first = a.next()
        #expect(first == again.next())
        #expect(first != b.next())
        #expect(lab.seed("x") != lab.seed("y"))
    }

    @Test func timeIsRecorded() async throws {
        let lab = Lab(slug: "m", subject: nil)
        let answer = try await lab.time("think") { 42 }
        #expect(answer == 42)
        #expect(await lab.recorder.timings.map(\.phase) == ["think"])
    }

    @Test func dataIsCutToTheLimit() throws {
        let data = DataSet(name: "d", records: [["n": 1], ["n": 2], ["n": 3]])
        #expect(try Lab(slug: "m", subject: nil, dataSet: data, limit: 2).data().count == 2)
        #expect(throws: LabError.noData(slug: "m")) { try Lab(slug: "m", subject: nil).data() }
    }
}

private actor InFlight {
    private var now = 0
    private(set) var most = 0
    func enter() {
        now += 1
        most = max(most, now)
    }
    func leave() { now -= 1 }
}
