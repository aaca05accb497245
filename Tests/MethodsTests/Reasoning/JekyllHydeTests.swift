import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct JekyllHydeTests {
    private let question = Question(id: "1", "What is 2 + 2?", kind: .number, golds: ["4"])

    /// Persona and neutral answers, then verdicts in turn.
    private func model(_ persona: String, _ neutral: String, verdicts: [String] = []) -> ScriptedModel {
        ScriptedModel { request, index in
            let prompt = request.prompt.plainText
            if prompt.contains("Which job") { return "persona: a mathematician." }
            if prompt.contains("Solution A") { return verdicts[(index - 3) % verdicts.count] }
            return "The answer is \(prompt.contains("You are a mathematician.") ? persona : neutral)."
        }
    }

    private func attempt(
        _ model: ScriptedModel, _ change: (inout JekyllHyde.Options) -> Void = { _ in }
    ) async throws -> Attempt {
        try await PersonaEnsemble(try .init(change)).attempt(question, asking: model, seed: 1)
    }

    @Test func agreementNeedsNoJudge() async throws {
        let found = try await attempt(model("4", "4.0"))
        #expect(found.cost.calls == 3 && found.isRight)
        #expect(found.solution.outcome == "agreed")
        let judged = try await attempt(model("4", "4.0", verdicts: ["A", "B"])) { $0.shortcutOnAgreement = false }
        #expect(judged.cost.calls == 5)
    }

    @Test func reversedVerdictsNameTheSameSolution() async throws {
        let persona = try await attempt(model("4", "5", verdicts: ["A", "B"]))
        #expect(persona.cost.calls == 5)
        #expect(persona.solution.answer == "4")
        let neutral = try await attempt(model("4", "5", verdicts: ["B", "A"]))
        #expect(neutral.solution.answer == "5")
        #expect(neutral.solution.outcome == "consistent, pair 1")
    }

    @Test func aJudgeOfPositionsCannotAnswer() async throws {
        let model = model("4", "5", verdicts: ["A"])
        let found = try await attempt(model) { $0.k = 3 }
        #expect(found.cost.calls == 3 + 2 * 3)
        #expect(found.solution.text == "Can't answer" && !found.isRight)
        let verdicts = model.requests.filter { $0.prompt.plainText.contains("Solution A") }
        #expect(verdicts.allSatisfy { $0.sampling.temperature == 0.7 })
        #expect(Set(verdicts.compactMap(\.sampling.seed)).count == 6)
        #expect(!verdicts.contains { $0.prompt.plainText.lowercased().contains("persona") })
        #expect(
            try await attempt(self.model("4", "5", verdicts: ["A"])) { $0.evaluatorTemperature = 0 }.cost.calls == 5)
    }

    @Test(arguments: [
        (JekyllHyde.Options.OnInconsistent.neutral, "5"), (.persona, "4"), (.majority, "5"), (.cantAnswer, ""),
    ])
    func inconsistencyIsHandledAsAsked(choice: JekyllHyde.Options.OnInconsistent, answer: String) async throws {
        let found = try await attempt(model("4", "5", verdicts: ["A"])) { $0.onInconsistent = choice }
        #expect(found.solution.answer == answer)
    }

    @Test func aSingleOrderIsJudgedOnce() async throws {
        let model = model("4", "5", verdicts: ["A"])
        let found = try await PersonaEnsemble(.init(), isRobust: false).attempt(question, asking: model, seed: 1)
        #expect(found.cost.calls == 4)
        #expect(found.solution.outcome == "first")
    }

    @Test func anotherStrategyIsHeld() async throws {
        let model = ScriptedModel { request, _ in
            let prompt = request.prompt.plainText
            if prompt.contains("Which job") { return "persona: engineer" }
            return prompt.contains("Therefore") ? " 4." : " thinking"
        }
        let ensemble = try JekyllHyde().strategy(.init(), around: ZeroShotCoT().strategy(.init(), around: nil))
        let found = try await ensemble.attempt(question, asking: model, seed: 1)
        #expect(ensemble.name == "jekyll-hyde:zero-shot-cot")
        #expect(found.cost.calls == 1 + 2 + 2 && found.isRight)
        #expect(model.requests.count { $0.prompt.plainText.hasPrefix("You are an engineer.\n\nQ: ") } == 2)
    }

    @Test(arguments: [
        ("persona: a mathematician", "mathematician"), ("Persona: The Accountant.", "Accountant"),
        ("Sure!\npersona: \"math teacher\" or engineer", "math teacher"), ("mathematician", nil), ("persona:", nil),
        ("I can't help with that.", nil), ("persona: <job>", nil),
        ("persona: someone who really knows how sums of small numbers work", nil),
    ])
    func personasAreParsed(reply: String, persona: String?) {
        #expect(PersonaSource.parse(reply) == persona)
    }

    @Test func withoutAPersonaBothAreNeutralAndItIsNoted() async throws {
        let model = ScriptedModel { request, _ in
            request.prompt.plainText.contains("Which job") ? "I don't know" : "The answer is 4."
        }
        let found = try await attempt(model)
        #expect(found.isRight)
        #expect(found.steps.contains { $0.name == "persona" && $0.text.contains("neutral, too") })
        let fixed = ScriptedModel { _, _ in "The answer is 4." }
        #expect(try await attempt(fixed) { $0.persona = "baker" }.cost.calls == 2)
    }

    @Test func rolePhrasesAreCutBeforeJudging() {
        let inquiry = Inquiry(question, asking: ScriptedModel([]), seed: 1)
        #expect(PersonaSource.anonymous("As a mathematician, I add.", inquiry) == "I add.")
        #expect(PersonaSource.anonymous("Adding gives 4.", inquiry) == "Adding gives 4.")
        #expect(inquiry.steps.count == 1)
    }

    @Test(arguments: [("B", "second"), ("A.", "first"), ("Solution B is right", "second"), ("A and B", ""), ("", "")])
    func verdictsAreReadFromWords(reply: String, position: String) {
        let read = PairwiseJudge.position(in: reply)
        #expect((read == .first ? "first" : read == .second ? "second" : "") == position)
    }

    @Test func drawsFollowTheLogOdds() {
        var generator = SeededGenerator(seed: 1)
        let count = (0..<20_000).count { _ in
            PairwiseJudge.draw(logOdds: 0.7, temperature: 0.7, using: &generator) == .first
        }
        // 1 / (1 + e⁻¹) = 0.7311; three standard errors of 20,000 draws are 0.0094.
        #expect(abs(Double(count) / 20_000 - 0.7311) < 0.0094)
        #expect(PairwiseJudge.draw(logOdds: -0.1, temperature: 0, using: &generator) == .second)
    }

    @Test func aRunShowsBothSidesAndRefusesWrongOptions() async throws {
        let records: [JSONValue] = [["question": "What is 2 + 2?", "answer": 4]]
        let model = model("4", "4")
        let lab = Lab(slug: "jekyll-hyde", subject: model, dataSet: DataSet(name: "made", records: records))
        let report = try await JekyllHyde().run(.init(), in: lab)
        #expect(report.metrics.map(\.name).contains("accuracy, jekyll-hyde"))
        #expect(throws: OptionError.self) { try JekyllHyde.Options { $0.k = 0 } }
        #expect(throws: OptionError.self) { try JekyllHyde.Options { $0.persona = " " } }
        let scored = try PersonaEnsemble(.init { $0.verdicts = .logProbs })
        #expect(scored.needs.contains(.scoring))
        let empty: [JSONValue] = [["question": " ", "answer": 4]]
        await #expect(throws: DataError.self) {
            try await JekyllHyde().run(
                .init(), in: Lab(slug: "x", subject: model, dataSet: DataSet(name: "made", records: empty)))
        }
    }
}

