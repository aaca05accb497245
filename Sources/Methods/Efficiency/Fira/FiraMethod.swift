import Foundation
import Inference
import Laboratory
import Models
import Tensors
import Text
import Training

/// Fira, full-rank training under a low-rank constraint: an optimiser that keeps Adam's state only for a projection of each matrix's gradient, and moves the
/// matrix by the whole of it. The rule is ``Training/Fira``; this method trains a model with it, with GaLore and with AdamW from the same start on the same batches.
///
/// The residual is that of the paper's code (G - α P R), from which its numbers come; `--residual exact` is the paper's equation.
///
/// Source: Chen et al., "Fira: Can We Achieve Full-rank Training of LLMs Under Low-rank Constraint?" (2024), arXiv:2410.01623.
public struct FiraMethod: Method {
    public static let card = MethodCard(
        "fira", .efficiency, name: "Fira", [.training],
        "Keeps optimiser state only for a low-rank projection of the gradient and still updates weights at full rank.",
        paper: Paper(
            "Fira: Can We Achieve Full-rank Training of LLMs Under Low-rank Constraint?", "Chen et al.", 2024,
            arXiv: "2410.01623"),
        needs: .trainable, data: "text, or messages (or prompt and completion, question and answer)",
        claim:
            "With the optimiser state of GaLore, Fira trains clearly better than GaLore and nearly as well as full Adam."
    )

    public init() {}

    public struct Options: MethodOptions {
        public var rank = 32
        public var gap = 200
        public var alpha = 0.25
        public var gamma = 1.01
        public var residual = Residual.reference
        public var scaling = Scaling.column
        public var projection = Projection.std
        public var base = Base.adam
        public var targets = LowRankAdaptation.allLinear.map(\.text)
        public var rate = 1e-4
        public var decay = 0.0
        public var clip = 0.0
        public var batch = 8
        public var epochs = 1.0
        public var maxLength = 512
        public var heldOut = 0.1
        public var baselines = true

        public init() {}

        public enum Residual: String, OptionChoice { case reference, exact }
        public enum Scaling: String, OptionChoice { case column, matrix }
        public enum Projection: String, OptionChoice { case std, reverse, left, right, full }
        public enum Base: String, OptionChoice {
            case adam
            case rmsProp = "rmsprop"
        }

        public static let fields: [Field<Self>] = [
            Field(
                "rank", \.rank, "rank of the projection; the paper's is 32 for fine-tuning, 64 to 512 for pretraining",
                .atLeast(1)),
            Field("gap", \.gap, "steps from one projection to the next", .atLeast(1)),
            Field("alpha", \.alpha, "scale of the part inside the projection", .above(0)),
            Field("gamma", \.gamma, "how much the part outside may grow in a step", .above(1)),
            Field("residual", \.residual, "the part outside: the code's G - αPR, or the paper's G - PR"),
            Field("scaling", \.scaling, "scale the part outside by column or as a whole"),
            Field("projection", \.projection, "which side is projected; std: the shorter one"),
            Field("base", \.base, "the rule inside the projection"),
            Field("targets", \.targets, "the matrices that are projected", .filled),
            Field("rate", \.rate, "the full learning rate", .above(0)),
            Field("weight-decay", \.decay, "decoupled weight decay of matrices", .atLeast(0)),
            Field(
                "clip", \.clip, "largest norm of the whole gradient; 0: no limit, as in the paper's small runs",
                .atLeast(0)),
            Field("batch", \.batch, "samples of one step", .atLeast(1)),
            Field("epochs", \.epochs, "how often every sample is seen", .above(0)),
            Field("max-length", \.maxLength, "the longest sample in tokens; the rest is cut", .atLeast(2)),
            Field("held-out", \.heldOut, "share of the samples that is only evaluated on", .above(0), .below(1)),
            Field("baselines", \.baselines, "also train with GaLore and with AdamW"),
        ]

        public func validate() throws(OptionError) {
            if projection == .full, scaling == .column {
                throw .conflict(
                    "--projection full projects both sides, so no column can be scaled alone; use --scaling matrix.")
            }
        }

        func rule() throws -> Fira {
            try Fira(
                rank: rank, refreshGap: gap, scale: alpha, growthLimit: gamma,
                residual: residual == .exact ? .exact : .reference, scaling: scaling == .column ? .column : .matrix,
                projection: projection == .std
                    ? .standard : Fira.Projection(rawValue: projection.rawValue) ?? .standard,
                base: base == .adam ? .adam : .rmsProp, targets: targets.map { NamePattern($0) })
        }
    }

    /// Trains all weights of the subject on the data with Fira, beside GaLore and AdamW, and writes Fira's model.
    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let reference = try ModelReference(lab.languageModel().identity.reference)
        let path = try reference.localPath()
        var encoder = try SampleEncoder(ModelText(path: path), limit: options.maxLength)
        let isText = try lab.data().records.first.map { $0["text"] != nil || $0["content"] != nil } ?? false
        func read(_ data: DataSet) throws -> [TokenSequence] {
            isText
                ? try data.records(as: TextRecord.self).map { encoder.text($0.text) }
                : try data.records(as: ConversationRecord.self).map { try encoder.conversation($0.messages) }
        }
        let parts = try lab.data().split(share: options.heldOut, seed: lab.seed)
        let (heldOut, samples) = (try read(parts.0), try read(parts.1))
        guard !samples.isEmpty, !heldOut.isEmpty else {
            throw DataError.unreadable(
                source: try lab.data().source, reason: "two records are the least: one to train on, one to evaluate on."
            )
        }
        let stage = OptimiserStage(
            model: path, samples: samples, heldOut: heldOut, rate: options.rate, decay: options.decay,
            largestNorm: options.clip > 0 ? options.clip : nil, batch: options.batch, epochs: options.epochs,
            steps: nil,
            schedule: .cosine(end: 0.1), precision: .bf16, lab: lab)
        let rule = try options.rule()
        var arms: [OptimiserArm] = []
        if options.baselines {
            var galore = rule
            galore.residual = .none
            arms = [try await stage.train("AdamW", AdamW(epsilon: 1e-6)), try await stage.train("GaLore", galore)]
        }
        let fira = try await stage.train("Fira", rule, keeps: true)
        arms.append(fira)
        var report = Report(
            "Training with Fira",
            summary: "Held-out loss "
                + arms.map { "\(NumberStyle.decimals(4).text($0.loss)) with \($0.name)" }.joined(separator: ", ")
                + ".")
        report.add(OptimiserArm.table(arms))
        report.add(OptimiserArm.plot(arms))
        report.note(
            "The state is what the optimiser remembers; the whole gradient of each matrix still exists during a step. The model is in \(fira.folder)."
        )
        if encoder.cutCount > 0 { report.note("\(encoder.cutCount) samples were cut at \(options.maxLength) tokens.") }
        return report
    }
}
