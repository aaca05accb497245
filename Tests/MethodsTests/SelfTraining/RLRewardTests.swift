import Foundation
import Inference
import Laboratory
import Models
import SelfTraining
import Synchronization
import Testing
import Text
import Training

/// Steps, labels, rewards and the whole method.
@Suite struct RLRewardTests {
    // MARK: Steps

    /// `$` stands for the token that ends a text.
    private func steps(
        _ parts: [String], separator: String = "\\n", finished: Bool, merges: [(left: String, right: String)] = []
    ) throws -> [StepSplitter.Step] {
        let tokenizer = try Tokenizer(.bytePairs(merges, special: ["<end>"]))
        let end = try #require(tokenizer.eos)
        let ids = parts.flatMap { $0 == "$" ? [end] : tokenizer.encode($0) }
        return try StepSplitter(tokenizer, separator: separator).steps(ids, isFinished: finished)
    }

    @Test func stepsEndAtTheSeparatorsLastToken() throws {
        func ends(_ parts: [String], _ finished: Bool, separator: String = "\\n") throws -> [Int] {
            try steps(parts, separator: separator, finished: finished).map(\.end)
        }
        #expect(try ends(["ab\nc\nd", "$"], true) == [2, 4, 6])
        // The end closes no step of its own.
        #expect(try ends(["ab\nc\n", "$"], true) == [2, 5])
        // An open last step is none.
        #expect(try ends(["ab\nc"], false) == [2])
        #expect(try ends(["ab", "$"], true) == [2])
        #expect(try ends(["ab"], false).isEmpty)
        #expect(try ends(["$"], true).isEmpty)
        // Blank lines are no steps.
        #expect(try ends(["a\n\n \nb", "$"], true) == [1, 6])
        // A separator of two tokens ends at the second.
        #expect(try ends(["a\n\nb\n\nc", "$"], true, separator: "\\n\\n") == [2, 5, 7])
        #expect(throws: RLRewardError.self) { try ends([], true, separator: "") }
    }

