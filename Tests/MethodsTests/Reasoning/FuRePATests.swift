import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct FuRePATests {
    private let corpus = [
        Passage(id: "birth", text: "Ada Berg was born in Lund"), Passage(id: "river", text: "the Hoje crosses Lund"),
        Passage(id: "other", text: "Ada Holm was born in Bergen"),
        Passage(id: "far", title: "Oslo", text: "is a capital"),
    ]
    private let question = Question(
        id: "q", "Which river crosses the town where Ada Berg was born?", kind: .text, golds: ["the Hoje"])

    static let replies: [(text: String, reply: FurthestPrompt.Reply)] = [
        ("Thought: a b.\nPlan: who is c", .plan(thought: "a b.", query: "who is c")),
        ("thought: x answer: y", .answer(thought: "x", text: "y")),
        ("Answer: 7\nQuestion: more", .answer(thought: "", text: "7")),
        // What a model makes up behind its own query doesn't count.
        ("Thought: t Plan: p Thought: u Answer: v", .plan(thought: "t", query: "p")),
        ("Thought: only", .unreadable), ("Plan:", .unreadable), ("", .unreadable),
    ]

    @Test(arguments: replies) func repliesAreRead(text: String, reply: FurthestPrompt.Reply) {
        #expect(FurthestPrompt.read(text) == reply)
    }

    @Test func theLoopKeepsItsRules() async throws {
        #expect(try await FuRePA.rules() == 1)
    }

    private func reasoning(_ change: (inout FurthestReasoning) -> Void = { _ in }) async throws -> FurthestReasoning {
        var reasoning = FurthestReasoning(try await PassageStore(corpus))
        reasoning.choice = .first
        // The standard example is about the same person.
        reasoning.prompt.examples = ""
        reasoning.samples = 1
        reasoning.topK = 1
        change(&reasoning)
        return reasoning
    }

    @Test func roundsRetrieveUntilTheMajorityAnswers() async throws {
        let model = ScriptedModel { request, _ in
            let text = request.prompt.plainText
            guard text.contains("- Ada Berg was born in Lund") else {
                return "Thought: n\nPlan: where was Ada Berg born"
            }
            return text.contains("- the Hoje crosses")
                ? "Thought: both\nAnswer: Hoje" : "Thought: Lund\nPlan: what crosses Lund the Hoje"
        }
        let inquiry = Inquiry(question, asking: model, seed: 1)
        let trace = try await reasoning().reason(inquiry)
        #expect(trace.stop == "majority" && trace.answer == "Hoje" && trace.calls == 3)
        #expect(trace.rounds.map(\.new) == [["birth"], ["river"], []])
        #expect(trace.rounds.map(\.documents) == [[], ["birth"], ["birth", "river"]])
        let attempt = try await reasoning().attempt(question, asking: model, seed: 1)
        #expect(attempt.isRight)
        // The question stands in the prompt, no query does.
        #expect(!model.requests.contains { $0.prompt.plainText.contains("Plan: where was Ada Berg born") })
    }

    @Test func visibleHistoryIsInThePrompt() async throws {
        let model = ScriptedModel { _, index in
            index == 0 ? "Thought: t1\nPlan: where was Ada Berg born" : "Thought: t2\nAnswer: x"
        }
        let reasoning = try await reasoning { $0.masksHistory = false }
        _ = try await reasoning.reason(Inquiry(question, asking: model, seed: 1))
        #expect(model.requests[1].prompt.plainText.contains("Thought: t1\nPlan: where was Ada Berg born\nQuestion:"))
    }

    @Test func tiesGoOnAndTheLastRoundAnswers() async throws {
        // Two of four answer each round: no majority; the last round takes what there is.
        let model = ScriptedModel { request, index in
            index % 2 == 0 ? "Thought: a\nAnswer: The Hoje." : "Thought: p\nPlan: Lund \(index) Hoje Berg Oslo capital"
        }
        var reasoning = try await reasoning {
            $0.samples = 4
            $0.rounds = 2
            $0.topK = 2
        }
        let trace = try await reasoning.reason(Inquiry(question, asking: model, seed: 1))
        #expect(trace.rounds.count == 2 && trace.stop == "forced" && trace.calls == 8)
        #expect(AnswerMatch.normalized(trace.answer) == "hoje")
        reasoning.voteShare = 0.4
        let early = try await reasoning.reason(Inquiry(question, asking: model, seed: 1))
        #expect(early.rounds.count == 1 && early.stop == "majority")
    }

    @Test func executedPlansAreLeftOutAndNothingLeftForcesAnAnswer() async throws {
        let model = ScriptedModel { request, _ in
            request.prompt.plainText.contains("no more searching")
                ? "Thought: guess\nAnswer: Hoje" : "Thought: n\nPlan: The Ada Berg, born?"
        }
        let trace = try await reasoning().reason(Inquiry(question, asking: model, seed: 1))
        #expect(trace.stop == "no plan left" && trace.answer == "Hoje" && trace.calls == 3)
        #expect(trace.rounds.map(\.chosen) == ["The Ada Berg, born?", nil])
    }

    /// Prefers plans with a word.
    private struct WordAssessor: PlanAssessor {
        let word: String
        func scores(_ question: String, facts: [String], plans: [String]) async throws -> [Double] {
            plans.map { $0.contains(word) ? 1 : 0 }
        }
    }

    @Test func choicesDiffer() async throws {
        let model = ScriptedModel { request, index in
            request.prompt.plainText.contains("no more")
                ? "Answer: x" : "Plan: " + ["Bergen Holm", "Oslo capital", "Berg Lund born"][index % 3]
        }
        func chosen(_ choice: PlanChoice) async throws -> String? {
            let reasoning = try await reasoning {
                $0.samples = 3
                $0.rounds = 2
                $0.choice = choice
                $0.assessor = WordAssessor(word: "Oslo")
                $0.supports = ["q": ["birth", "river"]]
            }
            return try await reasoning.reason(Inquiry(question, asking: model, seed: 1)).rounds.first?.chosen
        }
        #expect(try await chosen(.assessor) == "Oslo capital")
        #expect(try await chosen(.oracle) == "Berg Lund born")
        var bare = try await reasoning { $0.choice = .assessor }
        bare.assessor = nil
        await #expect(throws: FuRePAError.noAssessor) {
            _ = try await bare.reason(Inquiry(question, asking: model, seed: 1))
        }
    }

    @Test func thePoolKeepsItsBudgetAndDropsTheLowest() throws {
        func found(_ id: String, _ words: Int, _ score: Double) -> PassageStore.Found {
            PassageStore.Found(
                passage: Passage(id: id, text: Array(repeating: "w", count: words).joined(separator: " ")), score: score
            )
        }
        var pool = DocumentPool(budget: 10)
        #expect(try pool.add([found("a", 4, 2), found("b", 4, 1)]) == ["a", "b"])
        #expect(try pool.add([found("c", 4, 3), found("a", 4, 9)]) == ["c"])
        #expect(pool.ids == ["a", "c"])
        #expect(try pool.add([found("d", 4, 0)]) == [])
        #expect(throws: FuRePAError.documentTooLong("e", words: 11, budget: 10)) {
            _ = try pool.add([found("e", 11, 5)])
        }
    }

    @Test func gainsCountNewSupportsAlone() async throws {
        let store = try await PassageStore(corpus)
        let gain = { (plan: String, known: Set<String>) in
            try await AssessedState.gain(of: plan, supports: ["birth", "river"], known: known, in: store, topK: 2)
        }
        #expect(try await gain("Berg born Lund Hoje crosses", []) == 2)
        #expect(try await gain("Berg born Lund Hoje crosses", ["river"]) == 1)
        #expect(try await gain("Oslo capital", []) == 0)
        await #expect(throws: FuRePAError.emptyCorpus) { _ = try await PassageStore([]) }
        await #expect(throws: RetrievalError.noVectors) { _ = try await PassageStore(corpus, mode: .dense) }
    }

    @Test func qualityIsCountedWithinStates() async throws {
        let states = [
            AssessedState(question: "q", facts: [], plans: ["a", "good b"], gains: [0, 1]),
            AssessedState(question: "q", facts: [], plans: ["good a", "b"], gains: [0, 2]),
            AssessedState(question: "q", facts: [], plans: ["a"], gains: [0]),
        ]
        let quality = try await AssessorQuality(WordAssessor(word: "good"), on: states)
        #expect(abs(quality.assessor - 1.0 / 3) < 1e-12 && abs(quality.oracle - 2.0 / 3) < 1e-12)
        #expect(abs(quality.random - 1.0 / 3) < 1e-12 && quality.first == 0 && quality.auc == 0.5)
    }

    @Test func runsGoOnFromTheirTraces() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("furepa-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let corpusFile = folder.appendingPathComponent("corpus.jsonl")
        try Data(corpus.map { "{\"id\": \"\($0.id)\", \"text\": \"\($0.text)\"}\n" }.joined().utf8).write(
            to: corpusFile)
        let model = ScriptedModel { request, _ in
            request.prompt.plainText.contains("- Ada Berg")
                ? "Thought: t\nAnswer: the Hoje" : "Thought: n\nPlan: where was Ada Berg born"
        }
        let data = DataSet(
            name: "questions",
            records: [
                [
                    "id": "q", "question": .string(question.text), "answer": "the Hoje",
                    "supports": ["birth", "river"],
                ]
            ])
        let lab = Lab(slug: "furepa", subject: model, dataSet: data, outputFolder: folder)
        let options = try FuRePA.Options {
            $0.corpus = Path(corpusFile.path)
            $0.choice = .oracle
            $0.samples = 1
            $0.arms = [.oneShot]
            $0.traces = Path(folder.appendingPathComponent("traces.jsonl").path)
        }
        let first = try await FuRePA().run(options, in: lab)
        let calls = model.requests.count
        #expect(calls > 0)
        let again = try await FuRePA().run(options, in: lab)
        #expect(model.requests.count == calls && again.blocks == first.blocks)
        #expect(first.metrics.contains { $0.name == "exact match, furepa" && $0.estimate.value == 1 })
        await #expect(throws: FuRePAError.noCorpus) { _ = try await FuRePA().run(.init(), in: lab) }
    }

    /// A tiny assessor learns which of two words is useful, and its file is a model like any other.
    @Test(.timeLimit(.minutes(2))) func anAssessorLearns() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("furepa-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = Lab(slug: "furepa", subject: nil, outputFolder: folder)
        let states = (0..<64).map { index in
            AssessedState(
                question: "q\(index % 4)", facts: ["f"], plans: index % 2 == 0 ? ["good", "bad"] : ["bad", "good"],
                gains: index % 2 == 0 ? [1, 0] : [0, 1])
        }
        for loss in AssessorLoss.allCases {
            let trained = try await LabelTokenAssessor.train(
                "tiny \(loss.rawValue)", on: states, loss: loss, epochs: 10, layers: 1, hiddenSize: 32, in: lab)
            let quality = try await AssessorQuality(trained.assessor, on: states)
            #expect(quality.assessor == 1 && quality.random == 0.5)
        }
    }

    /// Models of a few samples know nothing, but the demo's parts fit together, and no limit is broken on the way.
    @Test(.timeLimit(.minutes(3))) func theDemoInSmall() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("furepa-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        var training = FuRePA.DemoTraining()
        training.model.layers = 1
        training.model.hiddenSize = 32
        training.recitals = 200
        training.worlds = 1
        training.states = 30
        training.readerSamples = 100
        let found = try await FuRePA().demo(
            training, in: Lab(slug: "furepa", subject: nil, limit: 4, outputFolder: folder))
        #expect(found.checks.count == 5 && found.checks.allSatisfy { $0.measured.isFinite })
        #expect(!found.checks.contains { $0.role == .mechanism && !$0.holds })
        #expect(found.controls.allSatisfy { (-1...1).contains($0.value) })
    }
}
