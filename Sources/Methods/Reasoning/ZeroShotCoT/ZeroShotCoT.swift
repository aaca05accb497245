import Inference
import Laboratory
import Text

/// Zero-shot-CoT: two prompts a question. The first ends in a trigger t ("Let's think step by step.") and gives a reasoning z;
/// the second is the whole first exchange and an extraction phrase e, and gives the answer.
///
/// ```
/// p₁ = "Q: " + x + "\nA:" + " " + t        z = greedy(p₁), at most max-length-cot tokens
/// p₂ = p₁ + z + " " + e                    s = greedy(p₂), at most max-length-direct tokens
/// y  = clean(s): the first match of the answer's kind
/// ```
///
/// The baseline, zero-shot, asks for the answer at once: p = "Q: x\nA:" + " " + e′. Right is y equal to the gold string; no match
/// counts as wrong.
///
/// Taken from the reference code: phrases, triggers, cleaning, caps, and that the few-shot answer stands after the last "The
/// answer is". Not taken: few-shot outputs end where the model begins a question of its own (`stop-at-next-question`), as
/// models that go on would be judged by the answer to that.
///
/// Source: Kojima, Gu, Reid, Matsuo, Iwasawa, "Large Language Models are Zero-Shot Reasoners" (NeurIPS 2022),
/// arXiv:2205.11916; the vote over sampled reasonings is Wang et al. (2022), arXiv:2203.11171.
public struct ZeroShotCoT: StrategyMethod {
    public static let card = MethodCard(
        "zero-shot-cot", .reasoning, name: "Zero-shot-CoT", [.inference],
        "A fixed sentence makes the model reason first, a second prompt takes the answer from the reasoning; no examples needed.",
        paper: Paper(
            "Large Language Models are Zero-Shot Reasoners", "Kojima et al.", 2022, arXiv: "2205.11916"),
        needs: .completion,
        claim:
            "Asked to think step by step and then for the answer, a large model solves far more multi-step questions than "
            + "asked for the answer at once.")

    public init() {}

    public struct Options: MethodOptions {
        public var variants: [ReasoningVariant] = [.zeroShot, .zeroShotCoT]
        public var trigger = ReasoningTrigger.all[0]
        public var studiesTriggers = false
        public var maxLengthCoT = 128
        public var maxLengthDirect = 32
        public var temperature = 0.0
        public var limitDatasetSize = 10
        public var answerType = AnswerType.auto
        public var shufflesOptions = false
        public var letters = AnswerExtractor.LetterMatching.bare
        public var numericEquality = false
        public var examples = 8
        public var exampleFile: Path?
        public var stopAtNextQuestion = true
        public var paths = 40
        public var pathTemperature = 0.7
        public var frame = Frame.auto
        public var task: GeneratedTask?
        public var people = 4

        public init() {}

        /// How the question reaches the model.
        public enum Frame: String, OptionChoice {
            /// Raw text where the model continues it, else a conversation.
            case auto
            case raw, chat
        }

        public static let fields: [Field<Self>] = [
            Field("variants", \.variants, "ways of asking, compared on the same items; zero-shot is the baseline"),
            Field("trigger", \.trigger, "the sentence that starts the reasoning, or its number from 1 to 14", .filled),
            Field("study-triggers", \.studiesTriggers, "ask zero-shot-cot with each of the fourteen triggers"),
            Field("max-length-cot", \.maxLengthCoT, "most tokens of a reasoning", .atLeast(1)),
            Field("max-length-direct", \.maxLengthDirect, "most tokens of an answer", .atLeast(1)),
            Field("temperature", \.temperature, "temperature of every call, 0: greedy", .atLeast(0)),
            Field(
                "limit-dataset-size", \.limitDatasetSize,
                "items to run, drawn by the seed; 0: all (a given --limit goes before)",
                .atLeast(0)),
            Field("answer-type", \.answerType, "the kind of all answers"),
            Field(
                "shuffle-options", \.shufflesOptions, "shuffle each question's options, where the right one comes first"
            ),
            Field("letters", \.letters, "which letters count as the name of an option"),
            Field(
                "numeric-equality", \.numericEquality,
                "count equal numbers as equal (12.0 and 12), not only equal strings"),
            Field("examples", \.examples, "worked examples of the few-shot variants", .atLeast(1)),
            Field(
                "example-file", \.exampleFile,
                "worked examples: records of question, answer and, for few-shot-cot, rationale"),
            Field(
                "stop-at-next-question", \.stopAtNextQuestion,
                "end few-shot outputs where the model writes a new question"),
            Field("paths", \.paths, "reasonings sampled for self-consistency", .atLeast(1)),
            Field("path-temperature", \.pathTemperature, "temperature of those reasonings", .above(0)),
            Field("frame", \.frame, "raw text (Q: … A: …), or a chat whose last turn is begun with the trigger"),
            Field("task", \.task, "generate the questions instead of reading --data"),
            Field("people", \.people, "names in a generated coin-flip or last-letters question", .within(1...50)),
        ]