@Suite struct JudgedPairTests {
    @Test(arguments: [0.5, 0.7]) func theAskedShareShowsTheRightSolutionFirst(share: Double) {
        let pairs = JudgedPair.additions(4_000, rightFirst: share, using: SeededGenerator(seed: 3))
        // Three standard errors of 4,000 draws are at most 0.024.
        #expect(abs(Double(pairs.count(where: \.rightIsFirst)) / 4_000 - share) < 0.024)
    }

    @Test func oneSolutionIsRightAndTheOtherNot() throws {
        let grader = Grader(.number)
        for pair in JudgedPair.additions(400, using: SeededGenerator(seed: 4)) {
            let numbers = pair.right.split { !$0.isNumber }.compactMap { Int($0) }
            #expect(numbers[0] + numbers[1] == numbers[2] && numbers[2] + numbers[4] == numbers[5])
            let slipped = pair.wrong.split { !$0.isNumber }.compactMap { Int($0) }
            #expect((1...4).contains(slipped[2] - slipped[0] - slipped[1]) && slipped[2] + slipped[4] == slipped[5])
            let gold = try #require(pair.question.golds.first)
            #expect(grader.isSame(grader.answer(in: pair.right), gold))
            #expect(!grader.isSame(grader.answer(in: pair.wrong), gold))
        }
    }

