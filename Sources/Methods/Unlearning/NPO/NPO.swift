import Foundation
import Inference
import Laboratory
import Models
import Tensors
import Text
import Training

/// NPO, negative preference optimisation: forgets answers by DPO's loss without its preferred answer. ``NegativePreference`` is the loss,
/// ``ForgetAndRetain`` joins it with what holds the rest in place, ``UnlearningRun`` trains, ``AnswerAudit`` grades every epoch as TOFU does.
///
/// The baselines run under the same trainer: `--loss ga` with `--retain-weight` is gradient difference, with `--kl-weight` KL minimisation; `idk` learns
/// refusals, `dpo` prefers them, `kto` is the unwanted half of KTO.
///
/// Taken from the paper where its code differs: gradient ascent on the sum over an answer (the code takes the negated mean per token), the KL term over
/// the answer's tokens alone (the code averages over prompts and padding, too), KTO's divergence inside β.
///
/// Source: Zhang, Lin, Bai, Mei, "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning" (2024), arXiv:2404.05868.
public struct NPO: Method {
    public static let card = MethodCard(
        "npo", .unlearning, name: "NPO", [.training, .evaluation],
        "Makes a model forget a set of answers by a preference loss that doesn't collapse as gradient ascent does.",
        paper: Paper(
            "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning", "Zhang et al.",
            2024,
            arXiv: "2404.05868"),
        needs: [.completion, .scoring, .trainable],
        data: "question, answer to be forgotten; paraphrased_answer and perturbed_answer where there are any",
        claim:
            "Gradient ascent drives a model ever further from what it was; NPO comes to rest, and with a retain loss it forgets "
            + "while keeping more than gradient difference does.")

    public init() {}

    public struct Options: MethodOptions {
        public var loss = Loss.npo
        public var beta = 0.1
        public var forgetWeight = 1.0
        public var retainWeight = 1.0
        public var klWeight = 0.0
        public var retainData: Path?
        public var authorData: Path?
        public var worldData: Path?
        public var retainModel: Path?
        public var retainValues: Path?
        public var refusal = "I don't know."
        public var rate = 1e-5
        public var decay = 0.01
        public var batch = 32
        public var epochs = 10
        public var warmUpEpochs = 1
        public var maxLength = 500
        public var evaluationSize = 300
        public var form = Form.full
        public var rank = 16
        public var raw = false

        public init() {}

        /// What pushes the answers away.
        public enum Loss: String, OptionChoice { case npo, ga, idk, dpo, kto }
        /// What trains.
        public enum Form: String, OptionChoice { case full, lora }

        public static let fields: [Field<Self>] = [
            Field("loss", \.loss, "what pushes the answers away"),
            Field("beta", \.beta, "how soon npo, dpo and kto let go, on the sum over an answer's tokens", .above(0)),
            Field("forget-weight", \.forgetWeight, "weight of forgetting", .above(0)),
            Field("retain-weight", \.retainWeight, "weight of the loss on answers to keep", .atLeast(0)),
            Field("kl-weight", \.klWeight, "weight of the divergence from the start on answers to keep", .atLeast(0)),
            Field("retain-data", \.retainData, "questions and answers to keep"),
            Field("author-data", \.authorData, "further questions to keep, for model utility (TOFU's real authors)"),
            Field("world-data", \.worldData, "further questions to keep, for model utility (TOFU's world facts)"),
            Field("retain-model", \.retainModel, "a model trained on the retain data only, for forget quality"),
            Field("retain-values", \.retainValues, "that model's R values, a JSON array, instead of it"),
            Field("refusal", \.refusal, "the answer that idk, dpo and kto compare with", .filled),
            Field("rate", \.rate, "the full learning rate", .above(0)),
            Field("weight-decay", \.decay, "weight decay of matrices", .atLeast(0)),
            Field("batch", \.batch, "samples of one step", .atLeast(1)),
            Field("epochs", \.epochs, "how often every answer to be forgotten is seen", .atLeast(1)),
            Field("warm-up-epochs", \.warmUpEpochs, "epochs until the full rate", .atLeast(0)),
            Field("max-length", \.maxLength, "the most tokens of a question with its answer", .atLeast(4)),
            Field("evaluation-size", \.evaluationSize, "the most questions of a set that are examined", .atLeast(1)),
            Field("form", \.form, "train all weights, or an adapter"),
            Field("rank", \.rank, "the adapter's rank", .atLeast(1)),
            Field("raw", \.raw, "ask without the model's chat template"),
        ]

        public func validate() throws(OptionError) {
            if retainData == nil, klWeight > 0 {
                throw .conflict("--kl-weight compares on answers to keep; give them with --retain-data.")
            }
            if retainModel != nil, retainValues != nil {
                throw .conflict("--retain-model and --retain-values say the same thing; give one of them.")
            }
        }

        var term: any ForgetTerm {
            get throws {
                switch loss {
                case .npo: try NegativePreference(beta: beta)
                case .ga: GradientAscent()
                case .idk: RefusalLearning()
                case .dpo: try RefusalPreference(beta: beta)
                case .kto: try UnwantedAnswer(beta: beta)
                }
            }
        }
    }

