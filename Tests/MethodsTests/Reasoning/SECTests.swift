import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct SECTests {
    private let question = Question(id: "1", "What is 2 + 2?", kind: .number, golds: ["4"])
    private let choice = Question(
        id: "2", "Which is red?", options: ["sky", "blood"], kind: .options(2), golds: ["B"], subject: "colours")

    private func written(_ count: Int) -> String {
        (1...count).map { "Q\($0): What is \($0) + 5?\nS\($0): Add\nboth.\nA\($0): \($0 + 5)" }.joined(
            separator: "\n\n")
    }

    private func turns(_ request: CompletionRequest) -> [ChatMessage] {
        if case .chat(let messages, _) = request.prompt { messages } else { [] }
    }

    // MARK: Control flow

    @Test func attemptsCycleParaphrasesAndWarmUp() async throws {
        let model = ScriptedModel { _, index in index < 24 ? "no" : "The answer is 4." }
        let options = try SEC.Options { $0.onFailure = .zeroShot }
        let attempt = try await SelfContemplation(options).attempt(question, asking: model, seed: 1)
        let requests = model.requests
        #expect(requests.count == 25)
        for index in 0..<24 {
            let verb = DemonstrationTemplate.paraphrases[index % 6]
            #expect(requests[index].prompt.plainText.contains("above, \(verb) 5 similar questions"))
            #expect(requests[index].sampling.temperature == (index < 6 ? 0 : 1))
            #expect(requests[index].stop.maxTokens == 3000)
        }
        #expect(Set(requests[6..<24].compactMap(\.sampling.seed)).count == 18)
        #expect(turns(requests[24]).count == 2)
        #expect(attempt.isRight)
        #expect(attempt.solution.outcome == "no demonstrations, zero-shot")
    }

    @Test func theFirstKEnterInOrderAndVanillaHidesSolutions() async throws {
        let model = ScriptedModel([written(3), written(5), "4"])
        let attempt = try await SelfContemplation(try .init { $0.k = 4 }).attempt(question, asking: model, seed: 1)
        #expect(attempt.cost.calls == 3)
        #expect(attempt.solution.outcome == "attempt 2")
        let chat = turns(model.requests[2])
        #expect(chat[0].role == .system)
        #expect(
            chat.dropFirst().map(\.content)
                == (1...4).flatMap { ["What is \($0) + 5?", "The answer is \($0 + 5)."] } + ["What is 2 + 2?"])
        #expect(
            chat.dropFirst().map(\.role) == [
                .user, .assistant, .user, .assistant, .user, .assistant, .user, .assistant, .user,
            ])
        #expect(model.requests[2].stop.maxTokens == 800)
        #expect(model.requests[2].sampling == .greedy)
    }

    @Test func theWorkedScenarioShowsSolutionsOfManyLines() async throws {
        let model = ScriptedModel([written(5), "4"])
        let options = try SEC.Options {
            $0.scenario = .cot
            $0.k = 1
        }
        _ = try await SelfContemplation(options).attempt(question, asking: model, seed: 1)
        #expect(turns(model.requests[1])[2].content == "Solution: Add\nboth. The answer is 6.")
    }

    @Test func failuresAreErrorsUnlessAskedOtherwise() async throws {
        let silent = ScriptedModel { _, _ in "" }
        let error = await #expect(throws: SECError.self) {
            try await SelfContemplation(.init()).attempt(question, asking: silent, seed: 1)
        }
        #expect(error?.description.contains("24 attempts") == true)
        let skipped = try await SelfContemplation(.init { $0.onFailure = .skip }).attempt(
            question, asking: silent, seed: 1)
        #expect(!skipped.isRight && skipped.cost.calls == 24)
    }

    @Test func copiesOfTheQuestionAreFlagged() async throws {
        let reply = "Q1: what is 2+2\nS1: .\nA1: 5\n" + written(5).replacing("Q1:", with: "Q9:")
        let model = ScriptedModel([reply, "4"])
        let attempt = try await SelfContemplation(.init { $0.k = 1 }).attempt(question, asking: model, seed: 1)
        #expect(attempt.solution.outcome == "copied, attempt 1")
    }

    @Test func theDemosChecksOfTheProtocolHold() async throws {
        let found = try await SEC.protocolChecks()
        #expect(found.attempts == 1 && found.count == 24 && found.chats == 1)
    }

    @Test func withoutASubjectModelTheDemoReportsNoAdditions() async throws {
        var report = Report("additions", summary: "")
        #expect(try await SEC.reportAdditions(to: &report, in: Lab(slug: "sec", subject: nil)).isEmpty)
    }

    // MARK: Template

    @Test func optionsAreReadFromStrictLists() {
        let template = DemonstrationTemplate(.options(2), .van)
        let reply = """
            Question1: Which is cold?
            Label1: ["A", "B"]
            Text1: ['ice', "fire's"]
            Ans1: (A)
            Question2: Not a list
            Label2: ["A", "B"]
            Text2: print("x")
            Ans2: A
            Question3: Wrong letter
            Label3: ["A", "B"]
            Text3: ["x", "y"]
            Ans3: C
            Question4: Labels and texts differ
            Label4: ["A"]
            Text4: ["x", "y"]
            Ans4: A
            """
        #expect(
            template.demonstrations(in: reply)
                == [WrittenDemonstration(question: "Which is cold?", options: ["ice", "fire's"], answer: "A")])
    }

    @Test(arguments: [
        ("[\"a\", 'b']", ["a", "b"]), ("[\"a\\\"b\"]", ["a\"b"]), ("[]", nil), ("[\"a\",]", nil), ("[a]", nil),
        ("[\"a\" \"b\"]", nil), ("\"a\"", nil), ("[\"a", nil), ("[\" \"]", nil), ("[\"a\"][0]", nil),
    ])
    func strictLists(text: String, items: [String]?) {
        #expect(StrictList.read(text) == items)
    }

    @Test(arguments: [
        ("Q1: x\nS1: y\nA1: seven", 0), ("Q1: x\nS1:\nA1: 7", 0), ("Q1: x\nA1: 7", 0), ("Q1: x\nS1: y\nA1: 7", 1),
        ("  Q 1: x\n S1: y\nA1: The answer is 7.", 1), ("Q1: x S1: y A1: 7", 0), ("", 0),
        ("Q1: x\nS1: y\nA1: 7\nQ1: z\nS1: u\nA1: 8", 1),
    ])
    func incompleteDemonstrationsAreLeftOut(reply: String, count: Int) {
        #expect(DemonstrationTemplate(.number, .van).demonstrations(in: reply).count == count)
    }

    // MARK: Answers

    @Test(arguments: [
        ("It is B.", "B"), ("A or B? Answer: B", "B"), ("Neither fits.", ""), ("A (A)", "A"),
        ("Between A, and B: no idea", ""),
    ])
    func lettersAreUniqueOrBehindThePhrase(reply: String, answer: String) {
        #expect(FewShotChat(.init()).extract(reply, choice.kind) == answer)
    }

    @Test func theReferenceGuessIsAFlag() throws {
        #expect(FewShotChat(try .init { $0.guessesFirstOption = true }).extract("Neither.", choice.kind) == "A")
        #expect(FewShotChat(.init()).messages([], choice)[0].content.contains("about colours"))
    }

    @Test func ablationsSpoilAnswers() {
        let demonstrations = [
            WrittenDemonstration(question: "a", options: ["x", "y"], answer: "B"),
            WrittenDemonstration(question: "b", options: ["x", "y"], answer: "A"),
        ]
        #expect(
            DemonstrationAblation.wrongLabels.apply(to: demonstrations, kind: .options(2)).map(\.answer) == ["A", "B"])
        #expect(
            DemonstrationAblation.repeated.apply(to: demonstrations, kind: .options(2)).map(\.question) == ["a", "a"])
    }

    // MARK: Runs and bad input

    @Test func aRunShowsItsArms() async throws {
        let model = ScriptedModel { request, _ in
            request.prompt.plainText.contains("similar questions") ? self.written(5) : "The answer is 4."
        }
        let records: [JSONValue] = [
            ["question": "What is 2 + 2?", "answer": 4], ["question": "What is 1 + 3?", "answer": 4],
        ]
        let lab = Lab(slug: "sec", subject: model, dataSet: DataSet(name: "made", records: records))
        let report = try await SEC().run(.init(), in: lab)
        #expect(report.metrics.map(\.name).contains("accuracy, sec"))
        #expect(report.summary.contains("zero-shot answers 100.0 % of 2 questions right"))
    }

    @Test func wrongOptionsAreRefused() {
        #expect(throws: OptionError.self) { try SEC.Options { $0.k = 0 } }
        let error = #expect(throws: OptionError.self) { try SEC.Options { $0.k = 6 } }
        #expect(error?.description.contains("--n-generate 5") == true)
        #expect(throws: OptionError.self) { try SEC.Options { $0.tempLate = -1 } }
    }

    @Test func optionsWithoutLabelsAreRefused() async throws {
        let records: [JSONValue] = [["question": "x", "answer": "A", "answer_type": "options"]]
        let lab = Lab(slug: "sec", subject: ScriptedModel([]), dataSet: DataSet(name: "made", records: records))
        await #expect(throws: DataError.self) { try await SEC().run(.init(), in: lab) }
    }
}

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: ModelReference.embeddedFile.path),
        "the embedded model is not in the cache; make demo fetches it"))
struct SECEndToEndTests {
    @Test(.timeLimit(.minutes(5))) func theEmbeddedModelAddsInAllArms() async throws {
        let model = try LocalModel(path: ModelReference.embeddedFile.path, reference: "embedded")
        var report = Report("additions", summary: "")
        let found = try await SEC.reportAdditions(to: &report, in: Lab(slug: "sec", subject: model, limit: 3))
        #expect(
            found.map(\.name) == [
                "additions with demonstrations", "additions, zero-shot", "additions, icl", "additions, sec",
                "additions, own demonstrations with exchanged answers",
            ])
        #expect(found.allSatisfy { (0...1).contains($0.value) })
        #expect(report.metrics.map(\.name).contains("additions with demonstrations"))
    }
}