    @Test func labelsNameTheRightSolutionBehindTheMethodsPrompt() throws {
        for pair in JudgedPair.additions(20, using: SeededGenerator(seed: 5)) {
            let sample = SmallJudge.sample(pair)
            let asked = pair.rightIsFirst ? (pair.right, pair.wrong) : (pair.wrong, pair.right)
            let messages = PairwiseJudge.messages(pair.question.prompt, asked.0, asked.1)
            #expect(sample.messages.dropLast() == messages.dropLast())
            let reply = try #require(sample.messages.last?.content)
            #expect(reply == messages[1].content + (pair.rightIsFirst ? " A" : " B"))
            #expect(sample.counting == [1])
            #expect(sample.unpredictable == reply.split(separator: " ").count - 1)
        }
    }

    @Test func noTestedQuestionIsTrainedOn() {
        let tested = JudgedPair.additions(400, using: SeededGenerator(seed: 6))
        let labelled = SmallJudge().labelled(without: tested, using: SeededGenerator(seed: 7))
        #expect(labelled.count > 10_000)
        // Three standard errors of 10,000 draws.
        #expect(abs(Double(labelled.count(where: \.rightIsFirst)) / Double(labelled.count) - 0.7) < 0.014)
        #expect(Set(labelled.map(\.question.prompt)).isDisjoint(with: tested.map(\.question.prompt)))
    }

    @Test func accuraciesCountSilencesOnce() {
        let found = JudgeFigures.Accuracy(
            single: [true, false, true, false], robust: [.persona, nil, .persona, .neutral])
        #expect(found.single == 0.5 && found.answered == 0.75 && found.withSilences == 0.5)
        #expect(found.amongAnswered == 2.0 / 3 && abs(found.gain - 1.0 / 6) < 1e-12)
        let silent = JudgeFigures.Accuracy(single: [true, false], robust: [nil, nil])
        #expect(silent.amongAnswered == nil && silent.gain == 0 && silent.withSilences == 0)
    }

    /// A judge of a few pairs knows nothing, but it is trained, opened and asked like a good one.
    @Test(.timeLimit(.minutes(2))) func aSmallJudgeIsTrainedAndAsked() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jekyll-hyde-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = Lab(slug: "jekyll-hyde", subject: nil, outputFolder: folder)
        let pairs = JudgedPair.additions(8, using: SeededGenerator(seed: 8))
        let figures = try await JudgeFigures(
            pairs, by: SmallJudge.tiny.train(without: pairs, in: lab), as: "pairs", in: lab)
        #expect(figures.judged.count == 8 && figures.robustFlips == 0 && figures.unexplainedSilences == 0)
    }
}

extension SmallJudge {
    /// Seconds of training.
    fileprivate static var tiny: SmallJudge {
        var judge = SmallJudge()
        judge.pairs = 200
        judge.model.layers = 1
        judge.model.hiddenSize = 32
        return judge
    }
}

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: ModelReference.embeddedFile.path),
        "the embedded model is not in the cache; make demo fetches it"))
struct JekyllHydeEndToEndTests {
    @Test(.timeLimit(.minutes(5))) func theDemoOnAFewItems() async throws {
        let model = try LocalModel(path: ModelReference.embeddedFile.path, reference: "embedded")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jekyll-hyde-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let demonstration = try await JekyllHyde().demo(
            training: .tiny, in: Lab(slug: "jekyll-hyde", subject: model, limit: 6, outputFolder: folder))
        for check in demonstration.checks.dropFirst() where check.role == .mechanism {
            #expect(check.holds, "\(check.name): \(check.measured)")
        }
    }
}
