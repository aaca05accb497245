import Foundation
import Inference
import Laboratory
import Text

/// Whether prompts are rewritten before any answer, or after a look at one.
public enum RewriteMode: String, OptionChoice {
    case oneShot = "one-shot"
    case loop
}

/// PRoMPTd: every single prompt is rewritten by a meta model into a more specific, unambiguous and complete one, which the task model
/// then answers zero-shot. `PromptRewriting` gives both versions: one rewrite before any answer (the titled paper), and rewriting in a loop
/// that sees what the task model answered (its revision, PRomPTed).
///
/// The meta model writes the reason first, then the task type, then the better prompt. One meta prompt serves every data set: instructions
/// and 10 demonstrations, or 16 with outputs in the loop. The demonstrations here are our own, of the task types that the paper and
/// its code show. A meta prompt of one's own, from failures of the task model at hand, is a file of records that `--collect` drafts and
/// `--meta-prompt` reads.
///
/// Taken from the reference code: the loop's order of calls, the words that end it, sampling at 0.7. Otherwise than there: a reply is split
/// at its headers at the starts of lines instead of at `###`, a reply that can't be read never counts as an attempt nor becomes a prompt,
/// and a rewrite that lost numbers or options is asked for again (`preserve-check`). Programming problems in HumanEval's form are graded by
/// running the answers with their tests.
///
/// Source: Srivastava, Huang, Fan, Yao, "Instance Needs More Care: Rewriting Prompts for Instances Yields Better Zero-Shot Performance"
/// (2023), arXiv:2310.02107, and its revision "Instances Need More Care: Rewriting Prompts for Instances with LLMs in the Loop Yields
/// Better Zero-Shot Performance" (Findings of ACL 2024) with its code.
public struct PRoMPTd: StrategyMethod {
    public static let card = MethodCard(
        "promptd", .reasoning, name: "PRoMPTd", [.inference],
        "Rewrites each single question into a clearer and more complete prompt before it is answered.",
        paper: Paper(
            "Instance Needs More Care: Rewriting Prompts for Instances Yields Better Zero-Shot Performance",
            "Srivastava et al.", 2023, arXiv: "2310.02107"),
        data:
            "question (or prompt), answer; instruction, options and answer_type where there are any; or task_id, prompt, entry_point, test",
        claim:
            "A model answers more prompts right when each of them was rewritten for its own sake, without any example of the task."
    )

    public init() {}

    public struct Options: MethodOptions {
        public var mode = RewriteMode.oneShot
        public var maxAttempts = 3
        public var metaLLM: String?
        public var metaPrompt: Path?
        public var temperature = 0.7
        public var topP = 0.7
        public var parseRetries = 3
        public var retryDelay = 1.0
        public var preserveCheck = true
        public var stopContains = SuccessWords().anywhere
        public var stopStarts = SuccessWords().atStart
        public var ablation = RewriteAblation.none
        public var frame = RewriteFrame.auto
        public var maxTokens = 1024
        public var taskMaxTokens = 512
        public var instruction = ""
        public var baselines: [Baseline] = [.zeroShotCoT, .outputRefinement]
        public var repeats = 3
        public var collect: Path?
        public var answerType = AnswerType.auto

        public init() {}

        /// What rewriting is compared with, beside the prompts as they are.
        public enum Baseline: String, OptionChoice {
            case zeroShotCoT = "zero-shot-cot"
            case outputRefinement = "output-refinement"
        }

        public static let fields: [Field<Self>] = [
            Field("mode", \.mode, "rewrite once before any answer, or in a loop after a look at it"),
            Field("max-attempts", \.maxAttempts, "rewrites of the loop", .within(1...100)),
            Field("meta-llm", \.metaLLM, "the model that rewrites; none: the subject, which answers"),
            Field("meta-prompt", \.metaPrompt, "demonstrations of one's own instead of the built-in ones"),
            Field("temperature", \.temperature, "of both models, 0: greedy", .atLeast(0)),
            Field("top-p", \.topP, "of both models", .above(0), .atMost(1)),
            Field(
                "parse-retries", \.parseRetries, "how often an unreadable or lossy rewrite is asked for again",
                .within(0...100)),
            Field(
                "retry-delay", \.retryDelay, "seconds before the first of these, doubled each time; endpoints only",
                .within(0...3600)),
            Field("preserve-check", \.preserveCheck, "refuse rewrites that lack numbers or options of the prompt"),
            Field("stop-contains", \.stopContains, "words that end the loop anywhere in a reason", .filled),
            Field("stop-starts", \.stopStarts, "words that end the loop at the start of a reason", .filled),
            Field("ablation", \.ablation, "a part of rewrites to leave out, to see what it is worth"),
            Field("frame", \.frame, "how prompts reach the models"),
            Field("max-tokens", \.maxTokens, "most tokens of a rewrite", .atLeast(1)),
            Field("task-max-tokens", \.taskMaxTokens, "most tokens of an answer", .atLeast(1)),
            Field("instruction", \.instruction, "put before every prompt; records may have their own instruction"),
            Field("baselines", \.baselines, "what rewriting is compared with, beside the prompts as they are"),
            Field("repeats", \.repeats, "runs with seeds of their own where replies are sampled", .within(1...100)),
            Field("collect", \.collect, "a file for drafts of demonstrations from the task model's failures"),
            Field("answer-type", \.answerType, "the kind of all answers"),
        ]

