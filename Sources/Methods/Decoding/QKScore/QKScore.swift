import Inference
import Laboratory
import Text

/// QK-score: answers a multiple-choice question by the option that one *select-and-copy* attention head points at, instead of the
/// letter that the model would write.
///
/// For a prompt whose last token is N and whose options are represented by tokens t_i (the line break behind the text of option i),
///
///     S_QK(i)  = q_N · k_{t_i}         q = W_Q x, k = W_K x, before the rotary embedding, without scale or softmax
///     S_Att(i) = a_{N, t_i}            the ordinary attention weight
///     answer   = argmax_i S(i)
///
/// With grouped queries head h uses key head ⌊h / (H/H_kv)⌋. One forward pass gives the scores of all heads; the best head on
/// a few labelled questions is frozen and answers the others (`HeadRanking` also ranks without labels). In the same run:
/// the letters' logits, PriDe, the mean over all heads, all of them again with the options permuted, and the letters when the best
/// heads' outputs are set to zero beside random ones of the same layers.
///
/// Prompts are plain text: a chat template would put tokens between "Answer:" and the answer. Models that normalise queries and
/// keys after projecting them (Qwen 3) are read behind that norm. Where paper and public code leave things open: several heads
/// add up their scores at mean 0 and deviation 1; the label-free ranking is mean mass × entropy; attention weights of
/// several tokens are averaged, as keys are.
///
/// Without data the method answers the synthetic set: which option is the word that the question names.
///
/// Source: Tulchinskii, Kushnareva, Kuznetsov, Voznyuk, Andriiainen, Piontkovskaya, Burnaev, Barannikov, 2024, arXiv 2410.02343.
public struct QKScore: Method {
    public static let card = MethodCard(
        "qk-score", .decoding, name: "QK-score", [.inference, .evaluation],
        "Answers multiple-choice questions by the option that one select-and-copy head points at, not by the letter's logit.",
        paper: Paper(
            "Listening to the Wise Few: Select-and-Copy Attention Heads for Multiple-Choice QA",
            "Tulchinskii et al.", 2024, arXiv: "2410.02343"),
        needs: [.completion, .open],
        data:
            "question, options, gold (a position from 0, a letter or the text), and if there are any context and subject; "
            + "none: the synthetic set",
        claim:
            "The query-key product of one attention head, chosen on a few labelled questions, points at the right option more often "
            + "than the letters' logits name it.")

    public struct Options: MethodOptions {
        public var score = HeadScore.qk
        public var token = RepresentativeToken.eol
        public var calibrationFraction = 0.05
        public var selection = HeadSelectionRule.labelled
        public var heads: [HeadName] = []
        public var headFile: Path?
        public var ensemble = 1
        public var extraOptions = true
        public var shots = 0
        public var normalise = false
        public var prideItems = 20
        public var ablatedHeads = 10
        public var ablationDraws = 5
        public var ablationItems = 100
        public var logitLens = false
        public var syntheticItems = 2_500
        public var syntheticOptions = 4

        public init() {}

        public static let fields: [Field<Self>] = [
            Field("score", \.score, "query times key before the rotary embedding, or the attention weight"),
            Field("rep-token", \.token, "the token that stands for an option"),
            Field(
                "calib-fraction", \.calibrationFraction, "share of the questions that heads are chosen on", .above(0),
                .below(1)),
            Field("selection", \.selection, "choose heads by their accuracy, or without labels"),
            Field("heads", \.heads, "the heads that answer; empty: chosen"),
            Field("head-file", \.headFile, "heads chosen in an earlier run with this model"),
            Field("ensemble", \.ensemble, "how many of the best heads answer together", .atLeast(1)),
            Field(
                "extra-options", \.extraOptions,
                "also append two options that are never right (the setting without them is always measured)"),
            Field("shots", \.shots, "solved questions before each prompt", .within(0...5)),
            Field("normalise", \.normalise, "the cosine of query and key instead of their product"),
            Field("pride-items", \.prideItems, "questions that PriDe's letter prior is estimated on", .atLeast(1)),
            Field("ablated-heads", \.ablatedHeads, "the best heads to set to zero in the causal check", .atLeast(1)),
            Field("ablation-draws", \.ablationDraws, "random sets of heads beside them", .atLeast(1)),
            Field("ablation-items", \.ablationItems, "questions of the causal check; 0: none", .atLeast(0)),
            Field("logit-lens", \.logitLens, "also read the letters off every layer's hidden state"),
            Field("synthetic-items", \.syntheticItems, "questions made where no data is given", .atLeast(2)),
            Field(
                "synthetic-options", \.syntheticOptions, "their options",
                .within(2...ChoiceItem.mostOptions)),
        ]

        public func validate() throws(OptionError) {
            if !heads.isEmpty, headFile != nil {
                throw .conflict("--heads and --head-file both say which heads answer; give one of them.")
            }
            if normalise, score == .attention {
                throw .conflict("--normalise is about queries and keys; use it with --score qk.")
            }
        }
    }

