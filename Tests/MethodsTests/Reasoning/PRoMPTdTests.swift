import Foundation
import Inference
import Laboratory
import Models
import Reasoning
import Testing
import Text

@Suite struct PRoMPTdTests {
    private let question = Question(id: "q", "What is 2 + 2?", kind: .number, golds: ["4"])
    private let choice = Question(
        id: "c", "Which is red?", options: ["the sky", "blood"], kind: .options(2), golds: ["B"])

    private let correct = " correct.\nTask Type: sum\nBetter Prompt: none"

    // MARK: Control flow

    @Test func bothModesKeepTheirRules() async throws {
        #expect(try await PRoMPTd.rules() == 1)
    }

    @Test func theLoopCountsItsCalls() async throws {
        let first = try await ScriptedRewriting(.loop, replies: [correct]).run()
        #expect(first.attempt.cost.calls == 2)
        let wrong = (1...3).map { _ in " wrong.\nTask Type: sum\nBetter Prompt: 2 and 2" }
        #expect(try await ScriptedRewriting(.loop, replies: wrong).run().attempt.cost.calls == 3 * 2 + 1)
        let late = Array(wrong.prefix(2)) + [correct]
        let third = try await ScriptedRewriting(.loop, replies: late).run()
        #expect(third.attempt.cost.calls == 6 && third.trace.stop == .declaredRight)
        #expect(third.trace.attempts.map(\.isUsed) == [true, true, false])
        #expect(
            try await ScriptedRewriting(
                .oneShot,
                replies: [
                    "Reason: r\nTask Type: t\nBetter Prompt: 2 and 2"
                ]
            ).run().attempt.cost.calls == 2)
    }

    @Test func bothModelsAreSampledAsInTheReferenceCode() async throws {
        let run = try await ScriptedRewriting(
            .loop, replies: [" wrong.\nTask Type: t\nBetter Prompt: 2 and 2", "bad", correct]
        ).run()
        for request in run.task + run.meta {
            #expect(request.sampling.temperature == 0.7 && request.sampling.topP == 0.7)
        }
        #expect(Set((run.task + run.meta).compactMap(\.sampling.seed)).count == run.task.count + run.meta.count)
        #expect(run.meta.allSatisfy { $0.stop.maxTokens == 1024 })
    }

    @Test func aGreedyModelIsSampledWhenAskedAgain() async throws {
        let meta = ScriptedModel(["no", "Reason: r\nTask Type: t\nBetter Prompt: 2 and 2"])
        var options = try PRoMPTd.Options { $0.temperature = 0 }
        options.retryDelay = 0
        let rewriting = PromptRewriting(options, metaPrompt: try MetaPrompt(.oneShot), meta: meta)
        _ = try await rewriting.attempt(question, asking: ScriptedModel(["4"]), seed: 1)
        #expect(meta.requests.map(\.sampling.temperature) == [0, 0.7])
    }

    @Test func aRefusedBeginningIsAskedFor() async throws {
        struct Refusal: Error {}
        let meta = ScriptedModel { request, _ in
            guard case .chat(let turns, _) = request.prompt, turns.last?.role == .user else { throw Refusal() }
            return "The output is wrong.\n### Task Type ###\nsum\n### Better Prompt ###\n2 and 2"
        }
        let options = try PRoMPTd.Options {
            $0.mode = .loop
            $0.maxAttempts = 1
        }
        let task = ScriptedModel(["5", "4"])
        let rewriting = PromptRewriting(options, metaPrompt: try MetaPrompt(.loop), meta: meta)
        let attempt = try await rewriting.attempt(question, asking: task, seed: 1)
        #expect(attempt.isRight)
        #expect(task.requests.last?.prompt.plainText == "2 and 2")
        #expect(meta.requests.last?.prompt.plainText.hasSuffix("\nReason: The output is") == true)
    }

    @Test func outputsAreRefinedUnderTheSamePrompt() async throws {
        let meta = ScriptedModel([" wrong: it is not a number.", " correct."])
        let task = ScriptedModel(["four", "4"])
        let options = try PRoMPTd.Options { $0.mode = .loop }
        let attempt = try await OutputRefinement(options, meta: meta).attempt(question, asking: task, seed: 1)
        #expect(attempt.isRight && attempt.cost.calls == 4)
        let last = try #require(task.requests.last?.prompt.plainText)
        #expect(last.hasPrefix("What is 2 + 2?\n\nAn earlier answer:\nfour\n"))
        #expect(last.contains("The output is wrong: it is not a number."))
        // In the one-shot mode one round is as many.
        let never = ScriptedModel(Array(repeating: " wrong.", count: 1))
        let single = try await OutputRefinement(.init(), meta: never)
            .attempt(question, asking: ScriptedModel(["5", "4"]), seed: 1)
        #expect(single.cost.calls == 3)
    }

    // MARK: Replies

    static let replies: [(String, String?)] = [
        ("Reason: a\nTask Type: b\nBetter Prompt: c", "a|b|c"),
        (
            "### Reason ###\na\n\n### Task Type ###\n[B] [C]\n\n### Better Prompt ###\nc\n### d ###\n",
            "a|b, c|c\n### d ###"
        ),
        (
            "**Reason:** a\n**Task Type:** B\n**Better Prompt:**\nc\nReason: d\nTask Type: e",
            "a|b|c\nReason: d\nTask Type: e"
        ),
        ("reason: a\nTASK TYPE: b\n better prompt: c\nCandidate Prompt: next", "a|b|c"),
        ("Reason: a ### Task Type ### b\nTask Type: c\nBetter Prompt: d", "a ### Task Type ### b|c|d"),
        ("Reason: a\nTask Type: b\nBetter Prompt:\n```\nc\nd\n```", "a|b|c\nd"),
        ("Reason: a\nReasoning goes on\nTask Type: b\nBetter Prompt: c", "a\nReasoning goes on|b|c"),
        ("Reason: a\nBetter Prompt: c\nTask Type: b", nil), ("Reason: a\nTask Type: b", nil),
        ("Reason:\nTask Type: b\nBetter Prompt: c", nil), ("Reason: a\nTask Type: b\nBetter Prompt: \n", nil),
        ("The Reason: a The Task Type: b The Better Prompt: c", nil), ("", nil),
    ]

    @Test(arguments: replies) func repliesAreReadByTheirHeaders(text: String, parts: String?) {
        let reply = RewriteReply(text)
        #expect(reply.map { "\($0.reason)|\($0.taskType)|\($0.betterPrompt)" } == parts)
    }

    @Test(arguments: [
        ("The output is correct.", true), ("the answer is correct, but long", true),
        ("The output is clear and right", true),
        ("Correct!", true), ("The output is well-crafted", true), ("The output is incorrect", false),
        ("The output is not correct", false), ("The output is wrong; a correct one would be 4", false), ("", false),
    ])
    func successIsDeclared(reason: String, isDeclared: Bool) {
        #expect(SuccessWords().declare(reason) == isDeclared)
    }

    @Test func continuationsAndWholeRepliesAreTheSame() {
        let start = "Reason: The output is"
        let headers: [RewriteHeader] = [.reason, .taskType, .better]
        let rest = "\nTask Type: t\nBetter Prompt: p"
        for text in [
            " wrong.\(rest)", "wrong.\(rest)", "The output is wrong.\(rest)", "Reason: The output is wrong.\(rest)",
        ] {
            #expect(MetaCall.read(text, start: start, headers: headers)?.reason == "The output is wrong.")
        }
        #expect(MetaCall.read("wrong.", start: start, headers: headers) == nil)
    }

    // MARK: Data of prompts

    static let losses: [(String, String, [String])] = [
        ("Add 17 and 25.", "compute: 25 + 17", []), ("Add 17 and 25.", "compute: 17 + 52", ["25"]),
        ("3 boxes of 3", "3 boxes", ["3"]), ("It costs $1,200 at 5 %", "1200 dollars, 5 percent, step 1", []),
        ("Pick (A) or (B)", "Pick: A) or B)", []), ("Pick (A) or (B)", "Pick (A)", ["(B)"]), ("no data", "", []),
    ]

    @Test(arguments: losses) func numbersAndLettersMustSurvive(prompt: String, rewrite: String, missing: [String]) {
        #expect(PromptData(prompt).missing(in: rewrite) == missing)
    }

    @Test func namesOfFunctionsMustSurvive() {
        let data = PromptData("Complete it.\ndef  median_of(xs):\n    ...")
        #expect(data.missing(in: "Write `median_of(xs)`, which …").isEmpty)
        #expect(data.missing(in: "Write median(xs), or median_of2.") == ["median_of"])
    }

    @Test func optionsMustSurvive() {
        let data = PromptData(choice.prompt, options: choice.options)
        #expect(data.missing(in: "(A) The sky\n(B) Blood") == [])
        #expect(data.missing(in: "(A) The skyline\n(B) Blood") == ["the sky"])
        #expect(data.missing(in: "Which is red?") == ["(A)", "(B)", "blood", "the sky"])
    }

    @Test func leaksAreSeen() {
        #expect(AnswerLeak.happened(from: "2 + 2?", to: "2 + 2, which is 4.0", question))
        #expect(!AnswerLeak.happened(from: "2 + 2 or 4?", to: "Is it 4?", question))
        #expect(!AnswerLeak.happened(from: "2 + 2?", to: "2 + 2, not 14", question))
        #expect(!AnswerLeak.happened(from: "x", to: "(A) sky (B) blood. End with \"The answer is (X)\"", choice))
        #expect(AnswerLeak.happened(from: "x", to: "(A) sky (B) blood. The answer is (B).", choice))
        let name = Question(id: "t", "Who?", kind: .text, golds: ["Mary Ann"])
        #expect(AnswerLeak.happened(from: "Who?", to: "Was it mary ann?", name))
        #expect(!AnswerLeak.happened(from: "Who?", to: "Was it Mary Anne?", name))
    }

    // MARK: Meta prompts

    @Test func theBuiltInDemonstrationsAreThePapersKinds() throws {
        let oneShot = try MetaPrompt(.oneShot)
        #expect(oneShot.demonstrations.count == 10 && !oneShot.preamble.contains("\nOutput: "))
        let loop = try MetaPrompt(.loop)
        let counts = Dictionary(grouping: loop.demonstrations) { $0.taskType.prefix { $0 != "," } }.mapValues(\.count)
        #expect(
            counts == [
                "Information Extraction": 1, "Logical Reasoning": 2, "Content Generation": 3, "Fact Checking": 2,
                "Question Answering": 4, "Code Generation": 2, "Mathematical Reasoning": 2,
            ])
        for (mode, prompt) in [(RewriteMode.oneShot, oneShot), (.loop, loop)] {
            for demonstration in prompt.demonstrations {
                // Each obeys the rules of files, and its own better prompt keeps the data of its candidate.
                let record = Record(demonstration.json, at: RecordPlace(source: "built in", record: 1))
                #expect(try PromptDemonstration(record, mode: mode) == demonstration)
                #expect(PromptData(demonstration.candidatePrompt).missing(in: demonstration.betterPrompt) == [])
            }
        }
        let words = SuccessWords()
        #expect(loop.demonstrations.count { words.declare($0.reason) } == 4)
    }

    @Test func ablationsLeavePartsOut() throws {
        let noType = try MetaPrompt(.oneShot, ablation: .noType)
        #expect(!noType.preamble.contains("\nTask Type: "))
        #expect(RewriteReply("Reason: a\nBetter Prompt: c", headers: noType.replyHeaders)?.betterPrompt == "c")
        let noReason = try MetaPrompt(.oneShot, ablation: .noReason)
        #expect(noReason.replyStart == "Task Type:" && !noReason.preamble.contains("\nReason: "))
        #expect(throws: OptionError.self) {
            try PRoMPTd.Options {
                $0.mode = .loop
                $0.ablation = .noReason
            }
        }
    }

    private func file(_ lines: [String]) throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("meta-\(UUID().uuidString).jsonl")
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    @Test func metaPromptFilesAreChecked() throws {
        let good =
            #"{"candidate_prompt": "a", "output": "b", "reason": "The output is c", "task_type": "d", "better_prompt": "e"}"#
        let meta = try MetaPrompt(.loop, file: file([good]))
        #expect(
            meta.preamble.hasSuffix(
                "Candidate Prompt: a\nOutput: b\nReason: The output is c\nTask Type: d\nBetter Prompt: e"))
        for field in ["candidate_prompt", "output", "reason", "task_type", "better_prompt"] {
            let missing = good.replacing("\"\(field)\"", with: "\"other\"")
            #expect(throws: DataError.self) { try MetaPrompt(.loop, file: file([good, missing])) }
        }
        let path = try file([good, good.replacing("\"e\"", with: "\" \"")])
        let error = #expect(throws: DataError.self) { try MetaPrompt(.loop, file: path) }
        #expect(error?.description.contains(":2: the field \"better_prompt\" must be filled in") == true)
        #expect(throws: DataError.self) {
            try MetaPrompt(.loop, file: file([good.replacing("The output is", with: "It is")]))
        }
        #expect(throws: DataError.self) { try MetaPrompt(.oneShot, file: file([""])) }
        #expect(throws: PRoMPTdError.emptyMetaPrompt) {
            try MetaPrompt(instructions: " ", demonstrations: [], showsOutput: false)
        }
    }

    // MARK: Runs

    private var records: [JSONValue] {
        [
            ["id": "1", "prompt": "2 + 2?", "answer": 4, "instruction": "Add."],
            ["id": "2", "question": "3 + 3?", "answer": 6],
        ]
    }

    /// The task model gets the first sum wrong unless it is spelt out, and the second always right; the rewriter gives the second away.
    private func model() -> ScriptedModel {
        ScriptedModel { request, _ in
            let text = request.prompt.plainText
            if text.contains("Candidate Prompt: Add.\n2 + 2?") {
                return "Reason: r\nTask Type: Sum\nBetter Prompt: compute 2 + 2"
            }
            if text.contains("Candidate Prompt: ") {
                return "Reason: r\nTask Type: Sum\nBetter Prompt: compute 3 + 3 = 6"
            }
            if text.contains("3 + 3") { return "6" }
            return text == "compute 2 + 2" ? "4" : "5"
        }
    }

    @Test func aRunWritesItsPromptsAndDrafts() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("promptd-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let lab = Lab(
            slug: "promptd", subject: model(), dataSet: DataSet(name: "made", records: records), outputFolder: folder)
        let drafts = folder.appendingPathComponent("drafts.jsonl").path
        let report = try await PRoMPTd().run(
            .init {
                $0.baselines = []
                $0.collect = Path(drafts)
            }, in: lab)
        func metric(_ name: String) -> Double? { report.metrics.first { $0.name == name }?.estimate.value }
        #expect(metric("accuracy, zero-shot") == 0.5 && metric("accuracy, promptd") == 1)
        #expect(metric("prompts that give the answer away") == 0.5)
        #expect(metric("accuracy where no answer was given away") == 1)
        #expect(metric("rewrites that lost numbers or options") == 0)
        #expect(
            report.blocks.contains { if case .table(let table) = $0 { table.rows == [["sum", "2"]] } else { false } })

        let rewritten = try DataSet(path: folder.appendingPathComponent("rewritten-prompts.jsonl").path)
        let again = try Question.all(of: rewritten)
        #expect(again.map(\.text) == ["compute 2 + 2", "compute 3 + 3 = 6"] && again.map(\.golds) == [["4"], ["6"]])
        let traces = try DataSet(path: folder.appendingPathComponent("rewrites.jsonl").path)
        #expect(traces.records[0]["zero_shot"]?["answer"]?.stringValue == "5")
        #expect(traces.records[0]["attempts"]?[0]?["better_prompt"]?.stringValue == "compute 2 + 2")
        #expect(traces.records[1]["stop"]?.stringValue == "rewritten")
        // A draft with every field filled in is a meta prompt.
        let collected = try DataSet(path: drafts)
        #expect(collected.count == 1 && collected.records[0]["output"]?.stringValue == "5")
        #expect(try MetaPrompt(.oneShot, file: drafts).demonstrations[0].candidatePrompt == "Add.\n2 + 2?")
    }

    /// Programs are right when they pass their tests, whatever they look like, and the loop's errors are counted by that, too.
    @Test func programsAreRunWithTheirTests() async throws {
        let record: JSONValue = [
            "task_id": "twice", "prompt": "def twice(n):\n    \"\"\"Doubles.\"\"\"\n", "entry_point": "twice",
            "test": "def check(candidate):\n    assert candidate(4) == 8\n", "canonical_solution": "    return 2 * n\n",
            "instruction": "Mind the tests.",
        ]
        let model = ScriptedModel { request, _ in
            guard case .chat(let turns, _) = request.prompt, let text = turns.first?.content else { return "" }
            if text.contains("Candidate Prompt:") {
                return text.hasSuffix("return n\n```")
                    ? " wrong.\nTask Type: code\nBetter Prompt: Write twice(n), which gives 2 times n."
                    : " correct.\nTask Type: code\nBetter Prompt: twice(n)"
            }
            return text.contains("2 times n")
                ? "```python\ndef twice(n):\n    return n + n\n```\nFor example\n```\ntwice(1)\n```"
                : "```python\ndef twice(n):\n    return n\n```"
        }
        let lab = Lab(
            slug: "promptd", subject: model, dataSet: DataSet(name: "programs", records: [record]),
            outputFolder: FileManager.default.temporaryDirectory.appendingPathComponent("promptd-\(UUID())"))
        defer { try? FileManager.default.removeItem(at: lab.outputFolder) }
        let report = try await PRoMPTd().run(
            try PRoMPTd.Options {
                $0.mode = .loop
                $0.baselines = []
                $0.temperature = 0
            }, in: lab)
        func value(_ name: String) -> Double? { report.metrics.first { $0.name == name }?.estimate.value }
        #expect(value("wrong outputs taken for right") == 0 && value("right outputs taken for wrong") == 0)
        #expect(value("accuracy, zero-shot") == 0 && value("accuracy, promptd") == 1)
        #expect(
            model.requests.first?.prompt.plainText.contains("Mind the tests.\nComplete this Python function") == true)
    }

    @Test func theStopTestsErrorsAreCounted() async throws {
        // The first output is wrong and taken for right; the second is right and taken for wrong, then for right.
        let model = ScriptedModel { request, _ in
            let text = request.prompt.plainText
            guard text.contains("Candidate Prompt: ") else { return text.contains("2 + 2") ? "5" : "6" }
            let isFirst = text.contains("Candidate Prompt: Add.")
            return isFirst || text.contains("Candidate Prompt: better")
                ? " correct.\nTask Type: sum\nBetter Prompt: none"
                : " wrong.\nTask Type: sum\nBetter Prompt: better 3 + 3"
        }
        let lab = Lab(
            slug: "promptd", subject: model, dataSet: DataSet(name: "made", records: records),
            outputFolder: FileManager.default.temporaryDirectory.appendingPathComponent("promptd-\(UUID().uuidString)"))
        defer { try? FileManager.default.removeItem(at: lab.outputFolder) }
        let report = try await PRoMPTd().run(
            .init {
                $0.mode = .loop
                $0.repeats = 2
                $0.baselines = [.outputRefinement]
            }, in: lab)
        func metric(_ name: String) -> Double? { report.metrics.first { $0.name == name }?.estimate.value }
        #expect(metric("wrong outputs taken for right") == 1)
        #expect(metric("right outputs taken for wrong") == 0.5)
        #expect(
            report.blocks.contains {
                if case .table(let table) = $0 { table.caption.hasPrefix("Accuracy over 2 runs") } else { false }
            })
    }

    @Test func wrongOptionsAreRefused() {
        #expect(throws: OptionError.self) { try PRoMPTd.Options { $0.maxAttempts = 0 } }
        #expect(throws: OptionError.self) { try PRoMPTd.Options { $0.topP = 0 } }
        #expect(throws: OptionError.self) { try PRoMPTd.Options { $0.stopStarts = [""] } }
        #expect(throws: OptionError.self) {
            try PRoMPTd().strategy(.init { $0.metaLLM = "embedded" }, around: nil)
        }
    }

    @Test func draftsThatCanNotBeWrittenAreRefusedBeforeAnyCall() async throws {
        let model = ScriptedModel([])
        let lab = Lab(slug: "promptd", subject: model, dataSet: DataSet(name: "made", records: records))
        await #expect(throws: PRoMPTdError.unwritable("/nowhere/drafts.jsonl")) {
            try await PRoMPTd().run(.init { $0.collect = Path("/nowhere/drafts.jsonl") }, in: lab)
        }
        #expect(model.requests.isEmpty)
    }

    @Test func dataWithoutAPromptIsRefused() async {
        let lab = Lab(
            slug: "promptd", subject: ScriptedModel([]), dataSet: DataSet(name: "made", records: [["answer": 4]]))
        await #expect(throws: DataError.self) { try await PRoMPTd().run(.init(), in: lab) }
    }
}