    @Test func aSeparatorInsideATokenIsFound() throws {
        // Ċ is the line break in the tokenizer's alphabet: `.` and the break are one token, two breaks are one.
        let merges: [(left: String, right: String)] = [(".", "Ċ"), ("Ċ", "Ċ")]
        let tokenizer = try Tokenizer(.bytePairs(merges, special: ["<end>"]))
        let ids = tokenizer.encode("a.") + [try #require(tokenizer.id(of: ".Ċ") ?? tokenizer.id(of: ".\n"))]
        #expect(ids.count == 3)
        let found = try StepSplitter(tokenizer, separator: "\\n").steps(ids + tokenizer.encode("b"), isFinished: true)
        #expect(found.map(\.end) == [2, 3] && found.map(\.text) == ["a..", "b"])
    }

    @Test func emptyStepsAreCounted() throws {
        let found = try steps(["1+2=3\nok\nready\nready\n...\n3", "$"], finished: true)
        #expect(found.map(\.text) == ["1+2=3", "ok", "ready", "ready", "...", "3"])
        // "ready" has letters enough; said again it says nothing. The answer never counts.
        #expect(StepSplitter.Step.areEmpty(found) == [false, true, false, true, true, false])
        #expect(StepSplitter.Step.areEmpty(try steps(["ok", "$"], finished: true)) == [false])
    }

    @Test func aSplitterThatSplitsNothingIsToldOf() {
        #expect(StepSplitter.Step.warning(counts: [1, 1, 3])?.contains("--separator") == true)
        #expect(StepSplitter.Step.warning(counts: [1, 3]) == nil)
        #expect(StepSplitter.Step.warning(counts: []) == nil)
    }

    // MARK: A small stage

    private static func withTask(
        longest: Int = 24, _ body: (StepTask, String, Lab) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lyceum-steps-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = Lab(slug: "rl-reward", subject: nil, outputFolder: folder)
        let model = try lab.newModel(
            "untaught", NewModel(.llama(layers: 1, hiddenSize: 32, heads: 2, contextLength: 64), tokenizer: .bytes()))
        let sums = RunningTotal.all(terms: 2)
        let task = try StepTask(
            sums.map(\.question), words: ModelText(path: model), separator: "\\n", longest: longest)
        try await body(task, model, lab)
    }

    /// The response that a text is, `$` at its end standing for the token that ends it.
    private static func response(_ text: String, to question: Int, of task: StepTask, _ model: String) throws
        -> StepResponse
    {
        let tokenizer = try ModelText(path: model).tokenizer
        let finished = text.hasSuffix("$")
        var ids = tokenizer.encode(finished ? String(text.dropLast()) : text)
        if finished, let end = tokenizer.eos { ids.append(end) }
        return task.response(
            WrittenText(
                promptIndex: question, prompt: task.prompts[question], text: text, completion: ids,
                isFinished: finished))
    }

    @Test func runningTotals() {
        let sum = RunningTotal([3, 8, 5])
        #expect(sum.prompt == "3+8+5\n" && sum.lines == ["3+8=11", "11+5=16", "16"])
        #expect(RunningTotal.all(terms: 3).count == 1_000)
    }

    @Test func onlyTheLastLineAnswers() async throws {
        try await Self.withTask { task, model, _ in
            let question = 38  // 3 + 8
            // The last but one lacks the answer's own line, the last was cut short.
            let texts = ["3+8=11\n11$", "11$", "3+8=11\n12$", "3+8=11$", "3+8=11\n11"]
            let found = try texts.map { try Self.response($0, to: question, of: task, model).isRight }
            #expect(found == [true, true, false, false, false])
        }
    }

    // MARK: Labels

    @Test func aStepIsAsGoodAsItsCompletions() async throws {
        try await Self.withTask { task, model, lab in
            let tokenizer = try ModelText(path: model).tokenizer
            let asked = Mutex<[String]>([])
            /// Continues a right line to the right answer every other time, a wrong one never.
            let completer: StepLabels.Completer = { requests in
                requests.enumerated().map { index, request in
                    let so = tokenizer.decode(request.prompt)
                    asked.withLock { $0.append(so) }
                    let isRight = so.hasSuffix("=11\n") && index % 2 == 0
                    return WrittenText(
                        promptIndex: request.promptIndex, prompt: request.prompt, text: "",
                        completion: tokenizer.encode(isRight ? "11" : "12") + [tokenizer.eos ?? 0], isFinished: true)
                }
            }
            let responses = try ["3+8=11\n11$", "3+8=12\n12$", "3+8=11\n13$", "3+8=11\nand on"].map {
                try Self.response($0, to: 38, of: task, model)
            }
            let hard = try await StepLabels(completions: 4).process(
                responses, of: task, completer: completer, in: lab)
            #expect(hard.map { $0.marks.map(\.score) } == [[1, 1], [0, 0], [1, 0], [1]])
            #expect(hard[0].marks.map(\.place) == responses[0].places)
            // Two different prefixes, four completions each.
            #expect(asked.withLock(\.count) == 8)
            let soft = try await StepLabels(.soft, completions: 4).process(
                responses, of: task, completer: completer, in: lab)
            #expect(soft.map { $0.marks.map(\.score) } == [[0.5, 1], [0, 0], [0.5, 0], [0.5]])
            let outcome = StepLabels.outcome(responses)
            #expect(outcome.map { $0.marks.map(\.score) } == [[1], [0], [0]])
            #expect(outcome[0].marks[0].place == outcome[0].text.count - 1)
        }
    }

    // MARK: Rewards

    @Test func rewardsStandWhereStepsEnd() async throws {
        try await Self.withTask { task, model, _ in
            let right = try Self.response("3+8=11\n11$", to: 38, of: task, model)
            func rewards(_ mode: StepReward, _ response: StepResponse, _ scores: [Double]) -> [Int: Float] {
                let judged = StepJudge(mode, threshold: 0.75, weight: 0.5).judged(response, scores: scores)
                return Dictionary(
                    uniqueKeysWithValues: judged.rewards.enumerated().filter { $0.element != 0 }.map {
                        ($0.offset, $0.element)
                    })
            }
            #expect(rewards(.success, right, [0.5, 1]) == [9: 1])
            #expect(rewards(.process, right, [0.5, 1]) == [6: 0.25, 9: 1.5])
            #expect(rewards(.clipDelta, right, [0.5, 1]) == [6: -0.125, 9: 1])
            // A text that was cut short: wrong, and its open step earns nothing.
            let cut = try Self.response("3+8=11\n1", to: 38, of: task, model)
            #expect(rewards(.process, cut, [0.5]) == [6: 0.25] && rewards(.delta, cut, [0.5]) == [:])
            var judge = StepJudge(.outcome, weight: 0.5, lengthPenalty: 0.125)
            let outcome = judge.judged(right, scores: nil, outcome: 0.5)
            #expect(outcome.rewards[0] == -0.125 && outcome.rewards[9] == 1.125)
            judge.lengthPenalty = 0
            #expect(judge.judged(cut, scores: nil).rewards.allSatisfy { $0 == 0 })
            let figures = StepJudge(.process).judged(right, scores: [0.5, 1]).figures
            #expect(figures == ["accuracy": 1, "steps": 2, "empty steps": 0, "tokens": 10, "step score": 0.75])
        }
    }

    @Test func theThresholdIsAPercentileOfRightResponses() async throws {
        try await Self.withTask { task, model, _ in
            let right = try Self.response("3+8=11\n11$", to: 38, of: task, model)
            let wrong = try Self.response("3+8=12\n12$", to: 38, of: task, model)
            let judge = StepJudge(.clip)
            let judged =
                [0.1, 0.3, 0.5, 0.7, 0.9].map { judge.judged(right, scores: [$0, 1]) }
                + [judge.judged(wrong, scores: [0, 0])]
            #expect(try RLReward.threshold(judged, percentile: 0.2) == 0.5)
            #expect(throws: RLRewardError.self) {
                try RLReward.threshold([judge.judged(wrong, scores: [0, 0])], percentile: 0.2)
            }
        }
    }

