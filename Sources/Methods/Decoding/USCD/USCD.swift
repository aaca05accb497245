import Inference
import Laboratory
import Text

/// USCD, uncertainty-aware selective contrastive decoding: while a model writes code, the distribution after a *lame* prompt (the
/// same task without its examples) is subtracted from that after the standard prompt, but only at steps where the model is
/// unsure. `SelectiveContrast` is the rule, `ContrastCombiner` its place in decoding; both prompts share one continuation.
///
/// Where paper and reference code differ the paper was followed: one shared history (the code samples each prompt's row on its
/// own), and each prompt at its own positions (the code pads the shorter one without a mask). λ and η are the code's shipped
/// run; its threshold 0.005 is taken as the share 0.895 of what a vocabulary of 32,016 allows, so that it means the same for
/// every model (`--threshold-mode absolute` takes the number itself).
///
/// Source: Wang, Ding, Shen, Luo, He, Yu, Tao, "USCD: Improving Code Generation of LLMs by Uncertainty-Aware Selective Contrastive
/// Decoding" (2024), arXiv:2409.05923.
public struct USCD: Method {
    public static let card = MethodCard(
        "uscd", .decoding, name: "USCD", [.inference],
        "Writes code with more weight on a prompt's examples: subtracts what the model would write without them, at unsure steps only.",
        paper: Paper(
            "USCD: Improving Code Generation of LLMs by Uncertainty-Aware Selective Contrastive Decoding",
            "Wang et al.", 2024,
            arXiv: "2409.05923"),
        needs: [.completion, .rawText, .open],
        claim:
            "Contrasting with the prompt that lacks the examples, at unsure steps, makes the token that only the examples give "
            + "away more probable.")

    public init() {}

    public struct Options: MethodOptions {
        public var thresholdMode = ThresholdMode.relative
        public var threshold = 0.005
        public var relativeThreshold = 0.895
        public var measure = ConfidenceMeasure.deviation
        public var keepFactor = 2.0 / 3
        public var keepSet = true
        public var standardWeight = 1.0
        public var lameWeight = -0.7
        public var temperature = 0.8
        public var topP = 0.95
        public var samples = 1
        public var maxLength = 800
        public var stop = ["\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```"]
        public var lameRule = LameRule.docstring
        public var keptExamples = 0
        public var removesReferences = false
        public var stripsPrompts = false
        public var allowsEqualPrompts = false
        public var runsTests = true

        public init() {}

        /// What the threshold is compared with.
        public enum ThresholdMode: String, OptionChoice {
            /// The measure on its scale from 0 to 1.
            case relative
            /// The standard deviation itself.
            case absolute
        }

        public static let fields: [Field<Self>] = [
            Field(
                "threshold-mode", \.thresholdMode, "compare the measure's share of its maximum, or the deviation itself"
            ),
            Field("threshold", \.threshold, "deviation above which a step is sure, for the absolute mode", .atLeast(0)),
            Field(
                "relative-threshold", \.relativeThreshold, "share of the maximum above which a step is sure",
                .within(0...1)),
            Field("measure", \.measure, "how sure a distribution is; the paper's is deviation"),
            Field(
                "keep-factor", \.keepFactor, "keep tokens this many times as probable as the average one", .atLeast(0)),
            Field("keep-set", \.keepSet, "contrast only among tokens that are not improbable"),
            Field("standard-weight", \.standardWeight, "weight of the standard prompt", .above(0)),
            Field("lame-weight", \.lameWeight, "weight of the lame prompt", .atMost(0)),
            Field("temperature", \.temperature, "sampling temperature, after the contrast; 0: greedy", .atLeast(0)),
            Field("top-p", \.topP, "nucleus of the sampling", .above(0), .atMost(1)),
            Field("samples", \.samples, "completions an item and arm", .atLeast(1)),
            Field("max-length", \.maxLength, "most tokens of prompt and completion together", .atLeast(2)),
            Field("stop", \.stop, "texts that end a completion (a JSON array, where they hold line breaks)"),
            Field("lame-rule", \.lameRule, "how examples are removed from a prompt"),
            Field("kept-examples", \.keptExamples, "examples left in the lame prompt", .atLeast(0)),
            Field("remove-references", \.removesReferences, "also remove lines that only announce examples"),
            Field("strip-prompts", \.stripsPrompts, "remove white space at both ends of both prompts"),
            Field("allow-equal-prompts", \.allowsEqualPrompts, "accept items without examples (contrast with itself)"),
            Field("run-tests", \.runsTests, "run the records' tests on the completions, in the sandbox"),
        ]

        public func validate() throws(OptionError) {
            if thresholdMode == .absolute, measure != .deviation {
                throw .conflict(
                    "--threshold-mode absolute compares the standard deviation; use it with --measure deviation.")
            }
        }

        /// The rule of the arm that these options describe.
        package func rule(vocabularySize: Int? = nil) -> SelectiveContrast {
            var rule = SelectiveContrast()
            rule.threshold = thresholdMode == .relative ? .relative(relativeThreshold) : .absolute(threshold)
            rule.measure = measure
            rule.standardWeight = standardWeight
            rule.lameWeight = lameWeight
            rule.keepFactor = keepSet ? keepFactor : nil
            rule.vocabularySize = vocabularySize
            return rule
        }
    }

    /// Completes each record's prompt plainly, with contrast at every step, and with contrast at unsure steps, and runs the
    /// records' tests on what came out.
    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.openModel()
        let lame = LamePrompt(
            options.lameRule, keptExamples: options.keptExamples, removesReferences: options.removesReferences)
        var items: [CodeItem] = []
        for record in try lab.data().records {
            items.append(
                try CodeItem(
                    record, rule: lame, strips: options.stripsPrompts, allowsEqual: options.allowsEqualPrompts))
        }
        // Before anything is written: a machine without a sandbox says so at once.
        let isTested = options.runsTests && items.contains { !$0.tests.isEmpty }
        let table = try await ContrastTable(
            items, options: options, grader: isTested ? CodeGrader(try await Sandbox()) : nil, model: model, in: lab)
        return try table.report()
    }
}
