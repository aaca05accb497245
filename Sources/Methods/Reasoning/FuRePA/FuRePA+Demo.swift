import Inference
import Laboratory
import Text
import Training

extension FuRePA {
    /// Unseen questions that the demo puts to assessor and readers.
    package static let demoQuestions = 200

    /// What the demo trains, and on how much.
    package struct DemoTraining: Sendable {
        package var model = WordChatModel(SmallTraining(layers: 4, hiddenSize: 160))
        package var recitals = 60_000
        /// States in each of the worlds that the assessor learns in.
        package var states = 250
        package var worlds = 6
        package var assessorEpochs = 1.0
        package var readerSamples = 12_000

        package init() {}
    }

    /// A made-up world of two-hop questions over BM25. One small model learns to recite facts, and all others go on from it: the
    /// assessor, which picks among five plans, and its control of shuffled labels; and readers with and without the history in their
    /// prompts, which answer with a wrong first step injected into half of the questions. The loop's rules are checked on scripts.
    public func demo(in lab: Lab) async throws -> Demonstration { try await demo(DemoTraining(), in: lab) }

    package func demo(_ training: DemoTraining, in lab: Lab) async throws -> Demonstration {
        let count = lab.limit ?? Self.demoQuestions
        let topK = 3
        var generator = lab.random("world")
        let world = TwoHopWorld(using: &generator)
        let store = try await PassageStore(world.passages)
        let tested = world.items.prefix(count)

        // Other worlds to learn in, so that no question of the test was seen.
        var states: [AssessedState] = []
        var others = lab.random("training worlds")
        for number in 0..<training.worlds {
            let other = TwoHopWorld(using: &others)
            states += try await other.states(
                training.states, from: other.items[...], in: PassageStore(other.passages), topK: topK,
                using: lab.random("states \(number)"))
        }
        let unseen = try await world.states(
            count, from: tested, in: store, topK: topK, using: lab.random("tested states"))
        let lessons = try await TwoHopWorld.readerSamples(
            training.readerSamples, topK: topK, using: lab.random("reader"))

        let reciter = try await TwoHopWorld.reciter(
            training.model, samples: training.recitals,
            knowing: ["yes no"] + (states + unseen).flatMap { LabelTokenAssessor.texts(of: $0) }
                + (lessons.hidden + lessons.visible).flatMap { $0.messages.map(\.content) }, in: lab)

        var shuffler = lab.random("shuffled labels")
        let spoilt = states.map { state in
            var state = state
            state.gains = shuffler.shuffled(state.gains)
            return state
        }
        var qualities: [AssessorQuality] = []
        var assessors: [LabelTokenAssessor] = []
        for (name, states) in [("assessor", states), ("assessor of shuffled labels", spoilt)] {
            let assessor = try await LabelTokenAssessor.tune(
                name, reciter.identity.reference, on: states, loss: .pairwise, parameterisation: ChosenWeights.all,
                rate: 1e-3, epochs: training.assessorEpochs, in: lab
            ).assessor
            assessors.append(assessor)
            qualities.append(try await AssessorQuality(assessor, on: unseen))
        }
        let (quality, spoiltQuality) = (qualities[0], qualities[1])

        var readers: [Reader] = []
        for (masks, samples) in [(true, lessons.hidden), (false, lessons.visible)] {
            let name = masks ? "history hidden" : "history visible"
            let model = try await training.model.train("reader, \(name)", on: samples, from: reciter, in: lab)
            readers.append(
                try await Reader(
                    name, model, masksHistory: masks, on: tested, store, topK: topK, assessor: assessors[0], in: lab))
        }
        let (masked, visible) = (readers[0], readers[1])
        let rules = try await Self.rules()

        var report = Report(
            "FuRePA in a world of two-hop questions",
            summary:
                "The assessor picks a useful query in \(NumberStyle.percent.text(quality.assessor)) of unseen states, a random "
                + "pick in \(NumberStyle.percent.text(quality.random)). With a wrong first step in half of the questions the reader "
                + "that can't see its history answers \(NumberStyle.percent.text(masked.spoilt)), the one that can "
                + "\(NumberStyle.percent.text(visible.spoilt)).")
        report.add(Self.metrics(quality))
        report.add([
            Metric("exact match without injection, history hidden", masked.clean, style: .percent),
            Metric("exact match without injection, history visible", visible.clean, style: .percent),
        ])
        report.add(Self.table(readers))
        for reader in readers { report.add(reader.traces) }
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
                    masked.spoilt - visible.spoilt, .atLeast(0.1)),
            ],
            controls: [
                .init("useful queries, first", quality.first),
                .init(
                    "exact match without injection, history hidden minus visible",
                    masked.clean - visible.clean),
                .init("injected questions whose wrong town is believed, history hidden", masked.misled),
                .init("injected questions whose wrong town is believed, history visible", visible.misled),
            ])
    }

    /// What a reader makes of the same questions without and with a wrong first step. Both readers have the assessor: they differ in
    /// the history alone.
    private struct Reader: Sendable {
        var name: String
        /// Exact match without injection, and with it in half of the questions.
        var clean: Double
        var spoilt: Double
        /// The share of injected questions in which most replies of the second round say that the person was born in the wrong town.
        var misled: Double
        /// Calls a question, without and with injection.
        var calls: [Double]
        /// Of some questions.
        var traces: [SampleTrace]

        init(
            _ name: String, _ model: any LanguageModel, masksHistory: Bool, on items: ArraySlice<TwoHopWorld.Item>,
            _ store: PassageStore, topK: Int, assessor: any PlanAssessor, in lab: Lab
        ) async throws {
            var reasoning = FurthestReasoning(store)
            reasoning.prompt = TwoHopWorld.prompt
            reasoning.assessor = assessor
            reasoning.masksHistory = masksHistory
            reasoning.rounds = 4
            reasoning.samples = 3
            reasoning.topK = topK
            reasoning.documentWords = 80
            reasoning.maxTokens = 32
            reasoning.name = name
            var wrong = reasoning
            wrong.name = "\(name), wrong first step in half"
            let injected = items.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
            wrong.injected = Dictionary(
                injected.map { ($0.question.id, TwoHopWorld.wrongStep($0)) }, uniquingKeysWith: { first, _ in first })
            let arms = try await FuRePAArms([reasoning, wrong], on: items.map(\.question), asking: model, in: lab)
            self.name = name
            traces = arms.samples(10)
            clean = try Estimate.accuracy(arms.isRight(0)).value
            spoilt = try Estimate.accuracy(arms.isRight(1)).value
            calls = arms.traces.map { traces in
                traces.reduce(0.0) { $0 + Double($1.calls) } / Double(max(1, items.count))
            }
            let believed = zip(items, arms.traces[1]).enumerated().filter { $0.offset.isMultiple(of: 2) }
                .count { TwoHopWorld.believesWrongTown($0.element.0, $0.element.1) }
            misled = Double(believed) / Double(max(1, injected.count))
        }
    }

    private static func table(_ readers: [Reader]) -> Table {
        var table = Table(
            "Readers", columns: [.text("reader"), .text("first step"), .number("exact match"), .number("calls")])
        for reader in readers {
            for (place, row) in [("its own", reader.clean), ("wrong in half", reader.spoilt)].enumerated() {
                table.add(
                    reader.name, row.0, NumberStyle.percent.text(row.1),
                    NumberStyle.decimals(1).text(reader.calls[place]))
            }
        }
        return table
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
