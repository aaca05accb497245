import Foundation
import Inference
import Laboratory
import Text
import Training

/// FuRePA, furthest reasoning with plan assessment: rounds of retrieval and reasoning for questions of several hops, in which the
/// model starts its chain of thought anew each round, seeing the question and the documents alone, and a trained assessor picks the next
/// query among the candidates (`FurthestReasoning` gives the loop).
///
/// The assessor learns from questions with annotated supporting passages G. States D are subsets of G with passages that a retriever
/// returned; the plans are the model's own samples there; the gain of a plan is the number of passages in G \ D that its top K brings;
/// the loss is −log σ(s_i − s_j) over pairs of a state with g_i > g_j, or the cross-entropy of g > 0.
///
/// The two parts are the paper's. Its prompts, models and numbers were not published: the layout of prompts, labels by gain, the
/// loss and the defaults of N, K and T are this reconstruction's, and can be set. Arms beside it: one-shot retrieval, visible history (as
/// in ReAct and IRCoT), the first plan, a random plan and, with supports, the plan of most gain.
///
/// Source: Zhu, Luo, Cheng, "Furthest Reasoning with Plan Assessment: Stable Reasoning Path with Retrieval-Augmented Large Language
/// Models" (2023), arXiv:2309.12767.
public struct FuRePA: StrategyMethod {
    public static let card = MethodCard(
        "furepa", .reasoning, name: "FuRePA", [.inference, .training],
        "Answers multi-hop questions in rounds that each reason afresh from the documents, a trained assessor picking the next query.",
        paper: Paper(
            "Furthest Reasoning with Plan Assessment: Stable Reasoning Path with Retrieval-Augmented LLMs",
            "Zhu et al.",
            2023, arXiv: "2309.12767"),
        data:
            "question, answer; supports (ids of the passages needed) where there are any; a corpus of id, title, text",
        claim:
            "A model that can't see its earlier thoughts and queries is not misled by a wrong one, and a trained assessor picks "
            + "queries that find more supporting passages than a random pick.")

    public init() {}

    public struct Options: MethodOptions {
        public var corpus: Path?
        public var rounds = 5
        public var samples = 5
        public var topK = 5
        public var temperature = 0.7
        public var finalTemperature = 0.0
        public var masksHistory = true
        public var startsWithQuestion = false
        public var choice = PlanChoice.assessor
        public var voteShare = 0.5
        public var documentWords = 600
        public var maxTokens = 200
        public var retrieval = Retrieval.words
        public var encoder: Path?
        public var assessorModel: Path?
        public var trainQuestions: Path?
        public var assessorBase: Path?
        public var assessorLoss = AssessorLoss.pairwise
        public var assessorEpochs = 3.0
        public var arms: [Arm] = [.oneShot, .historyVisible, .firstPlan]
        public var traces: Path?

        public init() {}

        public enum Retrieval: String, OptionChoice {
            case words, dense, hybrid
        }

        /// What the method is compared with.
        public enum Arm: String, OptionChoice {
            case oneShot = "one-shot"
            case historyVisible = "history-visible"
            case firstPlan = "first-plan"
            case randomPlan = "random-plan"
            case oraclePlan = "oracle-plan"
        }

        public static let fields: [Field<Self>] = [
            Field("corpus", \.corpus, "the passages: records of id, title and text"),
            Field("rounds", \.rounds, "the most rounds, T", .atLeast(1)),
            Field("samples", \.samples, "replies a round, N", .atLeast(1)),
            Field("top-k", \.topK, "passages a query, K", .atLeast(1)),
            Field("temperature", \.temperature, "of the replies", .atLeast(0)),
            Field("final-temperature", \.finalTemperature, "of a forced answer", .atLeast(0)),
            Field("mask-history", \.masksHistory, "hide earlier thoughts and queries (furthest reasoning)"),
            Field("start-with-question", \.startsWithQuestion, "search for the question before the first round"),
            Field("choice", \.choice, "how the next query is picked"),
            Field(
                "vote-share", \.voteShare, "answers stop when more than this share of the replies", .atLeast(0),
                .below(1)),
            Field("document-words", \.documentWords, "words of documents in a prompt", .atLeast(1)),
            Field("max-tokens", \.maxTokens, "most tokens of a reply", .atLeast(1)),
            Field("retrieval", \.retrieval, "how passages are found"),
            Field("encoder", \.encoder, "the embedding model of dense retrieval; none: the installed one"),
            Field("assessor-model", \.assessorModel, "a trained assessor"),
            Field("train-questions", \.trainQuestions, "questions with supports to train an assessor on"),
            Field("assessor-base", \.assessorBase, "a model to tune into the assessor; none: a small one from nothing"),
            Field("assessor-loss", \.assessorLoss, "what training makes smaller"),
            Field("assessor-epochs", \.assessorEpochs, "passes over the training states", .above(0)),
            Field("arms", \.arms, "what the method is compared with"),
            Field("traces", \.traces, "a file of traces to keep and to go on from"),
        ]
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        return Deferred(options: options)
    }