// MARK: Models in this process

@Suite struct PRoMPTdLocalTests {
    private let question = Question(id: "q", "how many are 2 and 3 ?", kind: .number, golds: ["5"])

    /// A model that has learnt nothing, without a chat template.
    private func untrained(context: Int, in lab: Lab) throws -> LocalModel {
        let words = ["how", "many", "are", "and", "Candidate", "Prompt:", "Reason:", "rewrite", "2", "3", "?"]
        return try lab.open(
            lab.newModel(
                "untrained",
                NewModel(
                    .llama(layers: 1, hiddenSize: 16, heads: 2, contextLength: context), tokenizer: .words(words))))
    }

    private func lab() -> Lab {
        Lab(
            slug: "promptd", subject: nil,
            outputFolder: FileManager.default.temporaryDirectory.appendingPathComponent("promptd-\(UUID().uuidString)"))
    }

    @Test func modelsWithoutATemplateContinueText() async throws {
        let lab = lab()
        defer { try? FileManager.default.removeItem(at: lab.outputFolder) }
        let model = CallLedger(try untrained(context: 128, in: lab))
        var options = PRoMPTd.Options()
        options.maxTokens = 8
        options.taskMaxTokens = 4
        let metaPrompt = try MetaPrompt(instructions: "rewrite", demonstrations: [], showsOutput: false)
        let attempt = try await PromptRewriting(options, metaPrompt: metaPrompt).attempt(
            question, asking: model, seed: 1)
        // Chance writes no headers: one call and three more, without a pause, and then the prompt as it is.
        #expect(attempt.cost.calls == 5 && attempt.solution.outcome == "no readable rewrite")
        let prompts = model.calls.map(\.request.prompt)
        let request = "rewrite\n\nCandidate Prompt: how many are 2 and 3 ?\nReason:"
        #expect(prompts == Array(repeating: .text(request), count: 4) + [.text(question.prompt)])
    }

