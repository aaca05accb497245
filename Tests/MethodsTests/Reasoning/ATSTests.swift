import Catalogue
import Foundation
import Inference
import Laboratory
import Models
import Reasoning
import Testing
import Text
import Training

@Suite struct ATSTests {
    private func question(_ kind: PuzzleKind = .numberPath, _ instance: String = "3 1 5") throws -> Question {
        try kind.puzzle(instance).question
    }

    private func turns(_ request: CompletionRequest) -> [ChatMessage] {
        if case .chat(let messages, _) = request.prompt { messages } else { [] }
    }

    private func temporaryFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ats-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }

    // MARK: One reply

    @Test func oneCallAnswersWithTheLastLine() async throws {
        let model = ScriptedModel(["Step 1\n…\nSummary: 1 -> 2 -> 4 -> 5"])
        let attempt = try await TreeSearchAnswering(.nct, .init()).attempt(question(), asking: model, seed: 1)
        #expect(attempt.isRight && attempt.cost.calls == 1)
        let request = model.requests[0]
        #expect(turns(request).map(\.role) == [.system, .user])
        #expect(turns(request)[0].content.contains("several scenarios") && turns(request)[0].content.contains("1.1."))
        #expect(request.sampling.temperature == 0.2 && request.stop.maxTokens == 2666)
    }

    @Test func depthFirstHasItsOwnInstructionAndChainOfThoughtNone() async throws {
        for (group, roles) in [(SearchGroup.dfs, [Role.system, .user]), (.cot, [.user])] as [(SearchGroup, [Role])] {
            let model = ScriptedModel(["Summary: 1 -> 2 -> 4 -> 5"])
            _ = try await TreeSearchAnswering(group, .init()).attempt(question(), asking: model, seed: 1)
            #expect(turns(model.requests[0]).map(\.role) == roles)
        }
        #expect(SearchPrompt.system(.dfs)?.contains("(revised)") == true)
        #expect(try Catalogue.standard.strategy("ats").name == "ats")
        #expect(try Catalogue.standard.strategy("ats[group=dfs]").name == "ats[group=dfs]")
    }

    @Test func demonstrationsAreTranscriptsOfTrainingPuzzles() async throws {
        let own = try PuzzleKind.numberPath.puzzles(.training, count: 1)[0].question
        let model = ScriptedModel(["Summary: none"])
        _ = try await TreeSearchAnswering(.dfs, try .init { $0.shot = 4 }).attempt(own, asking: model, seed: 1)
        let messages = turns(model.requests[0])
        #expect(messages.count == 10)
        for place in stride(from: 1, to: 9, by: 2) {
            #expect(messages[place].content != own.text && messages[place + 1].content.contains("Summary: "))
        }
    }

    @Test func otherQuestionsAreReadFromTheSummary() async throws {
        let question = Question(id: "q", "What is 2 + 3?", kind: .number, golds: ["5"])
        let model = ScriptedModel(["1. 2 + 3 = 6\n2. 2 + 3 = 5\nSummary: the answer is 5.\nThere were 2 scenarios."])
        let attempt = try await TreeSearchAnswering(.nct, try .init { $0.shot = 2 }).attempt(
            question, asking: model, seed: 1)
        #expect(attempt.isRight)
        #expect(turns(model.requests[0]).last?.content.hasSuffix("Summary: the answer is a number in digits.") == true)
    }

    @Test func theAnswerLineSkipsPromptsAndOtherQuestions() {
        #expect(AnswerLine.find(in: "1 -> 2 -> 4 -> 5\nInput: 1 -> 2 -> 3\nthat's it") == "1 -> 2 -> 4 -> 5")
        #expect(AnswerLine.find(in: "# Answer\nSummary: ans=3\n# Answer\nSummary: ans=4") == "Summary: ans=3")
        #expect(AnswerLine.find(in: "ans=24") == "")
        #expect(AnswerLine.find(in: "The Answer\nno digits in this ans") == "")
    }

    // MARK: Several replies

    @Test func samplesVoteOrTheFirstCountsAndTheOracleIsApart() async throws {
        let replies = ["Summary: 1 -> 2 -> 3 -> 5", "Summary: 1 -> 2 -> 4 -> 5", "Summary: 1->2->4->5"]
        func attempt(_ vote: Bool) async throws -> (Attempt, ScriptedModel) {
            let model = ScriptedModel { request, _ in replies[Int((request.sampling.seed ?? 0) % 3)] }
            let options = try ATS.Options {
                $0.consistency = 12
                $0.vote = vote
            }
            return (try await TreeSearchAnswering(.nct, options).attempt(question(), asking: model, seed: 3), model)
        }
        let (voted, model) = try await attempt(true)
        #expect(model.requests.count == 12 && model.requests.allSatisfy { $0.sampling.temperature == 0.7 })
        #expect(voted.isRight && voted.cost.calls == 12)
        let (first, _) = try await attempt(false)
        #expect(first.solution.text == SearchSamples.texts(of: first)[0])
        #expect(SearchSamples.anyCorrect(first, of: try question()))
    }

    @Test func tiesGoToTheSmallerNumberElseTheFirst() throws {
        let split = try question(.numberSplit, "1 6 2")
        #expect(SampleVote.winner(of: ["Summary: ans=30", "Summary: ans=-24", ""], to: split) == 1)
        #expect(SampleVote.winner(of: ["Summary: ans=30", "ans = 24", "Summary: ans = 30"], to: split) == 0)
        #expect(SampleVote.winner(of: ["Summary: 9 -> 10", "Summary: 1 -> 2"], to: try question()) == 0)
        #expect(SampleVote.winner(of: ["", ""], to: split) == nil)
    }

    // MARK: Tree of Thoughts

    @Test func theTreeProposesValuesAndKeepsTheBest() async throws {
        let puzzle = try PuzzleKind.numberPath.puzzle("3 1 5")
        let replies = ATS.perfectReplies(to: [puzzle])
        let model = ScriptedModel { request, _ in replies[request.prompt.plainText] ?? "?" }
        let attempt = try await TreeOfThoughts(width: 5).attempt(puzzle.question, asking: model, seed: 1)
        #expect(attempt.isRight && attempt.solution.answer == "Summary: 1 -> 2 -> 4 -> 5")
        // Proposals: 1, then 2 and 2, then all four of 4, 3, 4, 3. Values: 2 at step 1, 4 and 3 at step 2, and 8, 5, 6 and 4 at step 3.
        let prompts = model.requests.map(\.prompt.plainText)
        #expect(prompts.count(where: { $0.contains("Possible next steps:") }) == 7)
        let values = prompts.filter { $0.hasSuffix("A:") }
        #expect(values.count == 7 && Set(values).count == 7)
        #expect(model.requests.allSatisfy { $0.sampling.temperature == 0.7 && $0.stop.maxTokens == 1000 })
        #expect(attempt.steps.count { $0.name == SearchSamples.kept } == 5)
    }

    @Test func costsAreNegatedAndAveraged() async throws {
        let puzzle = try PuzzleKind.dropWater.puzzle("6 9 3 2")
        let replies = ATS.perfectReplies(to: [puzzle])
        let model = ScriptedModel { request, _ in replies[request.prompt.plainText] ?? "?" }
        var tree = TreeOfThoughts(width: 1)
        tree.evaluations = 2
        tree.form = .tree
        let attempt = try await tree.attempt(puzzle.question, asking: model, seed: 1)
        #expect(attempt.isRight)
        #expect(puzzle.accepts(AnswerLine.find(in: attempt.solution.text)))
        #expect(attempt.solution.text.contains("(fill the first) [6 / 6, 0 / 9]"))
        // One kept path: two calls that propose 2 and 3 states, each valued twice.
        #expect(model.requests.count == 12)
    }

    @Test func proposalsThatAreNoneAreDropped() async throws {
        let puzzle = try PuzzleKind.arithmetic.puzzle("2 3 6 24")
        #expect(
            TreeOfThoughts.move(in: "2. [2, 3, 6] -> (2 + 6 = 8) -> [3, 8]", of: puzzle, after: 0)
                == PuzzleMove("2 + 6 = 8", [3, 8]))
        #expect(TreeOfThoughts.move(in: "[2, 3, 6] -> (2 + 6 = 8) [8]", of: puzzle, after: 0) == nil)
        #expect(TreeOfThoughts.move(in: "Sure! Here they are:", of: puzzle, after: 0) == nil)
        let silent = ScriptedModel { _, _ in "I can't." }
        let attempt = try await TreeOfThoughts(width: 5).attempt(puzzle.question, asking: silent, seed: 1)
        #expect(!attempt.isRight && attempt.solution.answer.isEmpty && attempt.cost.calls == 1)
        let other = Question(id: "q", "?", kind: .number, golds: ["1"])
        await #expect(throws: ATSError.noPuzzle(question: "q")) {
            try await TreeOfThoughts(width: 5).attempt(other, asking: silent, seed: 1)
        }
    }

    // MARK: Options and runs

    @Test func optionsAreChecked() {
        #expect(throws: OptionError.self) { try ATS.Options { $0.vote = true } }
        #expect(throws: OptionError.self) { try ATS.Options { $0.action = .tune } }
        #expect(throws: OptionError.self) { try ATS.Options { $0.group = [] } }
        #expect(throws: OptionError.self) {
            try ATS.Options {
                $0.consistency = 3
                $0.manyTemperature = 0
            }
        }
    }

    @Test func aRunComparesGroupsOnRecordsOfPuzzles() async throws {
        let puzzle = try PuzzleKind.numberPath.puzzle("3 1 5")
        let replies = ATS.perfectReplies(to: [puzzle])
        let model = ScriptedModel { request, _ in
            guard case .chat(let messages, _) = request.prompt else { return "" }
            // Without the instruction the model guesses.
            if messages.count == 1, messages[0].content == puzzle.task { return "Summary: 1 -> 5 -> 5 -> 5" }
            return replies[messages.last?.content ?? ""] ?? ""
        }
        let data = DataSet(name: "puzzles", records: [["task": "number-path", "instance": "3 1 5"]])
        let options = try ATS.Options {
            $0.group = [.nct, .tot]
            $0.totWidth = [5, 1]
        }
        let report = try await ATS().run(options, in: Lab(slug: "ats", subject: model, dataSet: data))
        let tables = report.blocks.compactMap { if case .table(let table) = $0 { table } else { nil } }
        let cost = try #require(tables.first { $0.caption == "Cost" })
        #expect(cost.rows.map { $0[0] } == ["cot", "ats", "tot, width 5", "tot, width 1"])
        #expect(cost.rows.map { $0[1] }.prefix(3) == ["0.0 %", "100.0 %", "100.0 %"])
        let bad = DataSet(name: "puzzles", records: [["task": "number-path", "instance": "2 1 100"]])
        await #expect(throws: DataError.self) {
            try await ATS().run(options, in: Lab(slug: "ats", subject: model, dataSet: bad))
        }
    }

    @Test func theFirstAcceptedSampleIsKept() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let puzzles = try PuzzleKind.numberPath.puzzles(.training, count: 2)
        let model = ScriptedModel { request, _ in
            guard case .chat(let messages, _) = request.prompt, messages.last?.content == puzzles[0].task else {
                return "Summary: no idea -> 0"
            }
            return (request.sampling.seed ?? 0).isMultiple(of: 2)
                ? "wrong\nSummary: 1 -> 1" : SearchTranscript(puzzles[0]).text(.breadthFirst)
        }
        let options = try ATS.Options {
            $0.action = .collect
            $0.task = .numberPath
            $0.consistency = 8
            $0.examples = 2
        }
        let lab = Lab(slug: "ats", subject: model, outputFolder: URL(fileURLWithPath: folder))
        _ = try await ATS().run(options, in: lab)
        let file = URL(fileURLWithPath: folder).appendingPathComponent("transcripts.jsonl").path
        let found = try DataSet(path: file).records(as: SearchExample.self)
        #expect(found.map(\.group) == [.cot, .nct])
        #expect(found.allSatisfy { $0.answer == SearchTranscript(puzzles[0]).text(.breadthFirst) })
        #expect(found[0].question == puzzles[0].task && "number-path " + found[0].instance == puzzles[0].id)
    }

    @Test func scriptsCountTheTokensOfAModel() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try NewModel(
            .llama(layers: 1, hiddenSize: 8, heads: 2), tokenizer: .words(["a", "b"], special: ["<end>", "<user>"]),
            chatTemplate: "{% for message in messages %}<user>{{ message.content }}<end>{% endfor %}<user>"
        ).write(to: folder, seed: 1)
        let model = ScriptedModel(countingAs: try ModelText(path: folder)) { _, _ in "b b b" }
        let usage = try await model.complete(CompletionRequest(.chat([.user("a b")]))).usage
        #expect(usage == Usage(promptTokens: 5, completionTokens: 4))
    }

    // MARK: Tuning

    @Test func samplesCountAllTokensOrTheAnswers() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try NewModel(.llama(layers: 1, hiddenSize: 8, heads: 2), tokenizer: .bytes()).write(to: folder, seed: 1)
        let words = try ModelText(path: folder)
        let puzzle = try PuzzleKind.numberPath.puzzle("3 1 5")
        let example = SearchExample(puzzle, kind: .numberPath, group: .cot, answer: "Summary: 1 -> 2 -> 4 -> 5")
        let prompt = SearchPrompt.tuned(task: puzzle.task)
        #expect(prompt.hasPrefix("# Question\nNumbers run") && prompt.hasSuffix("\n\n# Answer\n"))
        let all = try SearchTuning(.init()).samples([example], words: words)[0]
        let answer = try SearchTuning(.init { $0.loss = .answer }).samples([example], words: words)[0]
        #expect(all.tokens == answer.tokens && all.tokens.last == words.tokenizer.eos)
        #expect(all.weight == Double(all.count - 1))
        #expect(answer.weight == Double(example.answer.utf8.count + 1))
        #expect(try SearchTuning(.init { $0.maxLen = all.count }).samples([example], words: words).isEmpty)
    }

    @Test(arguments: [ATS.Options.Form.lora, .full]) func tuningChangesAModelAndExaminesIt(form: ATS.Options.Form)
        async throws
    {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let start = folder + "/start"
        try NewModel(
            .llama(layers: 1, hiddenSize: 16, heads: 2, contextLength: 2048), tokenizer: .bytes()
        ).write(to: start, seed: 1)
        let lab = Lab(
            slug: "ats", subject: try LocalModel(path: start, reference: start), limit: 1,
            outputFolder: URL(fileURLWithPath: folder + "/out"))
        let options = try ATS.Options {
            $0.action = .tune
            $0.task = .numberPath
            $0.teacher = .program
            $0.form = form
            $0.examples = 2
            $0.tuneSteps = 2
            $0.accumulate = 1
            $0.tunedMaxTokens = 8
            $0.tunedMaxTokensCoT = 8
        }
        let report = try await ATS().run(options, in: lab)
        let tables = report.blocks.compactMap { if case .table(let table) = $0 { table } else { nil } }
        #expect(tables[0].rows.map { $0[0] } == ["cot", "ats"])
        #expect(tables[0].rows.allSatisfy { $0[2] == "2" })
        let written = form == .lora ? "adapter_config.json" : "config.json"
        #expect(FileManager.default.fileExists(atPath: "\(folder)/out/tuned-ats/\(written)"))
        let scripted = Lab(slug: "ats", subject: ScriptedModel([]), limit: 1)
        await #expect(throws: (any Error).self) { try await ATS().run(options, in: scripted) }
    }
}