    /// The strategy of options alone: it reads the corpus for each question, and takes the first plan where no assessor is given.
    private struct Deferred: ReasoningStrategy {
        let name = "furepa"
        let options: Options

        func solve(_ inquiry: Inquiry) async throws -> Solution {
            let encoder = try options.encoder.map { try openEmbeddingModel(path: $0.expanded, reference: $0.string) }
            var reasoning = FuRePA.reasoning(options, try await FuRePA.store(options, encoder: encoder))
            if let path = options.assessorModel {
                reasoning.assessor = LabelTokenAssessor(try LocalModel(path: path.expanded, reference: path.string))
            } else if options.choice == .assessor {
                reasoning.choice = .first
            }
            return try await reasoning.solve(inquiry)
        }
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.languageModel()
        let data = try lab.data()
        let questions = try Question.all(of: data)
        let supports = try Self.supports(of: data, questions)
        let encoder = options.retrieval == .words ? nil : try lab.sentenceEncoder(options.encoder)
        let store = try await Self.store(options, encoder: encoder)
        var furthest = Self.reasoning(options, store)
        furthest.supports = supports
        var quality: AssessorQuality?
        if options.choice == .assessor {
            if let path = options.assessorModel {
                guard let scoring = try await lab.loadModel(path.string) as? any ScoringModel else {
                    throw FuRePAError.noAssessor
                }
                furthest.assessor = LabelTokenAssessor(scoring)
            } else {
                let (assessor, measured) = try await trained(options, furthest, without: questions, model, in: lab)
                furthest.assessor = assessor
                quality = measured
            }
        }
        let arms = try options.arms.map { arm in
            if arm == .oraclePlan, supports.isEmpty { throw FuRePAError.noSupports }
            return Self.arm(arm, of: furthest)
        }
        let file = try LineArchive<FurthestTrace>(path: options.traces?.expanded)
        let compared = try await FuRePAArms(
            arms + [furthest], on: questions, supports: supports, asking: model,
            key: "\(model.identity.fingerprint) \(lab.seed) \(options.json.text())", file: file, in: lab)
        var report = try compared.report("FuRePA", seed: lab.seed)
        if let quality { report.add(Self.metrics(quality)) }
        report.note(
            "Open retrieval over the corpus: supporting passages are not in the prompt unless a query finds them. Assessor labels "
                + "are gains in supporting passages. Exact match and F1 are SQuAD's.")
        return report
    }

    // MARK: Parts

    static func metrics(_ quality: AssessorQuality) -> [Metric] {
        [
            Metric("useful plans, assessor's choice", quality.assessor, style: .percent),
            Metric("useful plans, random choice", quality.random, style: .percent),
            Metric("useful plans, first", quality.first, style: .percent),
            Metric("useful plans, oracle", quality.oracle, style: .percent),
            Metric("AUC of the assessor within states", quality.auc),
        ]
    }

    private static func store(_ options: Options, encoder: (any EmbeddingModel)?) async throws -> PassageStore {
        guard let path = options.corpus else { throw FuRePAError.noCorpus }
        let records = try DataSet(path: path.expanded).records
        let corpus = try records.map { record throws(DataError) in
            Passage(
                id: try record.stringIfPresent("id") ?? record.place.description,
                title: try record.stringIfPresent("title") ?? "", text: try record.string("text"))
        }
        return try await PassageStore(
            corpus, mode: RetrievalMode(rawValue: options.retrieval.rawValue) ?? .words, encoder: encoder)
    }

    private static func reasoning(_ options: Options, _ store: PassageStore) -> FurthestReasoning {
        var reasoning = FurthestReasoning(store)
        reasoning.choice = options.choice
        reasoning.masksHistory = options.masksHistory
        reasoning.startsWithQuestion = options.startsWithQuestion
        reasoning.rounds = options.rounds
        reasoning.samples = options.samples
        reasoning.topK = options.topK
        reasoning.temperature = options.temperature
        reasoning.finalTemperature = options.finalTemperature
        reasoning.voteShare = options.voteShare
        reasoning.documentWords = options.documentWords
        reasoning.maxTokens = options.maxTokens
        return reasoning
    }

