import ArgumentParser
import Foundation
import Laboratory
import Models
import Text
import Training

struct Tune: AsyncParsableCommand {
    enum Goal: String, ExpressibleByArgument, CaseIterable {
        case sft, text, dpo, ipo, simpo, orpo, kto, unlikelihood, reward, grpo, rloo, reinforce, ppo

        /// Learning from comparisons and rewards takes smaller steps.
        var isGentle: Bool { self != .sft && self != .text && self != .reward }
        var learnsFromRewards: Bool { [.grpo, .rloo, .reinforce, .ppo].contains(self) }
    }

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case lora, dora, qlora, full
    }

    static let configuration = CommandConfiguration(
        abstract: "Train a model, or an adapter beside it, on your data.",
        discussion: """
            sft learns the assistant's turns of conversations (messages, instruction and output,
            prompt and completion, question and answer), text every token of plain texts; dpo, ipo,
            simpo, orpo, unlikelihood and reward (a reward model) learn from pairs (prompt, chosen,
            rejected), kto from prompt, completion and label; without a chat template each is a
            prompt's text and its answer's. grpo, rloo, reinforce and ppo learn
            from what the model itself writes to questions, by a reward that checks the answers. An adapter is written in PEFT's
            format, a whole model as the kind of file it came from. Ctrl-C writes a checkpoint;
            the same command goes on from it.

              lyceum tune --objective sft --data chats.jsonl --out tuned
              lyceum tune --objective dpo --data pairs.jsonl --rate 5e-6 --out preferred
              lyceum tune --objective grpo --data sums.jsonl --reward number --out rewarded
              lyceum tune --objective text --data book.jsonl --form full --out read
              lyceum merge --adapter tuned --out model

            Under Open MPI's mpirun several processes share each step, with the same losses; not
            those that learn from rewards. Docs/Distributed.md tells more.

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

    @Option(help: "An adapter's rank.")
    var rank = 16

    @Option(help: "An adapter's scale, times the rank.")
    var alpha = 32.0

    @Option(help: "Share of an adapter's inputs that training leaves out.")
    var dropout = 0.0

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

    @OptionGroup(title: "Learning from rewards")
    var rewards: RewardArguments

    @Option(
        help:
            "The longest sample in tokens. A longer text loses its end; a conversation or pair the beginning of its prompt, then the answer's end."
    )
    var longest = 1024

    @OptionGroup var training: TrainingArguments

    func validate() throws {
        guard objective.learnsFromRewards == (rewards.reward != nil) else {
            throw ValidationError("--reward belongs to --objective grpo, rloo, reinforce or ppo, which need it.")
        }
        guard !objective.learnsFromRewards || Ranks.own.size == 1 else {
            throw ValidationError("--objective \(objective.rawValue) trains in one process; leave mpirun out.")
        }
        guard !objective.learnsFromRewards || heldOut == nil else {
            throw ValidationError("--held-out isn't used where the model learns from its own texts.")
        }
        guard beta == nil || [.dpo, .ipo, .kto, .simpo, .orpo, .unlikelihood].contains(objective) else {
            throw ValidationError("--beta belongs to --objective dpo, ipo, kto, simpo, orpo or unlikelihood.")
        }
        guard form != .full || !rankStabilised else {
            throw ValidationError("--rank-stabilised belongs to an adapter.")
        }
        guard form == .full || !training.optimiser.projects else {
            throw ValidationError(
                "--optimiser \(training.optimiser.rawValue) projects the gradients of whole weights; use --form full.")
        }
        guard training.patience == nil || heldOut != nil else {
            throw ValidationError("--patience needs --held-out FILE.")
        }
        guard !training.keepBest || heldOut != nil else { throw ValidationError("--keep-best needs --held-out FILE.") }
    }

    func run() async throws {
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
            case .reward: try await train(BradleyTerry(), on: Self.pairs)
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

    // MARK: Samples

    private static func conversations(_ file: String, _ encoder: inout SampleEncoder) throws -> [TokenSequence] {
        try samples(file, as: ConversationRecord.self) { try encoder.conversation($0.messages, counting: $0.learned) }
    }

    private static func texts(_ file: String, _ encoder: inout SampleEncoder) throws -> [TokenSequence] {
        try samples(file, as: TextRecord.self) {
            let text = encoder.text($0.text)
            guard text.weight > 0 else {
                throw TrainingError.badSetting("text", reason: "it has no token to be learned")
            }
            return text
        }
    }

    private static func pairs(_ file: String, _ encoder: inout SampleEncoder) throws -> [PreferencePair] {
        try samples(file, as: PreferenceRecord.self) {
            try encoder.pair(prompt: $0.prompt, chosen: $0.chosen, rejected: $0.rejected)
        }
    }

    /// Each answer's mismatched partner is the next record's prompt, as the paper pairs them within a batch.
    private static func judgedAnswers(_ file: String, _ encoder: inout SampleEncoder) throws -> [JudgedAnswer] {
        let records = try DataSet(path: file).records
        let answers = try records.map { record in
            let answer = try JudgedRecord(record)
            try sample(of: record) { _ = try encoder.prompt(answer.prompt) }
            return answer
        }
        return try answers.indices.map { index in
            let answer = answers[index]
            return try sample(of: records[index]) {
                try encoder.judged(
                    prompt: answer.prompt, completion: answer.completion, isDesirable: answer.isDesirable,
                    mismatched: answers[(index + 1) % answers.count].prompt)
            }
        }
    }

    private static func samples<Shape: DataRecord, Sample>(
        _ file: String, as shape: Shape.Type, _ encode: (Shape) throws -> Sample
    ) throws -> [Sample] {
        try DataSet(path: file).records.map { record in
            let typed = try Shape(record)
            return try sample(of: record) { try encode(typed) }
        }
    }

    /// What is made of a record; the reason why it can't be names the record's file, line and field.
    static func sample<Sample>(of record: Record, _ encode: () throws -> Sample) throws -> Sample {
        do {
            return try encode()
        } catch TrainingError.badSetting(_, let reason), TrainingError.untrainable(let reason) {
            throw record.unusable(reason)
        } catch let error as TemplateError {
            throw record.unusable("\(error)")
        }
    }

    // MARK: Training

    private func train<Training: Objective>(
        _ objective: Training, on read: (String, inout SampleEncoder) throws -> [Training.Sample]
    ) async throws -> TrainingSummary {
        let path = try ModelReference(model).localPath()
        var encoder = try SampleEncoder(ModelText(path: path), limit: longest)
        let samples = try read(data, &encoder)
        let heldOut = try heldOut.map { try read($0, &encoder) } ?? []
        var run = TrainingRun(
            model: path, objective: objective, parameterisation: try parameterisation(),
            optimisation: try optimisation(),
            samples: samples, output: out)
        run.heldOut = heldOut
        run.precision = training.precision.compute
        run.settings = training.settings
        let console = Ranks.console
        console.tell(
            "\(objective.name): \(samples.count) samples, \(heldOut.count) held out"
                + (encoder.cutCount > 0 ? ", \(encoder.cutCount) cut at \(encoder.limit) tokens" : ""))
        let record = record(
            objective.name, model: path,
            counts: [("samples", samples.count), ("held out", heldOut.count), ("samples cut", encoder.cutCount)])
        let finished = try await record.kept { [run] in try await Ranks.train(run, console) }
        guard Ranks.own.isFirst else { return finished }
        Output.table(Self.table(of: finished.history))
        Output.line("\(finished.outcome.rawValue): \(out)")
        return finished
    }

    /// - Parameter counts: of samples, by name.
    func record(_ objective: String, model: String, counts: [(name: String, value: Int)]) -> TrainingRecord {
        TrainingRecord(
            command: "tune", objective: objective, model: model, data: [data] + [heldOut].compactMap { $0 },
            seed: training.seed, out: out, counts: counts)
    }

    func optimisation() throws -> Optimisation {
        let standard = (form == .full ? 2e-5 : 2e-4) * (objective.isGentle ? 0.1 : 1)
        return try training.optimisation(rate: standard)
    }

    func parameterisation() throws -> any Parameterisation {
        guard objective != .reward else { return try NewHeads([.init(BradleyTerry.head)], on: body()) }
        return try body()
    }

    private func body() throws -> any Parameterisation {
        let patterns = targets.map { list in
            list.split(separator: ",").map { NamePattern(String($0)) }
        }
        guard form != .full else { return patterns.map { ChosenWeights($0) } ?? .all }
        return try LowRankAdaptation(
            rank: rank, alpha: alpha, dropout: dropout, targets: patterns ?? LowRankAdaptation.allLinear,
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
