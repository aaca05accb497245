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

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: ModelReference.embeddedFile.path),
        "the embedded model is not in the cache; make demo fetches it"))
struct JekyllHydeEndToEndTests {
    @Test(.timeLimit(.minutes(5))) func theDemoOnAFewItems() async throws {
        let model = try LocalModel(path: ModelReference.embeddedFile.path, reference: "embedded")
        let demonstration = try await JekyllHyde().demo(in: Lab(slug: "jekyll-hyde", subject: model, limit: 6))
        for check in demonstration.checks.dropFirst() where check.role == .mechanism {
            #expect(check.holds, "\(check.name): \(check.measured)")
        }
    }
}
