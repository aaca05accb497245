import Inference
import Laboratory
import Text

/// ATS, autonomous tree search: an instruction, the same for all tasks, makes the model write a whole breadth-first or depth-first search
/// in one reply, instead of a program that calls it at every node.
///
/// 1. ATS-BFS (`nct`): the system message shows steps of scenarios, numbered 1, 2, 1.1, 1.2, …, each with its whole path. ATS-DFS
///    (`dfs`): one path, steps back, revised steps. Few-shot transcripts are written by program.
/// 2. Beside them: chain of thought (the task alone) and Tree of Thoughts (``TreeOfThoughts``).
/// 3. The answer is the last line with an arrow or an `ans` (``AnswerLine``), judged by the puzzle's checker, which verifies
///    every transition.
/// 4. Of several samples the first one counts, or with `--vote` the majority; "any correct" is reported as the oracle that it is.
/// 5. `--action collect` keeps the first accepted transcript of each training puzzle; `--action tune` trains on them (``SearchTuning``).
///
/// The four puzzles are ``PuzzleKind``'s. Any other question can be asked, too: then the summary line names the answer.
///
/// Taken from the paper where its code differs: ATS-DFS has its own system message (the code's runner wires none), transitions of water that
/// change nothing are no steps, model-written equations are parsed and never run.
///
/// Source: Zhang, Ye, Shen, Gan, "Autonomous Tree-search Ability of Large Language Models" (2023), arXiv:2310.10686.
public struct ATS: StrategyMethod {
    public static let card = MethodCard(
        "ats", .reasoning, name: "ATS", [.inference, .training],
        "Makes the model write a whole search tree in one reply: a search without a search program, for a fraction of its calls.",
        paper: Paper(
            "Autonomous Tree-search Ability of Large Language Models", "Zhang et al.", 2023, arXiv: "2310.10686"),
        data: "task and instance of a puzzle; or question, answer, options",
        claim:
            "One reply that holds the whole search costs a fraction of the tokens of a search outside the model, and a model can be "
            + "trained to write such searches.")

    public init() {}

    public struct Options: MethodOptions {
        public var action = Action.compare
        public var group: [SearchGroup] = [.nct]
        public var task: PuzzleKind?
        public var split = PuzzleSplit.validation
        public var items = 50
        public var shot = 0
        public var consistency = 1
        public var vote = false
        public var temperature = 0.2
        public var manyTemperature = 0.7
        public var maxTokens = 2666
        public var totWidth: [Int] = [5]
        public var totEvaluations = 1
        public var totTemperature = 0.7
        public var totMaxTokens = 1000
        public var totForm = TreeTranscriptForm.path
        public var teacher = Teacher.model
        public var examples = 300
        public var transcripts: Path?
        public var form = Form.full
        public var rank = 16
        public var loss = Loss.all
        public var rate: Double?
        public var tuneSteps = 250
        public var accumulate = 10
        public var maxLen = 2888
        public var tunedMaxTokens = 3588
        public var tunedMaxTokensCoT = 1588
        public var answerType = AnswerType.auto

        public init() {}

        /// What a run does.
        public enum Action: String, OptionChoice { case compare, collect, tune }
        /// Who writes transcripts to tune on.
        public enum Teacher: String, OptionChoice { case model, program }

        /// What trains.
        public enum Form: String, OptionChoice { case full, lora }
        /// What the loss counts.
        public enum Loss: String, OptionChoice {
            /// Every token, the question's, too: the reference code's.
            case all
            case answer
        }