    public init() {}

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.openModel()
        let items = try Self.items(options, model: model, lab: lab)
        let fixed = try Self.fixedHeads(options, model: model)
        let (labelled, test) = Self.split(items, share: options.calibrationFraction, seed: lab.seed)
        guard labelled.count > options.shots || options.shots == 0 && !fixed.isEmpty else {
            throw QKScoreError.noCalibration(items: items.count)
        }
        let calibration = Array(labelled.dropFirst(options.shots))
        let reader = Self.reader(options, model: model, shots: Array(labelled.prefix(options.shots)))
        var outcomes: [ChoiceExperiment.Outcome] = []
        for extraOptions in options.extraOptions ? [ChoiceText.extraOptions, []] : [[]] {
            let experiment = Self.experiment(options, reader: reader, extraOptions: extraOptions, fixed: fixed)
            outcomes.append(
                try await lab.time(extraOptions.isEmpty ? "content options" : "with never-correct options") {
                    try await experiment.run(calibration: calibration, test: test, in: lab)
                })
        }
        let outcome = outcomes[0]
        var ablation: [HeadAblation.Outcome] = []
        let best = outcome.ranking.prefix(options.ablatedHeads).map(\.head)
        if options.ablationItems > 0, !best.isEmpty {
            let checked = Array(test.prefix(options.ablationItems))
            ablation = try await HeadAblation(
                reader: reader, score: options.score, selected: outcome.selected, draws: options.ablationDraws
            ).outcomes(
                checked, intact: Array(outcome.test.prefix(checked.count)), best: best, baseline: outcome.baseline,
                in: lab)
        }
        if !outcome.ranking.isEmpty { try await Self.keep(outcome, options, model: model, in: lab) }
        let report = try QKScoreReport(items: test, outcomes: outcomes, ablation: ablation, rule: options.selection)
        for sample in report.samples { await lab.recorder.record(sample) }
        return report.report
    }

    public func demo(in lab: Lab) async throws -> Demonstration {
        try await QKScoreDemo(lab: lab).demonstrate()
    }

    // MARK: Parts

    private static func reader(_ options: Options, model: any OpenModel, shots: [ChoiceItem]) -> ChoiceReader {
        var reader = ChoiceReader(model: model)
        reader.token = options.token
        reader.extraOptions = options.extraOptions ? ChoiceText.extraOptions : []
        reader.shots = shots
        reader.isCosine = options.normalise
        reader.readsLens = options.logitLens
        return reader
    }

    private static func experiment(
        _ options: Options, reader: ChoiceReader, extraOptions: [String], fixed: [Head]
    ) -> ChoiceExperiment {
        var experiment = ChoiceExperiment(reader: reader)
        experiment.reader.extraOptions = extraOptions
        experiment.score = options.score
        experiment.rule = options.selection
        experiment.ensemble = options.ensemble
        experiment.fixed = fixed
        experiment.priorItems = options.prideItems
        return experiment
    }

    private static func items(_ options: Options, model: any OpenModel, lab: Lab) throws -> [ChoiceItem] {
        if lab.hasData { return try lab.data().records(as: ChoiceItem.self) }
        var random = lab.random("synthetic questions")
        return try SyntheticChoices.items(
            min(options.syntheticItems, lab.limit ?? .max), options: options.syntheticOptions,
            words: SyntheticChoices.words(of: model.tokenizer), name: "synthetic", using: &random)
    }

    private static func fixedHeads(_ options: Options, model: any OpenModel) throws -> [Head] {
        guard let path = options.headFile else { return options.heads.map(\.head) }
        let selection = try HeadSelection(
            path: path.expanded, fingerprint: model.identity.fingerprint, architecture: model.architecture)
        guard selection.score == options.score, selection.token == options.token else {
            throw QKScoreError.otherReading(
                path: path.string, selection.score, selection.token)
        }
        return selection.selected
    }

    /// The questions that heads are chosen on, and the others, in an order drawn from the seed. Both have one at least where
    /// there are two.
    package static func split(
        _ items: [ChoiceItem], share: Double, seed: UInt64
    ) -> (calibration: [ChoiceItem], test: [ChoiceItem]) {
        var random = SeededGenerator(seed: seed, stream: "calibration")
        let shuffled = random.shuffled(items)
        guard items.count > 1 else { return ([], shuffled) }
        let cut = max(1, min(items.count - 1, Int((Double(items.count) * share).rounded())))
        return (Array(shuffled[..<cut]), Array(shuffled[cut...]))
    }

    private static func keep(
        _ outcome: ChoiceExperiment.Outcome, _ options: Options, model: any OpenModel, in lab: Lab
    ) async throws {
        let identity = model.identity
        let file = try lab.outputFile("heads.json")
        try HeadSelection(
            fingerprint: identity.fingerprint, model: identity.name, score: options.score, token: options.token,
            rule: options.selection, items: outcome.calibration.count, ranking: outcome.ranking,
            selected: outcome.selected
        ).write(to: file)
        await lab.recorder.record(Artifact(kind: "chosen heads", path: file.path))
    }
}
