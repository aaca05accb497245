import Inference
import Laboratory
import Text

/// SEC, self-contemplation prompting: the model writes its own demonstrations for each question and answers with them.
///
/// 1. Ask for n questions like x in a numbered template, up to 24 times: attempt r takes paraphrase r mod 6, at temperature 0 for
///    r < 6 and 1 from then on.
/// 2. Take the first reply with at least k complete and well-formed demonstrations.
/// 3. Show the first k of them as turns of a conversation, without their solutions in the vanilla scenario, and ask x.
/// 4. Answer greedily and read the answer.
///
/// The arms beside it are the same conversation without demonstrations and, with `--example-file`, with people's.
///
/// Taken from the paper where its code differs: a reply without an option's letter is no answer (the code counts it as A, see
/// `guess-first-option`), and all six paraphrases are apart (in the code a missing comma joins two). Questions whose
/// answers are programs are not handled: judging them takes running them.
///
/// Source: Li, Wang, Li, "Are Human-generated Demonstrations Necessary for In-context Learning?" (2023), arXiv:2309.14681.
public struct SEC: StrategyMethod {
    public static let card = MethodCard(
        "sec", .reasoning, name: "SEC", [.inference],
        "Writes its own demonstrations for a question first and then answers with them as few-shot examples.",
        paper: Paper(
            "Are Human-generated Demonstrations Necessary for In-context Learning?", "Li et al.", 2023,
            arXiv: "2309.14681"),
        data: "question, answer; options, answer_type and subject where there are any",
        claim:
            "With demonstrations that it wrote itself a model answers more questions than with none, and about as many as "
            + "with people's.")

    public init() {}

    public struct Options: MethodOptions {
        public var scenario = DemonstrationScenario.van
        public var k = 4
        public var nGenerate = 5
        public var maxRetries = 24
        public var tempFirst = 0.0
        public var tempLate = 1.0
        public var genMaxTokens = 3000
        public var ansMaxTokens = 800
        public var answerTemperature = 0.0
        public var onFailure = OnFailure.error
        public var guessesFirstOption = false
        public var ablation = DemonstrationAblation.none
        public var exampleFile: Path?
        public var answerType = AnswerType.auto

        public init() {}

        /// What becomes of a question for which no demonstrations could be read.
        public enum OnFailure: String, OptionChoice {
            case error, skip
            case zeroShot = "zero-shot"
        }

        public static let fields: [Field<Self>] = [
            Field("scenario", \.scenario, "what demonstrations show: answers, or steps and answers"),
            Field("k", \.k, "demonstrations shown", .atLeast(1)),
            Field("n-generate", \.nGenerate, "demonstrations asked for", .atLeast(1)),
            Field("max-retries", \.maxRetries, "the most attempts a question", .atLeast(1)),
            Field("temp-first", \.tempFirst, "temperature of the first six attempts", .atLeast(0)),
            Field("temp-late", \.tempLate, "temperature of later attempts", .atLeast(0)),
            Field("gen-max-tokens", \.genMaxTokens, "most tokens of an attempt", .atLeast(1)),
            Field("ans-max-tokens", \.ansMaxTokens, "most tokens of an answer", .atLeast(1)),
            Field("answer-temperature", \.answerTemperature, "temperature of the answer, 0: greedy", .atLeast(0)),
            Field("on-failure", \.onFailure, "what to do where no attempt gives k demonstrations"),
            Field(
                "guess-first-option", \.guessesFirstOption,
                "count a reply without a letter as A, as the reference code does"),
            Field("ablation", \.ablation, "spoil the demonstrations, to see what they are worth"),
            Field(
                "example-file", \.exampleFile,
                "people's demonstrations, as arms of their own: records of question, answer and rationale"),
            Field("answer-type", \.answerType, "the kind of all answers"),
        ]

        public func validate() throws(OptionError) {
            if k > nGenerate {
                throw .conflict(
                    "--k \(k) is more than --n-generate \(nGenerate): ask for at least as many demonstrations as are shown."
                )
            }
        }
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        return SelfContemplation(options)
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let questions = try Question.all(of: lab.data(), type: options.answerType)
        let comparison = try await StrategyComparison(
            try arms(options), on: questions, asking: try lab.languageModel(), in: lab)
        var report = try comparison.report("SEC")
        report.note(
            "Attempts count from 1; \"copied\" marks questions whose demonstrations repeat the question itself, which puts "
                + "the model's own answer to it into the prompt.")
        return report
    }

    /// Zero-shot first, then people's demonstrations where there are any, then the model's own.
    private func arms(_ options: Options) throws -> [any ReasoningStrategy] {
        var arms: [any ReasoningStrategy] = [HumanDemonstrations([], name: "zero-shot", options: options)]
        if let file = options.exampleFile {
            let shown = try DataSet(path: file.expanded).records.prefix(options.k).map { record throws(DataError) in
                let question = try QuestionRecord(record)
                let example = try WorkedExample(record)
                return WrittenDemonstration(
                    question: question.question, options: question.choices, solution: example.rationale,
                    answer: question.answerIndex.map { String(AnswerKind.options(26).letters[$0]) } ?? example.answer)
            }
            arms.append(
                HumanDemonstrations(shown, name: options.scenario == .cot ? "cot-icl" : "icl", options: options))
        }
        return arms + [SelfContemplation(options)]
    }
}

/// How demonstrations are spoilt.
public enum DemonstrationAblation: String, OptionChoice {
    case none
    /// The first demonstration in every place.
    case repeated
    /// Each with the answer of the next one; options with the next letter.
    case wrongLabels = "wrong-labels"

    package func apply(to demonstrations: [WrittenDemonstration], kind: AnswerKind) -> [WrittenDemonstration] {
        guard let first = demonstrations.first else { return [] }
        switch self {
        case .none: return demonstrations
        case .repeated: return demonstrations.map { _ in first }
        case .wrongLabels:
            return demonstrations.enumerated().map { index, demonstration in
                var wrong = demonstration
                if demonstration.options.count > 1 {
                    let letters = AnswerKind.options(demonstration.options.count).letters.map(String.init)
                    let place = letters.firstIndex(of: demonstration.answer) ?? 0
                    wrong.answer = letters[(place + 1) % letters.count]
                } else {
                    wrong.answer = demonstrations[(index + 1) % demonstrations.count].answer
                }
                return wrong
            }
        }
    }
}