        public func validate() throws(OptionError) {
            if ReasoningTrigger.named(trigger) == nil {
                throw .wrongValue(
                    option: "trigger", value: trigger,
                    expectation: "the words of a trigger, or a number from 1 to \(ReasoningTrigger.all.count)")
            }
            if variants.isEmpty {
                throw .wrongValue(option: "variants", value: "", expectation: [ReasoningVariant].expectation)
            }
        }

        /// The arms to run, the baseline first.
        package var arms: [ReasoningArm] {
            let words = ReasoningTrigger.named(trigger) ?? trigger
            var arms = [ReasoningArm(.zeroShot)]
            for variant in variants where !arms.contains(where: { $0.variant == variant }) {
                arms.append(ReasoningArm(variant, trigger: words))
            }
            guard studiesTriggers else { return arms }
            arms.removeAll { $0.variant == .zeroShotCoT }
            return arms
                + ReasoningTrigger.all.enumerated().map { index, words in
                    ReasoningArm(.zeroShotCoT, trigger: words, name: "trigger \(index + 1): \(words)")
                }
        }
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let items = try items(options, in: lab)
        let runner = try ReasoningRunner(
            lab.languageModel(), frame: frame(options, of: lab.languageModel()), options: options,
            examples: examples(options, for: items, in: lab), seed: lab.seed)
        let table = try await ReasoningTable(runner, arms: options.arms, items: items, in: lab)
        return try table.report(options)
    }

    // MARK: Questions

    private func items(_ options: Options, in lab: Lab) throws -> [ReasoningItem] {
        if let task = options.task {
            // The paper's sets have 500 items.
            let count = lab.limit ?? (options.limitDatasetSize == 0 ? 500 : options.limitDatasetSize)
            var generator = lab.random(task.rawValue)
            return task.items(count, people: options.people, using: &generator)
        }
        var data = try lab.data().shuffled(seed: lab.seed)
        if lab.limit == nil, options.limitDatasetSize > 0 { data = data.prefix(options.limitDatasetSize) }
        var shuffle: SeededGenerator? = options.shufflesOptions ? lab.random("options") : nil
        var items: [ReasoningItem] = []
        for record in data.records {
            items.append(try ReasoningItem(record, type: options.answerType, shuffle: &shuffle))
        }
        return items
    }

    private func examples(_ options: Options, for items: [ReasoningItem], in lab: Lab) throws -> [WorkedExample] {
        guard options.variants.contains(where: \.needsExamples) else { return [] }
        var generator = lab.random("examples")
        let all: [WorkedExample]
        if let file = options.exampleFile {
            all = try DataSet(path: file.expanded).records.map { record throws(DataError) in
                let example = try WorkedExample(record)
                if example.rationale.isEmpty, options.variants.contains(.fewShotCoT) {
                    throw .missingField(record.place, field: "\"rationale\"", present: record.fieldNames)
                }
                return example
            }
        } else if let task = options.task {
            return task.examples(options.examples, people: options.people, using: &generator)
        } else if items.allSatisfy({ $0.kind == .number }) {
            all = WorkedExample.arithmetic
        } else {
            throw OptionError.conflict(
                "The few-shot variants need worked examples of your kind of question: give --example-file with records of "
                    + "question, rationale and answer.")
        }
        return Array(generator.shuffled(all.prefix(options.examples)))
    }

    func frame(_ options: Options, of model: any LanguageModel) throws -> PromptFrame {
        let continuesText = model.capabilities.contains(.rawText)
        switch options.frame {
        case .chat: return .chat
        case .auto: return continuesText ? .raw : .chat
        case .raw:
            guard continuesText else { throw CapabilityError(slug: Self.card.slug, model: model, missing: .rawText) }
            return .raw
        }
    }
}