    /// Makes the subject forget the records' answers, examines it after every epoch, and writes the model of the best one.
    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let subject = try lab.scoringModel()
        let reference = try ModelReference(subject.identity.reference)
        guard reference.isLocal else { throw UnlearningError.notLocal(subject.identity.reference) }
        let path = try reference.localPath()
        let source = try openWeights(at: path)
        let format = QuestionFormat(
            try ModelText(source), usesTemplate: options.raw ? false : nil, limit: options.maxLength)
        let data = try ForgetData(options, forget: lab.data(), format: format)
        let precision = ComputePrecision.bf16
        let objective = try ForgetAndRetain(
            options.term, forgetWeight: options.forgetWeight,
            retainWeight: data.retain.isEmpty ? 0 : options.retainWeight,
            divergence: options.klWeight > 0
                ? .init(
                    weight: options.klWeight, reference: try DecoderModel(source, forms: { _ in precision.frozen }))
                : nil)
        var run = UnlearningRun(model: path, objective: objective, output: try lab.modelFolder("unlearned"))
        run.rate = options.rate
        run.decay = options.decay
        run.batch = options.batch
        run.epochs = options.epochs
        run.warmUpEpochs = options.warmUpEpochs
        run.precision = precision
        if options.form == .lora {
            run.parameterisation = try LowRankAdaptation(rank: options.rank, alpha: Double(2 * options.rank))
        }
        let examiner = EpochExaminer(data: data, retained: try await retainedRatios(options, data, lab), lab: lab)
        if let warning = Self.warning(options, lengths: data.forget.map(\.text.weight)) { lab.tell(warning) }
        var table = EpochTable()
        table.add(0, try await examiner.examine(subject, divergence: 0))
        let best = try await run(
            data.forget.map { ($0.text, try? format.text(question: $0.question, answer: options.refusal)) },
            retain: data.retain.map(\.text), label: objective.name, in: lab
        ) { epoch, view in
            let found = try await examiner.examine(
                view.engine, divergence: try Self.divergence(of: view.trained, from: source, on: data.kept.map(\.text)))
            table.add(epoch, found)
            // Forget quality decides where it can be measured; else the last epoch stays.
            return found.quality?.test.pValue ?? Double(epoch)
        }
        return try table.report(objective: objective.name, best: best, output: run.output, options, data, lab)
    }

    /// R of a model trained on the retain data only, nil where none was given: nothing else stands for it.
    private func retainedRatios(_ options: Options, _ data: ForgetData, _ lab: Lab) async throws -> [Double]? {
        if let file = options.retainValues {
            guard let bytes = FileManager.default.contents(atPath: file.expanded),
                let values = (try? JSONValue(parsing: Array(bytes)))?.arrayValue?.compactMap(\.doubleValue),
                !values.isEmpty
            else { throw UnlearningError.badValues(file: file.string, reason: "must hold a JSON array of numbers") }
            return values
        }
        guard let path = options.retainModel else { return nil }
        guard data.forget.contains(where: { !$0.perturbed.isEmpty }) else {
            throw UnlearningError.missing("Forget quality needs records with perturbed_answer; these have none.")
        }
        let model = try await lab.loadModel(path.string)
        guard let scoring = model as? any ScoringModel else {
            throw CapabilityError(slug: lab.slug, model: model, missing: .scoring)
        }
        return try await AnswerAudit()(data.examined, of: scoring, label: "Retain-only model", in: lab).ratios
    }

    /// The mean over texts of KL(start ‖ now) per token of the answer, in nats.
    private static func divergence(
        of model: DecoderModel, from source: any WeightSource, on texts: [TokenSequence]
    ) throws -> Double? {
        guard !texts.isEmpty else { return nil }
        return UnlearningMeasure.divergence(
            of: model, from: try DecoderModel(source, forms: { _ in .bf16 }), on: Array(texts.prefix(100)))
    }

    /// β acts on sums, so what it does depends on how long the answers are.
    package static func warning(_ options: Options, lengths: [Double]) -> String? {
        guard options.loss == .npo || options.loss == .dpo || options.loss == .kto, !lengths.isEmpty else { return nil }
        let product = options.beta * lengths.reduce(0, +) / Double(lengths.count)
        guard product < 1 else { return nil }
        let text = NumberStyle.decimals(2).text(product)
        return
            "β × mean answer length is \(text): below 1 the loss can hardly be told from gradient ascent. Try a larger --beta."
    }
}

/// Measures of a model in training.
package enum UnlearningMeasure {
    /// The mean over texts of KL(start ‖ now) per token that counts, in nats.
    package static func divergence(of model: DecoderModel, from start: DecoderModel, on texts: [TokenSequence])
        -> Double
    {
        var sum = 0.0
        for part in stride(from: 0, to: texts.count, by: 32) {
            let own = Array(texts[part..<min(part + 32, texts.count)])
            sum += GradientMode.withoutGradients {
                let found = Policy(model).divergences(own, from: start)
                return Double(found.batch.weightedMeans(found.values).sum().item)
            }
        }
        return sum / Double(max(1, texts.count))
    }
}