        public func validate() throws(OptionError) {
            if mode == .loop, ablation == .noReason {
                throw .conflict(
                    "--ablation no-reason leaves the loop nothing to stop by; it belongs to --mode one-shot.")
            }
        }

        /// Repeated requests are sampled in any case, or the same reply would come.
        func sampling(isRepeated: Bool) -> Sampling {
            let heat = isRepeated && temperature == 0 ? 0.7 : temperature
            return heat > 0 ? .random(temperature: heat, topP: topP) : .greedy
        }
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        if options.metaLLM != nil {
            throw OptionError.conflict(
                "--meta-llm is opened by lyceum run promptd; in a comparison the subject rewrites.")
        }
        return try rewriting(options, meta: nil)
    }

    private func rewriting(_ options: Options, meta: (any LanguageModel)?) throws -> PromptRewriting {
        let metaPrompt = try MetaPrompt(options.mode, file: options.metaPrompt?.expanded, ablation: options.ablation)
        return PromptRewriting(options, metaPrompt: metaPrompt, meta: meta)
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.languageModel()
        let benchmark = try await Self.benchmark(options, in: lab)
        let meta: (any LanguageModel)? =
            if let reference = options.metaLLM { try await lab.loadModel(reference) } else { nil }
        var rewriting = try rewriting(options, meta: meta)
        if let path = options.collect?.expanded {
            // Found out before the work, not after it.
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            guard FileManager.default.isWritableFile(atPath: folder) else { throw PRoMPTdError.unwritable(path) }
        }
        let journal = RewriteJournal()
        rewriting.journal = journal
        var arms: [any ReasoningStrategy] = [NaiveZeroShot(options)]
        for baseline in options.baselines {
            switch baseline {
            case .zeroShotCoT: arms.append(try ZeroShotCoT().strategy(.init(), around: nil))
            case .outputRefinement: arms.append(OutputRefinement(options, meta: meta))
            }
        }
        arms.append(rewriting)
        let comparison = try await StrategyComparison(arms, on: benchmark, asking: model, in: lab)
        let outcome = try await RewriteOutcome(comparison, arm: arms.count - 1, journal)
        var report = try comparison.report("PRoMPTd")
        try outcome.add(to: &report)
        try await outcome.write(in: lab)
        if let path = options.collect { try outcome.writeDrafts(to: path.expanded, options.mode) }
        if options.temperature > 0 {
            var rest: [StrategyComparison] = []
            // The journal stays the first run's, whose traces the report shows.
            rewriting.journal = nil
            arms[arms.count - 1] = rewriting
            for run in 1..<options.repeats {
                // The record's samples stay those of the first run.
                let aside = lab.aside(seed: lab.seed("repeat \(run)"))
                rest.append(try await StrategyComparison(arms, on: benchmark, asking: model, in: aside))
            }
            try Self.addSpread(of: [comparison] + rest, to: &report)
        }
        return report
    }

    /// The records' questions; of programming problems a benchmark that runs what is answered.
    static func benchmark(_ options: Options, in lab: Lab) async throws -> any Benchmark {
        let data = try lab.data()
        guard data.records.contains(where: { $0["entry_point"] != nil }) else {
            return QuestionSet(try questions(data, options))
        }
        let problems = try data.records(as: CodeProblem.self)
        let whole = ProgrammingBenchmark(problems, name: "programs", grader: CodeGrader(try await Sandbox()))
        let questions = try zip(whole.questions, data.records).map { question, record in
            try instructed(question, record, options)
        }
        return BenchmarkPart(of: whole, questions)
    }

    /// Questions with their task instruction in front, the records' own or the one of the options.
    private static func questions(_ data: DataSet, _ options: Options) throws -> [Question] {
        let none: SeededGenerator? = nil
        return try data.records.map { record in
            var record = record
            if record.first(of: ["question", "query", "problem"]) == nil, let prompt = record["prompt"],
                let members = record.value.objectValue
            {
                record.value = .object(members + [.init("question", prompt)])
            }
            var shuffle = none
            return try instructed(
                Question(record, type: options.answerType, shuffle: &shuffle), record, options)
        }
    }

    private static func instructed(_ question: Question, _ record: Record, _ options: Options) throws -> Question {
        let instruction = (try record.stringIfPresent("instruction") ?? options.instruction).trimmingSpaces
        var question = question
        if !instruction.isEmpty { question.text = instruction + "\n" + question.text }
        return question
    }

    /// How far the runs of sampled replies are apart.
    private static func addSpread(of runs: [StrategyComparison], to report: inout Report) throws {
        guard runs.count > 1, let first = runs.first else {
            return report.note("Replies are sampled and this is one run; --repeats 3 shows how far runs are apart.")
        }
        var table = Table(
            "Accuracy over \(runs.count) runs with seeds of their own",
            columns: [.text("strategy"), .number("mean"), .number("lowest"), .number("highest"), .number("deviation")])
        for arm in first.strategies.indices {
            let values = try runs.map { try $0.accuracy(arm).value }
            let mean = values.reduce(0, +) / Double(values.count)
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let style = NumberStyle.percent
            table.add(
                first.strategies[arm].name, style.text(mean), style.text(values.min() ?? 0),
                style.text(values.max() ?? 0), style.text((squares / Double(values.count - 1)).squareRoot()))
        }
        report.add(table)
    }
}