    package static func arm(_ arm: Options.Arm, of furthest: FurthestReasoning) -> FurthestReasoning {
        var other = furthest
        other.name = arm.rawValue
        switch arm {
        case .oneShot:
            other.startsWithQuestion = true
            other.rounds = 1
        case .historyVisible:
            other.masksHistory = false
            other.choice = .first
        case .firstPlan: other.choice = .first
        case .randomPlan: other.choice = .random
        case .oraclePlan: other.choice = .oracle
        }
        return other
    }

    private static func supports(of data: DataSet, _ questions: [Question]) throws -> [String: Set<String>] {
        var supports: [String: Set<String>] = [:]
        for (record, question) in zip(data.records, questions) where record["supports"] != nil {
            supports[question.id] = Set(try record.strings("supports"))
        }
        return supports
    }

    /// Simulates states of the training questions, tries the model's plans in them, and trains on four fifths of the questions. The
    /// rest says what the assessor is worth. Questions that are to be answered are left out.
    private func trained(
        _ options: Options, _ furthest: FurthestReasoning, without tested: [Question], _ model: any LanguageModel,
        in lab: Lab
    ) async throws -> (any PlanAssessor, AssessorQuality) {
        guard let path = options.trainQuestions else { throw FuRePAError.noAssessor }
        let data = try DataSet(path: path.expanded)
        let questions = try Question.all(of: data)
        let supports = try Self.supports(of: data, questions)
        let asked = Set(tested.map { AnswerMatch.normalized($0.text) })
        let usable = questions.filter {
            supports[$0.id]?.isEmpty == false && !asked.contains(AnswerMatch.normalized($0.text))
        }
        guard usable.count > 1 else { throw FuRePAError.noSupports }
        let states = try await lab.forEach("Trying plans", usable) { question -> [AssessedState] in
            var generator = lab.random("state of \(question.id)")
            let needed = (supports[question.id] ?? []).sorted()
            var states: [AssessedState] = []
            for size in 0..<needed.count {
                let known = generator.sample(size, of: needed).compactMap { furthest.store[$0] }
                let distractors = try await furthest.store.search(question.prompt, limit: furthest.topK)
                    .map(\.passage).filter { !needed.contains($0.id) }
                let documents = generator.shuffled(known + generator.sample(2, of: distractors))
                let inquiry = Inquiry(question, asking: model, seed: lab.seed("states"))
                let messages = furthest.prompt.messages(question.prompt, documents: documents)
                let replies = try await inquiry.branches((1...furthest.samples).map { "state \(size), sample \($0)" }) {
                    branch, _ in
                    FurthestPrompt.read(
                        try await branch.ask(
                            "reasoning", messages, maxTokens: furthest.maxTokens,
                            sampling: .random(temperature: max(0.1, furthest.temperature))
                        ).text)
                }
                var plans: [String] = []
                for case .plan(_, let query) in replies where !plans.contains(query) { plans.append(query) }
                var gains: [Int] = []
                for plan in plans {
                    gains.append(
                        try await AssessedState.gain(
                            of: plan, supports: Set(needed), known: Set(documents.map(\.id)), in: furthest.store,
                            topK: furthest.topK))
                }
                states.append(
                    AssessedState(
                        question: question.prompt, facts: documents.map(\.line), plans: plans, gains: gains))
            }
            return states
        }
        let cut = max(1, usable.count * 4 / 5)
        let (seen, unseen) = (states[..<cut].flatMap { $0 }, states[cut...].flatMap { $0 })
        let trained: (assessor: LabelTokenAssessor, path: String)
        if let base = options.assessorBase {
            trained = try await LabelTokenAssessor.tune(
                "assessor", base.expanded, on: seen, loss: options.assessorLoss, parameterisation: ChosenWeights.all,
                rate: 2e-5, epochs: options.assessorEpochs, in: lab)
        } else {
            trained = try await LabelTokenAssessor.train(
                "assessor", on: seen, loss: options.assessorLoss, epochs: options.assessorEpochs, in: lab)
        }
        await lab.recorder.record(Artifact(kind: "plan assessor", path: trained.path))
        return (trained.assessor, try await AssessorQuality(trained.assessor, on: unseen))
    }
}
