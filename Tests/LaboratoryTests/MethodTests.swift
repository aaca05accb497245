import Foundation
import Inference
import Laboratory
import Testing
import Text

@Suite struct MethodTests {
    private func runner(_ store: RunStore?) -> MethodRunner {
        MethodRunner(store: store, console: .silent, version: "test", loader: Lab.noLoader)
    }

    private static let questions = DataSet(
        name: "made",
        records: [
            ["question": "Capital of France?", "answer": "Paris"], ["question": "Capital of Peru?", "answer": "Lima"],
            ["question": "Two and two?", "answers": ["4", "four"]],
        ])

    private static let model = ScriptedModel(rules: [
        ("Please, Capital of France", "Paris"), ("France", "Lyon"), ("Peru", "Lima"), ("Two", "four"),
    ])

    @Test func runComparesBothArmsAndKeepsEverything() async throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(folder: folder.url)
        let report = try await runner(store).run(
            PoliteQuestion.self, options: ["max-tokens": 8], on: .init(model: Self.model, data: Self.questions, seed: 3)
        )

        guard case .comparison(let comparison) = report.blocks.first else {
            Issue.record("no comparison")
            return
        }
        #expect(comparison.difference.baseline.value == 2.0 / 3)
        #expect(comparison.difference.method.value == 1)
        let run = try #require(report.run)
        #expect(run.options["max-tokens"] == 8)
        #expect(run.options["word"] == "Please")

        let record = try await store.run(run.id)
        #expect(record.status == .finished)
        #expect(record.dataHash == Self.questions.contentHash)
        #expect(try await store.samples(of: run.id).count == 3)
        #expect(try await store.report(of: run.id) == report)
        #expect(
            try await store.metrics(of: run.id).contains { $0.name == "accuracy, polite" && $0.estimate.value == 1 })
    }

    @Test func requestsAreExact() async throws {
        let model = ScriptedModel(["Paris", "Paris"])
        let data = DataSet(name: "made", records: [["question": "Capital of France?", "answer": "Paris"]])
        _ = try await runner(nil).run(
            PoliteQuestion.self, options: ["place": "after", "word": "Thanks"], on: .init(model: model, data: data))
        let prompts = Set(model.requests.map(\.prompt.plainText))
        #expect(prompts == ["Capital of France?", "Capital of France? Thanks."])
        #expect(model.requests.allSatisfy { $0.stop.maxTokens == 16 })
    }

    @Test func demoDrawsAVerdict() async throws {
        let report = try await runner(nil).demo(PoliteQuestion.self, on: .init(model: ScriptedModel(["4"]), seed: 5))
        let verdict = try #require(report.verdict)
        #expect(verdict.outcome == .holds)
        #expect(verdict.seed == 5)
        #expect(verdict.json["measured"]?["answers"] == 1.0)
    }

    @Test func failureIsKeptWithItsReason() async throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(folder: folder.url)
        await #expect(throws: LabError.noData(slug: "polite-question")) {
            try await runner(store).run(PoliteQuestion.self, options: [:], on: .init(model: Self.model))
        }
        let record = try await store.run("last")
        #expect(record.status == .failed)
        #expect(record.error?.contains("--data") == true)
    }

    @Test func cancellationKeepsWhatWasDone() async throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(folder: folder.url)
        let (started, signal) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await runner(store).run(Waiting.self, options: [:], on: .init(model: WaitingModel(signal: signal)))
        }
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let record = try await store.run("last")
        #expect(record.status == .interrupted)
        #expect(try await store.samples(of: record.id).map(\.id) == ["first"])
    }

    @Test func missingCapabilityIsOneErrorBeforeAnyWork() async throws {
        let model = ScriptedModel { _, _ in
            Issue.record("the model was asked")
            return ""
        }
        let error = await #expect(throws: CapabilityError.self) {
            try await runner(nil).run(NeedsOpen.self, options: [:], on: .init(model: model))
        }
        let text = try #require(error).description
        #expect(text.contains("needs-open needs an open model"))
        #expect(text.contains("--model embedded"))
        await #expect(throws: LabError.noSubject(slug: "needs-open")) {
            try await runner(nil).run(NeedsOpen.self, options: [:], on: .init(model: nil))
        }
    }
}

/// Records one sample and then waits for a model that never answers.
private struct Waiting: Method {
    static let card = MethodCard(
        "waiting", .evaluation, name: "Waiting", [.evaluation], "Waits.", paper: Paper("None", "Nobody", 2024))
    typealias Options = NoOptions

    func run(_ options: NoOptions, in lab: Lab) async throws -> Report {
        await lab.recorder.record(SampleTrace("first", input: "in", arms: [.init("arm", "out")]))
        _ = try await lab.languageModel().complete(CompletionRequest(.text("go on")))
        return Report("never")
    }

    func demo(in lab: Lab) async throws -> Demonstration { Demonstration(Report("none"), checks: []) }
}

private struct WaitingModel: LanguageModel {
    let signal: AsyncStream<Void>.Continuation
    let identity = ModelIdentity(reference: "waiting", name: "waiting", fingerprint: "", contextLength: nil)
    let capabilities: Capabilities = .completion

    func complete(_ request: CompletionRequest) async throws -> Completion {
        signal.yield()
        try await Task.sleep(for: .seconds(60))
        return Completion(text: "late", finish: .endOfText)
    }

    func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
}

private struct NeedsOpen: Method {
    static let card = MethodCard(
        "needs-open", .decoding, name: "Needs open", [.inference], "Looks inside.",
        paper: Paper("None", "Nobody", 2024),
        needs: [.completion, .open])
    typealias Options = NoOptions
    func run(_ options: NoOptions, in lab: Lab) async throws -> Report {
        _ = try lab.openModel()
        return Report("opened")
    }
    func demo(in lab: Lab) async throws -> Demonstration { Demonstration(Report("none"), checks: []) }
}