    // MARK: The method

    @Test func optionsAreChecked() throws {
        #expect(throws: OptionError.self) { try RLReward.Options { $0.discount = 0.9 } }
        #expect(throws: OptionError.self) { try RLReward.Options { $0.modes = [.clip, .clip] } }
        #expect(throws: OptionError.self) { try RLReward.Options { $0.modes = [] } }
        #expect(throws: OptionError.self) {
            try RLReward.Options {
                $0.samples = 1
                $0.questionsPerUpdate = 2
            }
        }
        _ = try RLReward.Options {
            $0.modes = [.success, .process]
            $0.discount = 0.9
        }
    }

    /// Labels, both reward models, three policies by adapters, and the files, on a model that was taught the format for a moment.
    @Test(.timeLimit(.minutes(3))) func runsOnUserData() async throws {
        try await Self.withTask { _, untaught, maker in
            let words = try ModelText(path: untaught)
            var encoder = try SampleEncoder(words, limit: 48)
            let sums = RunningTotal.all(terms: 2)
            var run = TrainingRun(
                model: untaught, objective: Supervised(), parameterisation: ChosenWeights.all,
                optimisation: try Optimisation(rate: 5e-3),
                samples: sums.map {
                    encoder.completion(
                        prompt: $0.prompt.trimmingSpaces, completion: "\n" + $0.lines.joined(separator: "\n"))
                }, output: try maker.modelFolder("taught"))
            run.settings.epochs = 6
            run.precision = .f32
            run.format = .f32
            try await maker.train("teaching", run)

            let records = sums.map {
                JSONValue.object([
                    .init("question", .string($0.prompt)), .init("answer", .string($0.answer)),
                    .init("answer_type", .string("string")),
                ])
            }
            let lab = Lab(
                slug: "rl-reward", subject: try LocalModel(path: run.output, reference: run.output),
                dataSet: DataSet(name: "sums", records: records), outputFolder: maker.outputFolder)
            let options = try RLReward.Options {
                $0.modes = [.success, .outcome, .clipDelta]
                $0.threshold = 0.5
                $0.updates = 2
                $0.questionsPerUpdate = 4
                $0.samples = 2
                $0.minibatches = 2
                $0.maxTokens = 16
                $0.completions = 2
                $0.labelledSamples = 1
                $0.evaluationSamples = 2
                $0.rank = 4
            }
            let report = try await RLReward().run(options, in: lab)
            let table = try #require(
                report.blocks.compactMap { if case .table(let one) = $0 { one } else { nil } }.first)
            #expect(table.rows.map(\.[0]) == ["start", "success", "outcome", "clip-delta"])
            #expect(Double(table.rows[0][5]) ?? 0 > 1)
            func lines(_ name: String) throws -> [JSONValue] {
                try String(contentsOf: lab.outputFile(name), encoding: .utf8).split(separator: "\n").map {
                    try JSONValue(parsing: String($0))
                }
            }
            #expect(try lines("training.jsonl").count == 6)
            let traces = try lines("rewards.jsonl")
            #expect(traces.count == 4 * 10 * 2)
            for trace in traces {
                let scores = trace["scores"]?.arrayValue?.compactMap(\.doubleValue) ?? []
                let clipped = trace["clipped"]?.arrayValue?.compactMap(\.doubleValue) ?? []
                #expect(clipped == StepReward.clip.rewards(scores, threshold: 0.5))
                #expect(trace["ends"]?.arrayValue?.count == scores.count)
            }
            // The policies are adapters that load, with the critic beside them.
            let policy = lab.outputFolder.appendingPathComponent("policy-clip-delta").path
            #expect(try Head.read(policy).map(\.name) == ["value"])
            _ = try lab.open(policy, base: run.output)
            // The reward model that was written serves another run.
            var again = options
            again.modes = [.process]
            again.rewardModel = Path(lab.outputFolder.appendingPathComponent("process-reward-model").path)
            again.threshold = nil
            again.updates = 1
            again.samples = 1
            again.minibatches = 1
            again.evaluationSamples = 1
            _ = try await RLReward().run(again, in: lab)
            await #expect(throws: RLRewardError.self) {
                try await RLReward().run(try RLReward.Options { $0.questionsPerUpdate = 1_000 }, in: lab)
            }
        }
    }
}