        public static let fields: [Field<Self>] = [
            Field("action", \.action, "compare ways of asking, collect accepted transcripts, or tune on them"),
            Field("group", \.group, "ways beside chain of thought: nct (breadth first), dfs, tot, cot"),
            Field("task", \.task, "the puzzles to generate instead of reading --data"),
            Field("split", \.split, "which of the generated puzzles are asked"),
            Field("items", \.items, "how many of them (a given --limit goes before)", .atLeast(1)),
            Field("shot", \.shot, "demonstrations, written by program", .within(0...16)),
            Field("consistency", \.consistency, "samples an item", .within(1...100)),
            Field("vote", \.vote, "answer with the majority of the samples; otherwise the first one counts"),
            Field("temperature", \.temperature, "temperature of a single sample, 0: greedy", .atLeast(0)),
            Field("many-temperature", \.manyTemperature, "temperature of several samples", .atLeast(0)),
            Field("max-tokens", \.maxTokens, "most tokens of a reply", .atLeast(1)),
            Field("tot-width", \.totWidth, "paths that Tree of Thoughts keeps, an arm each", .within(1...100)),
            Field("tot-evaluations", \.totEvaluations, "values averaged for each of its proposals", .within(1...100)),
            Field("tot-temperature", \.totTemperature, "temperature of its calls", .atLeast(0)),
            Field("tot-max-tokens", \.totMaxTokens, "most tokens of its calls", .atLeast(1)),
            Field("tot-form", \.totForm, "its transcripts: the answer's path, or all proposals"),
            Field("teacher", \.teacher, "who writes transcripts to tune on: the model, checked, or a program"),
            Field("examples", \.examples, "training puzzles of which transcripts are made", .atLeast(1)),
            Field("transcripts", \.transcripts, "transcripts collected before, to tune on"),
            Field("form", \.form, "train all weights, or an adapter"),
            Field("rank", \.rank, "the adapter's rank", .atLeast(1)),
            Field("loss", \.loss, "what the loss counts: all tokens, or the answer's"),
            Field("rate", \.rate, "the learning rate; none: 1e-5, and 2e-4 for lora", .above(0)),
            Field("tune-steps", \.tuneSteps, "transcripts trained on, repeats counted", .atLeast(1)),
            Field("accumulate", \.accumulate, "transcripts of one step of the optimiser", .atLeast(1)),
            Field("max-len", \.maxLen, "transcripts of so many tokens and more are dropped", .atLeast(3)),
            Field("tuned-max-tokens", \.tunedMaxTokens, "most tokens of a tuned model's reply", .atLeast(1)),
            Field(
                "tuned-max-tokens-cot", \.tunedMaxTokensCoT, "the same after tuning on straight solutions", .atLeast(1)),
            Field("answer-type", \.answerType, "the kind of all answers, for questions that are no puzzles"),
        ]

        public func validate() throws(OptionError) {
            if group.isEmpty {
                throw .wrongValue(option: "group", value: "", expectation: [SearchGroup].expectation)
            }
            if group.contains(.tot), totWidth.isEmpty {
                throw .wrongValue(option: "tot-width", value: "", expectation: [Int].expectation)
            }
            if consistency > 1, manyTemperature == 0 {
                throw .conflict(
                    "--consistency \(consistency) at --many-temperature 0 gives the same reply again: sample.")
            }
            if vote, consistency == 1 { throw .conflict("--vote needs several samples: give --consistency.") }
            if action != .compare, task == nil { throw .conflict("--action \(action.rawValue) needs --task.") }
            if action == .tune, tuneSteps < accumulate {
                throw .conflict(
                    "--tune-steps \(tuneSteps) is less than --accumulate \(accumulate): not one step of the optimiser.")
            }
        }

        /// Chain of thought first, then what was asked for, each once.
        var groups: [SearchGroup] {
            var groups: [SearchGroup] = [.cot]
            for other in group where !groups.contains(other) { groups.append(other) }
            return groups
        }
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        return try Self.strategy(options.group[0], options)
    }

    /// A group's strategy; Tree of Thoughts with the first width.
    static func strategy(_ group: SearchGroup, _ options: Options) throws -> any ReasoningStrategy {
        group == .tot ? tree(options.totWidth[0], options) : TreeSearchAnswering(group, options)
    }

