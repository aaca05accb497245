import ArgumentParser
import Foundation
import Laboratory
import Models
import Text
import Training

struct Tune: AsyncParsableCommand {
    enum Goal: String, ExpressibleByArgument, CaseIterable {
        case sft, text, distillation, dpo, ipo, simpo, orpo, kto, unlikelihood, reward, steps, regression
        case classification, contrastive, grpo, rloo, reinforce, ppo

        /// Learning from comparisons and rewards takes smaller steps.
        var isGentle: Bool { learnsFromRewards || learnsFromComparisons }
        var learnsFromRewards: Bool { [.grpo, .rloo, .reinforce, .ppo].contains(self) }
        var learnsFromComparisons: Bool { [.dpo, .ipo, .simpo, .orpo, .kto, .unlikelihood].contains(self) }
    }

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case lora, dora, qlora, full
    }

    static let configuration = CommandConfiguration(
        abstract: "Train a model, or an adapter beside it, on your data.",
        discussion: """
            sft learns the assistant's turns of conversations (messages, instruction and output,
            prompt and completion, question and answer), text every token of plain texts, distillation
            what a teacher makes of either. dpo, ipo, simpo, orpo, unlikelihood and reward (a reward
            model) learn from pairs (prompt, chosen, rejected), kto from prompt, completion and label.
            steps learns the scores from 0 to 1 of an answer's steps (prompt, completions, labels) or
            of whole texts (text or prompt and completion, score), regression any numbers,
            classification the classes of texts (text, label) or words (tokens, tags), contrastive
            vectors that lie close for texts that belong together (anchor, positive, negative). grpo,
            rloo, reinforce and ppo learn from what the model itself writes to questions, by a reward
            that checks the answers.

            An adapter is written in PEFT's format, a whole model as the kind of file it came from;
            lyceum rate applies what reward, steps, regression and classification learnt. Ctrl-C
            writes a checkpoint; the same command goes on from it.

              lyceum tune --objective sft --data chats.jsonl --out tuned
              lyceum tune --objective dpo --data pairs.jsonl --rate 5e-6 --out preferred
              lyceum tune --objective grpo --data sums.jsonl --reward number --out rewarded
              lyceum tune --objective reward --data pairs.jsonl --out judge
              lyceum tune --objective ppo --data asks.jsonl --reward model:judge --out pleasing
              lyceum tune --objective text --data book.jsonl --form full --out read
              lyceum merge --adapter tuned --out model

            Under Open MPI's mpirun several processes share each step, with the same losses.
            Docs/Distributed.md tells more.

              mpirun -n 2 lyceum tune --objective sft --data chats.jsonl --out tuned
            """)

    @Option(help: "What to learn.")
    var objective = Goal.sft

    @Option(help: ArgumentHelp("The samples: JSONL, JSON, CSV or text.", valueName: "file"), completion: .file())
    var data: String

    @Option(help: ArgumentHelp("Samples to evaluate on.", valueName: "file"), completion: .file())
    var heldOut: String?

    @Option(help: ArgumentHelp("The folder of the result.", valueName: "folder"), completion: .directory)
    var out: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("A GGUF file, a Hugging Face folder or embedded.", valueName: "model"),
        completion: .file())
    var model = "embedded"

    @Option(
        help: "lora: an adapter; dora: one with magnitudes; qlora: lora beside quantised weights; full: all weights.")
    var form = Form.lora

    @Option(help: "An adapter's rank (else 16).")
    var rank: Int?

    @Option(help: "An adapter's scale, times the rank (else 32).")
    var alpha: Double?

    @Option(help: "Share of an adapter's inputs that training leaves out (else 0).")
    var dropout: Double?

    @Flag(help: "Divide an adapter's scale by the root of its rank, not by the rank.")
    var rankStabilised = false

    @Option(
        help:
            "The weights that train, or get an adapter, by parts of their names, separated by commas: q_proj,v_proj or layers.3 or embed_tokens (else all, or all linear ones)."
    )
    var targets: String?

    @Option(
        help:
            "How strongly pairs pull: β of dpo, ipo and kto (else 0.1) and simpo (else 2), the strength of orpo (else 0.1) and unlikelihood (else 1)."
    )
    var beta: Double?

    @Option(
        help: "Of distillation (else 1) and contrastive (else 0.05): higher tells likely and less likely apart less.")
    var temperature: Double?

    @OptionGroup(title: "Learning from a teacher")
    var teacher: TeacherArguments

    @OptionGroup(title: "Learning from rewards")
    var rewards: RewardArguments

    @Option(
        help:
            "The longest sample in tokens (else 1024, or what the model reads). A longer text loses its end; a conversation or pair the beginning of its prompt, then the answer's end."
    )
    var longest: Int?

    @Flag(help: "Begin anew in a folder that holds something.")
    var overwrite = false

    @OptionGroup var training: TrainingArguments

    func validate() throws {
        guard objective.learnsFromRewards == (rewards.reward != nil) else {
            throw ValidationError("--reward belongs to --objective grpo, rloo, reinforce or ppo, which need it.")
        }
        guard (objective == .distillation) == (teacher.teacher != nil) else {
            throw ValidationError("--teacher belongs to --objective distillation, which needs it.")
        }
        try refuseIdle(
            [
                ("samples", rewards.samples != nil), ("answer-tokens", rewards.answerTokens != nil),
                ("inner-epochs", rewards.innerEpochs != nil), ("inner-steps", rewards.innerSteps != nil),
                ("divergence", rewards.divergence != nil),
            ], unless: objective.learnsFromRewards, "--objective grpo, rloo, reinforce or ppo")
        try refuseIdle(
            [("held-out", heldOut != nil), ("longest", longest != nil)], unless: !objective.learnsFromRewards,
            "an objective with given answers")
        try refuseIdle(
            [("direction", teacher.direction != nil), ("data-share", teacher.dataShare != nil)],
            unless: objective == .distillation && teacher.topK == nil, "--objective distillation without --top-k")
        try refuseIdle([("top-k", teacher.topK != nil)], unless: objective == .distillation, "--objective distillation")
        try refuseIdle(
            [("temperature", temperature != nil)], unless: objective == .distillation || objective == .contrastive,
            "--objective distillation or contrastive")
        try refuseIdle(
            [("beta", beta != nil)], unless: objective.learnsFromComparisons,
            "--objective dpo, ipo, kto, simpo, orpo or unlikelihood")
        try refuseIdle(
            [
                ("rank", rank != nil), ("alpha", alpha != nil), ("dropout", dropout != nil),
                ("rank-stabilised", rankStabilised),
            ], unless: form != .full, "an adapter")
        try refuseIdle(
            [
                ("patience", training.patience != nil), ("keep-best", training.keepBest),
                ("evaluate-every", training.evaluateEvery != nil),
            ], unless: heldOut != nil, "--held-out FILE")
        guard targets.map({ $0.contains { $0 != "," } }) ?? true else {
            throw ValidationError("--targets names no weight.")
        }
        guard form == .full || !training.optimiser.projects else {
            throw ValidationError(
                "--optimiser \(training.optimiser.rawValue) projects the gradients of whole weights; use --form full.")
        }
    }

    /// Flags that would change nothing are mistakes.
    private func refuseIdle(_ flags: [(name: String, isGiven: Bool)], unless isUsed: Bool, _ owner: String) throws {
        guard !isUsed, let flag = flags.first(where: \.isGiven) else { return }
        throw ValidationError("--\(flag.name) belongs to \(owner).")
    }

    func run() async throws {
        if Ranks.own.isFirst { try OutputFolder(out).prepareRun(overwrites: overwrite) }
        let summary =
            switch objective {
            case .sft: try await train(Supervised(), on: Self.conversations)
            case .text: try await train(Supervised(), on: Self.texts)
            case .dpo: try await train(DPO(beta: beta ?? 0.1), on: Self.pairs)
            case .ipo: try await train(DPO(beta: beta ?? 0.1, loss: .identity), on: Self.pairs)
            case .simpo: try await train(SimPO(beta: beta ?? 2), on: Self.pairs)
            case .orpo: try await train(ORPO(strength: beta ?? 0.1), on: Self.pairs)
            case .kto: try await train(KTO(beta: beta ?? 0.1), on: Self.judgedAnswers)
            case .unlikelihood:
                try await train(Unlikelihood(strength: beta ?? 1)) {
                    try Self.pairs($0, &$1).map { UnlikelihoodSample(wanted: $0.chosen, unwanted: $0.rejected) }
                }
            case .reward: try await train(BradleyTerry(), head: .init(BradleyTerry.head), on: Self.pairs)
            case .distillation: try await distil()
            case .steps: try await score(.crossEntropy)
            case .regression: try await score(.squaredError)
            case .classification: try await classify()
            case .contrastive: try await train(Contrastive(temperature: temperature ?? 0.05), on: Self.related)
            case .grpo: try await trainOnRewards(.grpo(divergence: rewards.divergence ?? 0.04))
            case .rloo: try await trainOnRewards(.rloo(penalty: rewards.divergence ?? 0.05))
            case .reinforce: try await trainOnRewards(.reinforce(penalty: rewards.divergence ?? 0))
            case .ppo: try await trainOnRewards(.ppo(penalty: rewards.divergence ?? 0.05))
            }
        if summary.outcome == .interrupted {
            Ranks.console.tell("Interrupted. The same command goes on from the checkpoint.")
            throw Ranks.ending(130)
        }
    }

    // MARK: Training

    /// Where the result goes.
    var folder: String { OutputFolder(out).path }

    func modelPath() throws -> String { try ModelReference(model).localPath() }

    /// - Parameter head: what is added to the model.
    func train<Training: Objective>(
        _ objective: Training, head: NewHeads.Specification? = nil,
        on read: (String, inout SampleEncoder) throws -> [Training.Sample]
    ) async throws -> TrainingSummary {
        try await train(objective, head: head, samples(read))
    }

    /// What is learnt from and evaluated on, and the encoder that counted what it cut.
    struct TuningSamples<Sample: Sendable> {
        var learnt: [Sample]
        var heldOut: [Sample]
        var encoder: SampleEncoder
    }

    func samples<Sample>(
        _ read: (String, inout SampleEncoder) throws -> [Sample]
    ) throws -> TuningSamples<Sample> {
        let source = try openWeights(at: modelPath())
        var encoder = try SampleEncoder(ModelText(source), limit: limit(source))
        let learnt = try read(data, &encoder)
        let heldOut = try heldOut.map { try read($0, &encoder) } ?? []
        return TuningSamples(learnt: learnt, heldOut: heldOut, encoder: encoder)
    }

    func train<Training: Objective>(
        _ objective: Training, head: NewHeads.Specification? = nil, _ data: TuningSamples<Training.Sample>
    ) async throws -> TrainingSummary {
        let path = try modelPath()
        let (samples, heldOut, encoder) = (data.learnt, data.heldOut, data.encoder)
        var run = TrainingRun(
            model: path, objective: objective, parameterisation: try parameterisation(head),
            optimisation: try optimisation(), samples: samples, output: folder)
        run.heldOut = heldOut
        run.precision = training.precision.compute
        run.settings = training.settings
        if objective is Contrastive {
            // The texts of a step are told apart from one another, so that one pass has to hold them.
            let longest = (samples + heldOut).map { objective.texts(of: $0).reduce(0) { $0 + $1.count } }.max() ?? 0
            run.settings.tokensPerPass = max(training.tokensPerPass, training.batch * longest)
        }
        let console = Ranks.console
        console.tell(
            "\(objective.name): \(samples.count) samples, \(heldOut.count) held out"
                + (encoder.cutCount > 0 ? ", \(encoder.cutCount) cut at \(encoder.limit) tokens" : ""))
        let record = record(
            objective.name, model: path,
            counts: [("samples", samples.count), ("held out", heldOut.count), ("samples cut", encoder.cutCount)])
        return told(try await record.kept { [run] in try await Ranks.train(run, console) })
    }

    /// Says how a run ended.
    func told(_ finished: TrainingSummary) -> TrainingSummary {
        guard Ranks.own.isFirst else { return finished }
        Output.table(Self.table(of: finished.history))
        Output.line("\(finished.outcome.rawValue): \(out)")
        return finished
    }

    /// The most tokens of a sample.
    private func limit(_ source: any WeightSource) throws -> Int {
        let context = try source.configuration().contextLength
        guard let longest else { return min(1024, context) }
        guard longest <= context else {
            throw ValidationError("--longest can't be \(longest): the model reads \(context) tokens.")
        }
        return longest
    }

    /// - Parameter counts: of samples, by name.
    func record(_ objective: String, model: String, counts: [(name: String, value: Int)]) -> TrainingRecord {
        TrainingRecord(
            command: "tune", objective: objective, model: model, data: [data] + [heldOut].compactMap { $0 },
            seed: training.seed, out: folder, counts: counts)
    }

    func optimisation() throws -> Optimisation {
        let standard = (form == .full ? 2e-5 : 2e-4) * (objective.isGentle ? 0.1 : 1)
        return try training.optimisation(rate: standard)
    }

    func parameterisation(_ head: NewHeads.Specification? = nil) throws -> any Parameterisation {
        guard let head else { return try body() }
        return try NewHeads([head], on: body())
    }

    private func body() throws -> any Parameterisation {
        let patterns = targets.map { list in
            list.split(separator: ",").map { NamePattern(String($0)) }
        }
        guard form != .full else { return patterns.map { ChosenWeights($0) } ?? .all }
        return try LowRankAdaptation(
            rank: rank ?? 16, alpha: alpha ?? 32, dropout: dropout ?? 0,
            targets: patterns ?? LowRankAdaptation.allLinear,
            isRankStabilised: rankStabilised, trainsMagnitudes: form == .dora, frozen: form == .qlora ? .asStored : nil)
    }

    static func table(of history: TrainingHistory) -> Table {
        var table = Table(
            "Training", columns: [.text("when"), .number("loss"), .number("held-out loss"), .text("figures")])
        let loss = NumberStyle.decimals(4)
        func figures(_ values: [String: Double]) -> String {
            values.sorted { $0.key < $1.key }.map { "\($0.key) \(NumberStyle.decimals(3).text($0.value))" }
                .joined(separator: ", ")
        }
        if let first = history.steps.first {
            table.add(["step 1", loss.text(first.loss), "", figures(first.figures)])
        }
        for evaluation in history.evaluations.suffix(10) {
            table.add([
                "step \(evaluation.step)\(evaluation.isBest ? ", best" : "")", "", loss.text(evaluation.loss),
                figures(evaluation.figures),
            ])
        }
        if let last = history.steps.last, let recent = history.recentLoss, history.steps.count > 1 {
            table.add(["last \(min(10, history.steps.count)) steps", loss.text(recent), "", figures(last.figures)])
        }
        return table
    }
}
