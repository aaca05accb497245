import Inference
import Laboratory
import Text

extension PRoMPTd {
    /// Messy prompts that the demo rewrites.
    package static let demoPrompts = 150

    /// A task model that knows three tasks in one form each, and a rewriter that turns messy prose into these forms, both trained in the run
    /// and then frozen; on prompts whose names and combinations of numbers neither has seen. And the rules of both modes on scripts.
    ///
    /// Controls are a rewriter that changes nothing, and the rewriter's replies to other prompts. Replies are greedy, so that one run
    /// is exact. The check of data is off for the controls: it would turn the second into the baseline.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let tested = TinyPromptWorld.prompts(lab.limit ?? Self.demoPrompts, isTest: true, using: lab.random("tested"))
        let questions = tested.indices.map { tested[$0].question("prompt-\($0 + 1)") }
        let metaPrompt = try MetaPrompt(
            instructions: TinyPromptWorld.instructions, demonstrations: [], showsOutput: false)
        let (task, rewriter) = try await Self.train(metaPrompt, in: lab)
        let options = try Options {
            $0.temperature = 0
            $0.maxTokens = 80
            $0.taskMaxTokens = 8
            $0.repeats = 1
        }
        var unchecked = options
        unchecked.preserveCheck = false

        let journal = RewriteJournal()
        var method = PromptRewriting(options, metaPrompt: metaPrompt, meta: rewriter)
        method.journal = journal
        let comparison = try await StrategyComparison(
            [NaiveZeroShot(options), Self.identity(unchecked, metaPrompt), method], on: questions, asking: task, in: lab
        )
        let traces = questions.map { journal[$0] ?? RewriteTrace($0.prompt) }
        let prompts = traces.map(\.prompt)
        // Controls keep no samples: each would be one more of the same prompt.
        let aside = lab.aside()
        let others = try await StrategyComparison(
            [Self.exchanged(prompts, questions, unchecked, metaPrompt)], on: questions, asking: task, in: aside)
        let known = try await StrategyComparison(
            [NaiveZeroShot(options)],
            on: tested.indices.map { place in
                var question = questions[place]
                question.text = tested[place].canonical
                return question
            }, asking: task, in: aside)

        let kept = zip(tested, prompts).count { tiny, prompt in
            let words = prompt.split(whereSeparator: \.isWhitespace).map(String.init)
            return tiny.operands.allSatisfy(words.contains)
        }
        let typed = zip(tested, traces).count { $0.task.rawValue == $1.attempts.last?.reply.taskType }
        let outcome = try await RewriteOutcome(comparison, arm: 2, journal)
        let rules = try await Self.rules()
        let share = { (count: Int) in Double(count) / Double(max(1, tested.count)) }

        var report = try comparison.report("PRoMPTd with a small task model and a small rewriter")
        report.add([
            Metric("prompts with all operands after rewriting", share(kept), style: .percent),
            Metric("task types named rightly", share(typed), style: .percent),
            Metric(
                "prompts rewritten to the letter", share(zip(tested, prompts).count { $0.canonical == $1 }),
                style: .percent),
        ])
        try outcome.add(to: &report)
        try await outcome.write(in: lab)
        report.add(try Self.table(tested, comparison))
        return Demonstration(
            report,
            checks: [
                Check("scripted rules of both modes that hold", rules, .atLeast(1), role: .mechanism),
                Check("accuracy on prompts as they are", try comparison.accuracy(0).value, .atMost(0.25)),
                Check("gain in accuracy by rewriting", try comparison.difference(2).difference.value, .atLeast(0.4)),
                Check("prompts with all operands after rewriting", share(kept), .atLeast(0.8)),
                Check("accuracy on the form that the task model knows", try known.accuracy(0).value, .atLeast(0.95)),
                Check(
                    "gain by a rewriter that changes nothing", try comparison.difference(1).difference.value,
                    .between(0, 0), role: .mechanism),
                Check("accuracy with the rewrites of other prompts", try others.accuracy(0).value, .atMost(0.1)),
            ],
            controls: [
                .init("accuracy, rewritten", try comparison.accuracy(2).value),
                .init("task types named rightly", share(typed)),
                .init("rewrites that lost numbers or options", outcome.lossyShare),
                .init("prompts that give the answer away", outcome.leakage),
            ])
    }

    private static func train(
        _ metaPrompt: MetaPrompt, in lab: Lab
    ) async throws -> (task: LocalModel, rewriter: LocalModel) {
        var small = WordChatModel()
        small.contextLength = 256
        small.pieces = TinyPromptWorld.letters
        small.hiddenSize = 192
        small.samplesPerStep = 64
        let task = try await small.train(
            "task model", on: TinyPromptWorld.taskSamples(24_000, using: lab.random("canonical prompts")),
            words: TinyPromptWorld.words, in: lab)
        // A rewriter needs many steps to learn to copy, and little width; from whole prompts alone it does not learn to copy names.
        small.pieces = TinyPromptWorld.syllables
        small.hiddenSize = 128
        let copier = try await small.train(
            "copying", on: TinyPromptWorld.copying(40_000, using: lab.random("copying")), words: TinyPromptWorld.words,
            in: lab)
        small.samplesPerStep = 16
        let rewriter = try await small.train(
            "rewriter", on: TinyPromptWorld.rewriterSamples(24_000, metaPrompt, using: lab.random("triples")),
            from: copier, in: lab)
        return (task, rewriter)
    }

    // MARK: Controls

    private static func reply(_ prompt: String) -> String {
        "Reason: none\nTask Type: none\nBetter Prompt: \(prompt)"
    }

    /// Gives every prompt back as it is.
    private static func identity(_ options: Options, _ metaPrompt: MetaPrompt) -> PromptRewriting {
        let echo = ScriptedModel(capabilities: [.completion]) { request, _ in
            let header = "\(RewriteHeader.candidate.rawValue): "
            guard case .chat(let turns, _) = request.prompt, let text = turns.first?.content,
                let start = text.ranges(of: header).last?.upperBound
            else { return "" }
            return reply(String(text[start...]))
        }
        var control = PromptRewriting(options, metaPrompt: metaPrompt, meta: echo)
        control.name = "identity"
        return control
    }

    /// Gives each prompt the rewrite of the next prompt of another answer.
    private static func exchanged(
        _ prompts: [String], _ questions: [Question], _ options: Options, _ metaPrompt: MetaPrompt
    ) -> PromptRewriting {
        var replies: [(contains: String, reply: String)] = []
        for place in questions.indices {
            let behind = questions.indices.map { questions.index(place, offsetBy: $0 + 1) % questions.count }
            let other = behind.first { questions[$0].golds != questions[place].golds } ?? place
            replies.append((questions[place].prompt, reply(prompts[other])))
        }
        var control = PromptRewriting(
            options, metaPrompt: metaPrompt, meta: ScriptedModel(name: "exchanged", rules: replies))
        control.name = "rewrites of other prompts"
        return control
    }

    private static func table(_ tested: [TinyPrompt], _ comparison: StrategyComparison) throws -> Table {
        var table = Table(
            "By task", columns: [.text("task"), .number("prompts"), .number("as they are"), .number("rewritten")])
        for task in TinyPrompt.Task.allCases {
            let places = tested.indices.filter { tested[$0].task == task }
            let cells = [0, 2].map { arm in
                NumberStyle.percent.text(
                    Double(places.count { comparison.rights(arm)[$0] }) / Double(max(1, places.count)))
            }
            table.add([task.rawValue, String(places.count)] + cells)
        }
        return table
    }
}