    @Test func whatDoesNotFitIsAnErrorWithCounts() async throws {
        let lab = lab()
        defer { try? FileManager.default.removeItem(at: lab.outputFolder) }
        let model = try untrained(context: 24, in: lab)
        var options = PRoMPTd.Options()
        options.maxTokens = 8
        let demonstration = PromptDemonstration("are", prompt: "many are", reason: "how", better: "how many are")
        let metaPrompt = try MetaPrompt(
            instructions: "rewrite", demonstrations: [demonstration], showsOutput: false, ablation: .noType)
        // Words: 1 of instructions and 11 of the demonstration; 9 of the candidate and 1 that begins the reply.
        let error = await #expect(throws: PRoMPTdError.self) {
            try await PromptRewriting(options, metaPrompt: metaPrompt).attempt(question, asking: model, seed: 1)
        }
        #expect(error == .tooLong(question: "q", metaPrompt: 12, candidate: 10, reply: 8, limit: 24))
        #expect(error?.description.contains("--meta-prompt") == true)
    }
}

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: ModelReference.embeddedFile.path),
        "the embedded model is not in the cache; make demo fetches it"))
struct PRoMPTdEndToEndTests {
    /// Both built-in meta prompts fit the embedded model, and every call is counted.
    @Test(.timeLimit(.minutes(5)), arguments: [RewriteMode.oneShot, .loop])
    func theEmbeddedModelRewrites(mode: RewriteMode) async throws {
        let ledger = CallLedger(try LocalModel(path: ModelReference.embeddedFile.path, reference: "embedded"))
        let options = try PRoMPTd.Options {
            $0.mode = mode
            $0.maxAttempts = 1
            $0.parseRetries = 0
            $0.maxTokens = 160
            $0.taskMaxTokens = 24
        }
        let question = Question(id: "sum", "Add 17 and 25.", kind: .number, golds: ["42"])
        let attempt = try await PromptRewriting(options, metaPrompt: try MetaPrompt(mode))
            .attempt(question, asking: ledger, seed: 1)
        #expect(attempt.cost.calls == ledger.calls.count && attempt.cost.usage.promptTokens > 1500)
        #expect(!attempt.solution.text.isEmpty)
        // The trace shows the candidate without the long text before it.
        let shown = attempt.steps.first { $0.name == "rewrite 1: prompt" }
        #expect(shown?.text.contains("Candidate Prompt: Add 17 and 25.") == true && (shown?.text.count ?? 9999) < 500)
    }
}