    private static func tree(_ width: Int, _ options: Options) -> TreeOfThoughts {
        var tree = TreeOfThoughts(width: width)
        tree.evaluations = options.totEvaluations
        tree.temperature = options.totTemperature
        tree.maxTokens = options.totMaxTokens
        tree.shot = options.shot
        tree.form = options.totForm
        return tree
    }

    // MARK: Running

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        switch (options.action, options.task) {
        case (.collect, let kind?): return try await collect(kind, options, in: lab)
        case (.tune, let kind?): return try await SearchTuning(options).report(kind, options.groups, in: lab)
        default: return try await compare(options, in: lab)
        }
    }

    private func compare(_ options: Options, in lab: Lab) async throws -> Report {
        let questions = try questions(options, in: lab)
        if options.group.contains(.tot), let other = questions.first(where: { !($0.check?.rule is any Puzzle) }) {
            throw ATSError.noPuzzle(question: other.id)
        }
        let strategies: [any ReasoningStrategy] = options.groups.flatMap { group -> [any ReasoningStrategy] in
            group == .tot
                ? options.totWidth.map { Self.tree($0, options) } : [TreeSearchAnswering(group, options)]
        }
        let comparison = try await StrategyComparison(strategies, on: questions, asking: lab.languageModel(), in: lab)
        var report = try comparison.report("ATS")
        report.add(try Self.costs(comparison))
        report.note(
            "\"Any correct\" counts an item where some sample, or some path that a tree kept, is right. Only who knows the checker "
                + "could choose so: it is an oracle and no accuracy.")
        return report
    }

    /// Accuracy against tokens.
    package static func costs(_ comparison: StrategyComparison) throws -> Table {
        var table = Table(
            "Cost",
            columns: [
                .text("strategy"), .number("accuracy"), .number("any correct (oracle)"), .number("calls"),
                .number("tokens read"), .number("tokens written"),
            ])
        let (percent, whole) = (NumberStyle.percent, NumberStyle.whole)
        for index in comparison.strategies.indices {
            let any = zip(comparison.attempts[index], comparison.questions).map(SearchSamples.anyCorrect)
            table.add(
                comparison.strategies[index].name, percent.text(try comparison.accuracy(index).value),
                percent.text(try Estimate.accuracy(any).value),
                NumberStyle.decimals(1).text(comparison.mean(index, \.cost.calls)),
                whole.text(comparison.mean(index, \.cost.usage.promptTokens)),
                whole.text(comparison.mean(index, \.cost.usage.completionTokens)))
        }
        return table
    }

    /// Generated puzzles, or the records' puzzles and questions.
    private func questions(_ options: Options, in lab: Lab) throws -> [Question] {
        if let kind = options.task {
            return try kind.puzzles(options.split, count: lab.limit ?? options.items).map(\.question)
        }
        var shuffle: SeededGenerator?
        return try lab.data().records.map { record in
            record["instance"] == nil
                ? try Question(record, type: options.answerType, shuffle: &shuffle)
                : try SearchExample.puzzle(record).1.question
        }
    }

    private func collect(_ kind: PuzzleKind, _ options: Options, in lab: Lab) async throws -> Report {
        let puzzles = try kind.puzzles(.training, count: lab.limit ?? options.examples)
        var table = Table(
            "Accepted transcripts", columns: [.text("transcripts"), .number("puzzles"), .number("accepted")])
        var all: [SearchExample] = []
        for group in options.groups {
            let found = try await TranscriptCollection(kind, options).examples(group, of: puzzles, in: lab)
            table.add(group.name, "\(puzzles.count)", "\(found.count)")
            all += found
        }
        let file = try lab.outputFile("transcripts.jsonl")
        try TranscriptCollection.write(all, to: file)
        await lab.recorder.record(Artifact(kind: "transcripts", path: file.path))
        var report = Report(
            "ATS transcripts of \(kind.rawValue)",
            summary: "\(all.count) accepted transcripts of \(puzzles.count) puzzles are in \(file.path).")
        report.add(table)
        report.note("Of each puzzle the first sample that the checker accepts is kept, and none where all fail.")
        return report
    }
}
