import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct ZeroShotCoTTests {
    private let item = ReasoningItem(id: "1", question: "How many?", kind: .number, gold: "7")

    private func runner(
        _ model: any LanguageModel, frame: PromptFrame = .raw, examples: [WorkedExample] = [],
        _ change: (inout ZeroShotCoT.Options) -> Void = { _ in }
    ) throws -> ReasoningRunner {
        ReasoningRunner(model, frame: frame, options: try ZeroShotCoT.Options(change), examples: examples)
    }

    private func text(_ request: CompletionRequest) -> String { request.prompt.plainText }

    // MARK: Control flow

    @Test func twoCallsWhoseSecondKeepsTheFirstToTheByte() async throws {
        let reasoning = " First, 3 + 4\n\n  is 7.  "
        let model = ScriptedModel([reasoning, " 7."])
        let outcome = try await runner(model).outcome(ReasoningArm(.zeroShotCoT), of: item)
        let requests = model.requests
        #expect(requests.count == 2)
        let p1 = "Q: How many?\nA: Let's think step by step."
        #expect(Array(text(requests[0]).utf8) == Array(p1.utf8))
        let p2 = p1 + reasoning + " \nTherefore, the answer (arabic numerals) is"
        #expect(Array(text(requests[1]).utf8) == Array(p2.utf8))
        #expect(requests.map(\.stop.maxTokens) == [128, 32])
        #expect(requests.allSatisfy { $0.sampling == .greedy && $0.stop.strings.isEmpty })
        #expect(outcome.answer == "7")
        #expect(outcome.isRight)
        #expect(outcome.calls == 2)
        #expect(outcome.steps.map(\.name) == ["p1", "z", "p2", "s"])
    }

    @Test func zeroShotAsksOnce() async throws {
        let model = ScriptedModel([" 9 or 7"])
        let outcome = try await runner(model).outcome(ReasoningArm(.zeroShot), of: item)
        #expect(model.requests.map(text) == ["Q: How many?\nA: The answer (arabic numerals) is"])
        #expect(model.requests[0].stop.maxTokens == 32)
        #expect(outcome.answer == "9")
        #expect(!outcome.isRight)
    }

    @Test func phrasesFollowTheKindOfAnswer() {
        #expect(AnswerPhrase.afterReasoning(.options(6)) == "\nTherefore, among A through F, the answer is")
        #expect(AnswerPhrase.direct(.options(3)) == "Among A through C, the answer is")
        #expect(AnswerPhrase.afterReasoning(.yesNo) == "\nTherefore, the answer (Yes or No) is")
        #expect(AnswerPhrase.direct(.yesNo) == "The answer (Yes or No) is")
        #expect(AnswerPhrase.afterReasoning(.text) == "\nTherefore, the answer is")
    }

    @Test func fewShotShowsWorkedExamplesAndReadsBehindThePhrase() async throws {
        let examples = [
            WorkedExample(question: "1 + 1?", rationale: "1 + 1 = 2.", answer: "2"),
            WorkedExample(question: "2 + 2?", rationale: "2 + 2 = 4.", answer: "4"),
        ]
        let model = ScriptedModel([" 9 things. The answer is 7.", " The answer is 7."])
        let runner = try runner(model, examples: examples)
        let worked = try await runner.outcome(ReasoningArm(.fewShotCoT), of: item)
        let direct = try await runner.outcome(ReasoningArm(.fewShot), of: item)
        #expect(
            text(model.requests[0])
                == "Q: 1 + 1?\nA: 1 + 1 = 2. The answer is 2.\n\nQ: 2 + 2?\nA: 2 + 2 = 4. The answer is 4.\n\nQ: How many?\nA:"
        )
        #expect(
            text(model.requests[1])
                == "Q: 1 + 1?\nA: The answer is 2.\n\nQ: 2 + 2?\nA: The answer is 4.\n\nQ: How many?\nA:")
        #expect(model.requests.map(\.stop.maxTokens) == [128, 32])
        #expect(worked.isRight && direct.isRight)
    }

    @Test func theVoteIsTakenOverSampledReasonings() async throws {
        let answers = ["7", "8", "7", ""]
        let model = ScriptedModel { request, _ in
            let prompt = request.prompt.plainText
            guard prompt.contains("Therefore") else { return " path" + String((request.sampling.seed ?? 0) % 4) }
            return answers.first { _ in true } ?? ""
        }
        let outcome = try await runner(model) { $0.paths = 4 }.outcome(ReasoningArm(.selfConsistency), of: item)
        let reasonings = model.requests.filter { !text($0).contains("Therefore") }
        #expect(model.requests.count == 8)
        #expect(reasonings.allSatisfy { $0.sampling.temperature == 0.7 })
        #expect(Set(reasonings.map(\.sampling.seed)).count == 4)
        #expect(outcome.answer == "7")
        #expect(outcome.calls == 8)
        #expect(ReasoningRunner.majority(answers) == "7")
        #expect(ReasoningRunner.majority(["3", "4", "4", "3"]) == "3")
        #expect(ReasoningRunner.majority(["", ""]) == "")
    }

    @Test func chatModelsAreGivenTheTriggerAsTheirOwnWords() async throws {
        let model = ScriptedModel([" So 7", " 7"])
        _ = try await runner(model, frame: .chat).outcome(ReasoningArm(.zeroShotCoT), of: item)
        let prompts = model.requests.map(\.prompt)
        #expect(prompts[0] == .chat([.user("How many?"), .assistant("Let's think step by step.")]))
        #expect(
            prompts[1]
                == .chat([
                    .user("How many?"),
                    .assistant("Let's think step by step. So 7 \nTherefore, the answer (arabic numerals) is"),
                ]))
    }

    @Test func theFourteenTriggersAreReachedByNumber() throws {
        #expect(ReasoningTrigger.all.count == 14)
        #expect(Set(ReasoningTrigger.all).count == 14)
        #expect(ReasoningTrigger.named("1") == "Let's think step by step.")
        #expect(ReasoningTrigger.named("3") == "First,")
        #expect(ReasoningTrigger.named("15") == nil)
        #expect(ReasoningTrigger.named("Think.") == "Think.")
        #expect(throws: OptionError.self) { try ZeroShotCoT.Options { $0.trigger = "0" } }
        #expect(try ZeroShotCoT.Options { $0.studiesTriggers = true }.arms.count == 15)
    }

    // MARK: Runs

    private func lab(_ model: any LanguageModel, _ records: [JSONValue], limit: Int? = nil) -> Lab {
        Lab(slug: "zero-shot-cot", subject: model, dataSet: DataSet(name: "made", records: records), limit: limit)
    }

    @Test func aRunComparesWithTheBaselineOnTheSameItems() async throws {
        let model = ScriptedModel { request, _ in
            let prompt = request.prompt.plainText
            if prompt.contains("Therefore") { return " 4." }
            return prompt.contains("think") ? " 2 and 2 make 4." : " 5"
        }
        let records: [JSONValue] = (1...4).map { ["question": .string("Item \($0)?"), "answer": 4] }
        let report = try await ZeroShotCoT().run(.init(), in: lab(model, records))
        #expect(model.requests.count == 12)
        let values = report.metrics.map { [$0.name: $0.estimate.value] }
        #expect(values.contains(["accuracy, zero-shot": 0]))
        #expect(values.contains(["accuracy, zero-shot-cot": 1]))
        let samples = report.blocks.compactMap { if case .samples(let samples) = $0 { samples } else { nil } }.flatMap(
            \.self)
        #expect(samples.count == 4)
        #expect(samples.allSatisfy { $0.expected == "4" && $0.arms.map(\.isCorrect) == [false, true] })
        #expect(samples.allSatisfy { $0.arms[1].steps.count == 4 })
    }

    @Test func theLimitOfTheDataSetIsTheOptionsUnlessTheLabHasOne() async throws {
        let records: [JSONValue] = (1...20).map { ["question": .string("Item \($0)?"), "answer": "yes"] }
        let model = ScriptedModel { _, _ in "yes" }
        let ten = try await ZeroShotCoT().run(.init { $0.variants = [.zeroShot] }, in: lab(model, records))
        #expect(model.requests.count == 10)
        #expect(ten.summary.contains("of 10 items"))
        _ = try await ZeroShotCoT().run(.init { $0.variants = [.zeroShot] }, in: lab(model, records, limit: 15))
        #expect(model.requests.count == 25)
    }

    // MARK: Data

    private func items(_ record: JSONValue, type: AnswerType = .auto, shuffled: Bool = false) throws -> ReasoningItem {
        var shuffle: SeededGenerator? = shuffled ? SeededGenerator(seed: 3) : nil
        let record = Record(record, at: RecordPlace(source: "made.jsonl", line: 3))
        return try ReasoningItem(record, type: type, shuffle: &shuffle)
    }

    @Test func optionsAreSpeltOutBehindTheQuestion() throws {
        let record: JSONValue = ["question": "Which?", "options": ["red", "green", "blue"], "answer": "B"]
        let item = try items(record)
        #expect(item.question == "Which? Answer Choices: (A) red (B) green (C) blue")
        #expect(item.kind == .options(3))
        #expect(item.gold == "B")
        let shuffled = try items(record, shuffled: true)
        #expect(shuffled.question.contains("(\(shuffled.gold)) green"))
    }

    @Test func theKindOfAnswerIsRead() throws {
        #expect(try items(["question": "x", "answer": "12.0"]).kind == .number)
        #expect(try items(["question": "x", "answer": "12.0"]).gold == "12")
        #expect(try items(["question": "x", "answer": "No"]).kind == .yesNo)
        #expect(try items(["question": "x", "answer": "Paris"]).kind == .text)
        #expect(try items(["question": "x", "answer": "12", "answer_type": "string"]).kind == .text)
        #expect(try items(["question": "x", "answer": true]).gold == "yes")
    }

    static let badRecords: [(record: JSONValue, part: String)] = [
        (["question": " ", "answer": "1"], "must be a question"),
        (["question": "x"], "\"answer\" is missing"),
        (["answer": "1"], "question (or query, problem, prompt) is missing"),
        (["question": "x", "answer": "1", "answer_type": "colour"], "answer_type"),
        (["question": "x", "answer": "A", "answer_type": "options"], "\"options\" is missing"),
        (["question": "x", "answer": "D", "options": ["a", "b"]], "one of the choices"),
        (["question": "x", "answer": "perhaps", "answer_type": "yesno"], "yes or no"),
        (["question": "x", "answer": "many", "answer_type": "number"], "a number"),
        (["question": "x", "answer": "A", "options": ["a"]], "2 to 26 options"),
    ]

    @Test(arguments: badRecords)
    func badRecordsNameFileLineAndField(record: JSONValue, part: String) {
        let error = #expect(throws: DataError.self) { try items(record) }
        let description = error?.description ?? ""
        #expect(description.hasPrefix("made.jsonl:3"))
        #expect(description.contains(part), "\(description)")
    }

    @Test func fewShotWithoutExamplesSaysWhatToGive() async throws {
        let records: [JSONValue] = [["question": "x", "answer": "Paris"]]
        let options = try ZeroShotCoT.Options { $0.variants = [.fewShotCoT] }
        let error = await #expect(throws: OptionError.self) {
            try await ZeroShotCoT().run(options, in: lab(ScriptedModel([]), records))
        }
        #expect(error?.description.contains("--example-file") == true)
    }

    @Test func rawFramesNeedModelsThatContinueText() async throws {
        let chat = ScriptedModel(capabilities: [.completion]) { _, _ in "yes" }
        let records: [JSONValue] = [["question": "x", "answer": "yes"]]
        _ = try await ZeroShotCoT().run(.init { $0.variants = [.zeroShot] }, in: lab(chat, records))
        #expect(chat.requests[0].prompt == .chat([.user("x"), .assistant("The answer (Yes or No) is")]))
        await #expect(throws: CapabilityError.self) {
            try await ZeroShotCoT().run(.init { $0.frame = .raw }, in: lab(chat, records))
        }
    }
}
