import Inference
import Laboratory
import Text

extension FuRePA {
    /// Unseen questions that the demo puts to assessor and readers.
    package static let demoQuestions = 200

    /// A made-up world of two-hop questions over BM25. The assessor, trained in the run, picks among five plans; readers, trained in the
    /// run with and without the history in their prompts, answer with a wrong first step injected into half of the questions; and
    /// the loop's rules are checked on scripts.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let count = lab.limit ?? Self.demoQuestions
        let topK = 3
        var generator = lab.random("world")
        let world = TwoHopWorld(using: &generator)
        let store = try await PassageStore(world.passages)
        let tested = world.items.prefix(count)

        // The assessor: other worlds to learn in, so that no question of the test was seen.
        var states: [AssessedState] = []
        var others = lab.random("training worlds")
        for number in 0..<6 {
            let other = TwoHopWorld(using: &others)
            states += try await other.states(
                250, from: other.items[...], in: PassageStore(other.passages), topK: topK,
                using: lab.random("states \(number)"))
        }
        let unseen = try await world.states(
            count, from: tested, in: store, topK: topK, using: lab.random("tested states"))
        var shuffler = lab.random("shuffled labels")
        let spoilt = states.map { state in
            var state = state
            state.gains = shuffler.shuffled(state.gains)
            return state
        }
        let trained = try await LabelTokenAssessor.train(
            "assessor", on: states, loss: .pairwise, words: TwoHopWorld.words, epochs: 3, in: lab)
        let control = try await LabelTokenAssessor.train(
            "assessor of shuffled labels", on: spoilt, loss: .pairwise, words: TwoHopWorld.words, in: lab)
        let quality = try await AssessorQuality(trained.assessor, on: unseen)
        let spoiltQuality = try await AssessorQuality(control.assessor, on: unseen)

        let reading = try await Self.readers(world, tested, store, topK: topK, assessor: trained.assessor, in: lab)
        let rules = try await Self.rules()

        var report = Report(
            "FuRePA in a world of two-hop questions",
            summary:
                "The assessor picks a useful query in \(NumberStyle.percent.text(quality.assessor)) of unseen states, a random "
                + "pick in \(NumberStyle.percent.text(quality.random)). With a wrong first step in half of the questions the reader "
                + "that can't see its history answers \(NumberStyle.percent.text(reading.masked.spoilt)), the one that can "
                + "\(NumberStyle.percent.text(reading.visible.spoilt)).")
        report.add(Self.metrics(quality))
        report.add([
            Metric("exact match without injection, history hidden", reading.masked.clean, style: .percent),
            Metric("exact match without injection, history visible", reading.visible.clean, style: .percent),
        ])
        report.add(reading.table)
        return Demonstration(
            report,
            checks: [
                Check("scripted rules of the loop that hold", rules, .atLeast(1), role: .mechanism),
                Check("useful queries, assessor minus random", quality.assessor - quality.random, .atLeast(0.2)),
                Check(
                    "useful queries, assessor over oracle", quality.assessor / max(quality.oracle, 1e-9), .atLeast(0.8)),
                Check(
                    "useful queries, assessor of shuffled labels minus random",
                    spoiltQuality.assessor - spoiltQuality.random, .atMost(0.05)),
                Check(
                    "exact match under injection, history hidden minus visible",
                    reading.masked.spoilt - reading.visible.spoilt, .atLeast(0.1)),
            ],
            controls: [
                .init("useful queries, first", quality.first),
                .init(
                    "exact match without injection, history hidden minus visible",
                    reading.masked.clean - reading.visible.clean),
            ])
    }

    private typealias Scores = (clean: Double, spoilt: Double)

    /// Both readers on the same questions, without and with injection. The visible arm has the assessor, too: the arms differ in
    /// the history alone.
    private static func readers(
        _ world: TwoHopWorld, _ tested: ArraySlice<TwoHopWorld.Item>, _ store: PassageStore, topK: Int,
        assessor: any PlanAssessor, in lab: Lab
    ) async throws -> (masked: Scores, visible: Scores, table: Table) {
        var injected: [String: FurthestPrompt.Step] = [:]
        for (number, item) in tested.enumerated() where number.isMultiple(of: 2) {
            injected[item.question.id] = TwoHopWorld.wrongStep(item)
        }
        var found: [(name: String, scores: Scores)] = []
        var table = Table(
            "Readers", columns: [.text("reader"), .text("first step"), .number("exact match"), .number("calls")])
        for masks in [true, false] {
            let name = masks ? "history hidden" : "history visible"
            let model = try await WordChatModel().train(
                "reader, \(name)",
                on: TwoHopWorld.readerSamples(
                    14_000, showsHistory: !masks, using: lab.random("reader")), words: TwoHopWorld.words, in: lab)
            var reasoning = FurthestReasoning(store)
            reasoning.prompt = TwoHopWorld.prompt
            reasoning.assessor = assessor
            reasoning.masksHistory = masks
            reasoning.rounds = 4
            reasoning.samples = 3
            reasoning.topK = topK
            reasoning.documentWords = 80
            reasoning.maxTokens = 32
            reasoning.name = name
            var wrong = reasoning
            wrong.name = "\(name), wrong first step in half"
            wrong.injected = injected
            let arms = try await FuRePAArms([reasoning, wrong], on: tested.map(\.question), asking: model, in: lab)
            let accuracies = try (0...1).map { try Estimate.accuracy(arms.isRight($0)).value }
            for arm in 0...1 {
                let calls = arms.traces[arm].reduce(0.0) { $0 + Double($1.calls) } / Double(max(1, tested.count))
                table.add(
                    name, arm == 0 ? "its own" : "wrong in half", NumberStyle.percent.text(accuracies[arm]),
                    NumberStyle.decimals(1).text(calls))
            }
            found.append((name, (accuracies[0], accuracies[1])))
        }
        return (found[0].scores, found[1].scores, table)
    }

    /// The share of the loop's rules that hold on scripts: prompts of a round are a function of question and documents; nothing is
    /// searched for twice; rounds and words are bounded.
    package static func rules() async throws -> Double {
        let corpus = (1...6).map { Passage(id: "p\($0)", text: "alpha\($0) beta\($0) gamma common") }
        let store = try await PassageStore(corpus)
        let question = Question(id: "q", "Which one?", kind: .text, golds: ["x"])
        var held: [Bool] = []
        var prompts: [[String]] = []
        for thought in ["one thought", "another thought"] {
            let model = ScriptedModel(capabilities: [.completion]) { request, index in
                request.prompt.plainText.contains("no more searching")
                    ? "Thought: \(thought)\nAnswer: x"
                    : "Thought: \(thought)\nPlan: " + (index % 2 == 0 ? "alpha1" : "alpha\(index / 2 + 2)")
            }
            var reasoning = FurthestReasoning(store)
            reasoning.choice = .first
            reasoning.samples = 1
            reasoning.topK = 1
            reasoning.rounds = 4
            reasoning.documentWords = 8
            let trace = try await reasoning.reason(Inquiry(question, asking: model, seed: 1))
            prompts.append(model.requests.map(\.prompt.plainText))
            let queries = trace.rounds.compactMap(\.chosen)
            held.append(Set(queries).count == queries.count)
            held.append(trace.rounds.count <= 4 && trace.rounds.allSatisfy { $0.documents.count <= 2 })
            held.append(!trace.answer.isEmpty)
        }
        // What was thought before leaves no trace in any prompt.
        held.append(prompts[0] == prompts[1])
        held.append(!prompts[0].contains { $0.contains("one thought") })
        return Double(held.count { $0 }) / Double(held.count)
    }
}
