import Foundation
import Inference
import Laboratory
import Models
import Text
import Training

/// Clip and Delta: PPO for answers in steps whose reward is right or wrong plus what a process reward model (PRM) makes of each step,
/// bounded so that it can't be gamed.
///
/// 1. maximise E[Correct + α Σ_k r(p_k) - β Σ_t log π/π_ref], Correct paid at the last token, r(p_k) at the last token of step k, the penalty
///    at every token. ``StepReward`` has the forms of r.
/// 2. The reward models: the PRM learns from labels that completions of each prefix give (``StepLabels``), the outcome model from right
///    and wrong responses of the start policy. Both are frozen after that.
/// 3. PPO with learnt values and GAE; γ is 1, or Delta's returns don't telescope. Only advantages are whitened, never the learnt rewards.
/// 4. Greedy and sampled accuracy and pass@n on held-out questions, with the diagnostics that show gaming first.
///
/// A response that is cut short is wrong, and its open last step earns nothing. The last step of Delta earns nothing by design.
///
/// The paper's values of α, η, β and PPO's constants are not known for sure; defaults are usual ones, and η is the 20th percentile of
/// the step scores of the start policy's right responses. The paper answers 1,024 questions a round 8 times (1.5B models).
///
/// Source: Gao et al., "On Designing Effective RL Reward at Training Time for LLM Reasoning" (2024), arXiv:2410.15115.
public struct RLReward: Method {
    public static let card = MethodCard(
        "rl-reward", .selftrain, name: "Clip and Delta", [.training],
        "Adds a process reward to right-or-wrong PPO without being gamed, by bounding and telescoping the steps' rewards.",
        paper: Paper(
            "On Designing Effective RL Reward at Training Time for LLM Reasoning", "Gao et al.", 2024,
            arXiv: "2410.15115"),
        needs: [.completion, .scoring, .trainable],
        data: "question, answer; options and answer_type where there are any",
        claim:
            "A process reward as it is fills answers with empty steps and ruins them; clipped and telescoped it doesn't, and what is learnt is "
            + "no worse than from right or wrong alone.")

    public init() {}

    public struct Options: MethodOptions {
        public var modes = [StepReward.clipDelta]
        public var alpha = 0.02
        public var threshold: Double?
        public var thresholdPercentile = 0.2
        public var penalty = 0.05
        public var lengthPenalty = 0.0
        public var updates = 100
        public var questionsPerUpdate = 1024
        public var samples = 8
        public var clip = 0.2
        public var discount = 1.0
        public var smoothing = 0.95
        public var epochs = 1
        public var minibatches = 4
        public var rate = 1e-5
        public var form = Form.lora
        public var rank = 16
        public var maxTokens = 512
        public var tokensPerPass = 2048
        public var separator = "\\n"
        public var answerType = AnswerType.auto
        public var rewardModel: Path?
        public var outcomeModel: Path?
        public var labels = Labels.hard
        public var completions = 8
        public var completer: String?
        public var labelledSamples = 4
        public var rewardRate = 1e-4
        public var rewardEpochs = 1.0
        public var heldOut = 0.1
        public var evaluationSamples = 16

        public init() {}

        /// What trains, of policies and reward models.
        public enum Form: String, OptionChoice { case full, lora }
        /// The label of a step.
        public enum Labels: String, OptionChoice {
            /// 1 where any completion of its prefix is right.
            case hard
            /// The share of right completions.
            case soft
        }

        public static let fields: [Field<Self>] = [
            Field("modes", \.modes, "the forms of the learnt reward, one policy each from the same start"),
            Field("alpha", \.alpha, "weight of the learnt reward", .atLeast(0)),
            Field("threshold", \.threshold, "η of clip; none: from right responses", .within(0...1)),
            Field(
                "threshold-percentile", \.thresholdPercentile,
                "where η lies among the step scores of right responses", .within(0...1)),
            Field("penalty", \.penalty, "β: how strongly the policy is held to its start", .atLeast(0)),
            Field("length-penalty", \.lengthPenalty, "taken off for each token of a response", .atLeast(0)),
            Field("updates", \.updates, "rounds of PPO", .atLeast(1)),
            Field("questions-per-update", \.questionsPerUpdate, "questions of one round", .atLeast(1)),
            Field("samples", \.samples, "responses a question", .atLeast(1)),
            Field("clip", \.clip, "PPO's bound of the probability ratio", .above(0)),
            Field("discount", \.discount, "γ; Delta needs 1", .within(0...1)),
            Field("smoothing", \.smoothing, "λ of the advantage estimate", .within(0...1)),
            Field("epochs", \.epochs, "how often a round's responses are learnt from", .atLeast(1)),
            Field("minibatches", \.minibatches, "steps that go once through them", .atLeast(1)),
            Field("rate", \.rate, "the policy's learning rate", .above(0)),
            Field("form", \.form, "train all weights, or adapters"),
            Field("rank", \.rank, "an adapter's rank", .atLeast(1)),
            Field("max-tokens", \.maxTokens, "the most tokens of a response", .atLeast(1)),
            Field("tokens-per-pass", \.tokensPerPass, "tokens of one forward pass: memory, not results", .atLeast(2)),
            Field("separator", \.separator, "what ends a step; \\n is a line break", .filled),
            Field("answer-type", \.answerType, "the kind of all answers"),
            Field("reward-model", \.rewardModel, "a trained process reward model instead of a new one"),
            Field("outcome-model", \.outcomeModel, "a trained outcome reward model instead of a new one"),
            Field("labels", \.labels, "a step's label: whether a completion is right, or which share"),
            Field("completions", \.completions, "completions a prefix", .atLeast(1)),
            Field("completer", \.completer, "the local model that completes prefixes; none: the subject", .filled),
            Field("labelled-samples", \.labelledSamples, "responses a question to label", .atLeast(1)),
            Field("reward-rate", \.rewardRate, "the reward models' learning rate", .above(0)),
            Field("reward-epochs", \.rewardEpochs, "passes over the labelled responses", .above(0)),
            Field("held-out", \.heldOut, "share of the questions that is only examined", .above(0), .below(1)),
            Field("evaluation-samples", \.evaluationSamples, "responses a held-out question", .atLeast(1)),
        ]

        public func validate() throws(OptionError) {
            guard !modes.isEmpty, Set(modes).count == modes.count else {
                throw .conflict("--modes names each form once, and one at least.")
            }
            if discount < 1, let mode = modes.first(where: \.telescopes) {
                throw .conflict("--modes \(mode.rawValue) telescopes only with --discount 1.")
            }
            guard samples * questionsPerUpdate >= minibatches else {
                throw .conflict("--minibatches can't be more than the responses of a round.")
            }
        }

        var algorithm: PolicyAlgorithm {
            get throws { try .ppo(clip: clip, discount: discount, smoothing: smoothing, penalty: penalty) }
        }

        var settings: OnPolicySettings {
            var settings = OnPolicySettings()
            settings.rounds = updates
            settings.promptsPerRound = questionsPerUpdate
            settings.samplesPerPrompt = samples
            settings.epochs = epochs
            settings.stepsPerEpoch = minibatches
            settings.tokensPerPass = tokensPerPass
            return settings
        }
    }

    /// Trains the reward models and a policy for each mode, and compares them on held-out questions.
    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let (local, path) = try lab.trainableModel()
        let words = try ModelText(path: path)
        func task(_ data: DataSet) throws -> StepTask {
            try StepTask(
                Question.all(of: data, type: options.answerType, shuffle: nil), words: words,
                separator: options.separator, longest: options.maxTokens)
        }
        let parts = try lab.data().split(share: options.heldOut, seed: lab.seed)
        let (examined, learnt) = (try task(parts.0), try task(parts.1))
        guard learnt.questions.count >= options.questionsPerUpdate else {
            throw RLRewardError.tooFew(questions: learnt.questions.count, needed: options.questionsPerUpdate)
        }
        var learning = RewardLearning(
            model: path, task: learnt, examined: examined, algorithm: try options.algorithm,
            settings: options.settings,
            parameterisation: options.form == .full
                ? ChosenWeights.all : try LowRankAdaptation(rank: options.rank, alpha: Double(2 * options.rank)),
            optimisation: try Optimisation(rate: options.rate, schedule: LearningRateSchedule(.constant, warmUp: 5)),
            lab: lab)
        learning.samplesPerExamination = options.evaluationSamples
        let responses = try await learnt.responses(
            of: local, samples: options.labelledSamples, label: "Sampling the start policy", in: lab
        ).flatMap { $0 }
        let warning = StepSplitter.Step.warning(counts: responses.map(\.steps.count))
        if let warning { lab.tell(warning) }
        let judge = try await trainedJudge(options, learning, responses, start: local, words)

        let start = try await StepExamination(
            "start", of: local, on: examined, samples: options.evaluationSamples, judge: judge, in: lab)
        var policies: [LearntPolicy] = []
        for mode in options.modes {
            var own = judge
            own.mode = mode
            policies.append(try await learning.policy(own))
        }
        let percent = NumberStyle.percent
        var report = Report(
            "PPO with step rewards",
            summary: "Held-out greedy accuracy: \(percent.text(start.greedyAccuracy)) at the start, "
                + policies.map {
                    "\(percent.text($0.examination.greedyAccuracy)) by \($0.mode.rawValue) (\($0.folder))"
                }.joined(separator: ", ") + ".")
        if let warning { report.note(warning) }
        let findings = RewardReport(
            start: start, policies: policies, threshold: judge.threshold, questions: examined.questions)
        try findings.add(to: &report, emphasised: options.modes.contains(.clipDelta) ? .clipDelta : options.modes[0])
        report.note(
            "α is \(options.alpha), η \(NumberStyle.decimals(3).text(judge.threshold)), β \(options.penalty). Every policy learnt from the same "
                + "start with the same questions and seeds.")
        try await findings.writeFiles(in: lab)
        return report
    }

    /// The reward models that the modes need, trained or read, and the threshold.
    private func trainedJudge(
        _ options: Options, _ learning: RewardLearning, _ responses: [StepResponse], start: LocalModel,
        _ words: ModelText
    ) async throws -> StepJudge {
        var judge = StepJudge(.success, weight: options.alpha, lengthPenalty: options.lengthPenalty)
        if options.modes.contains(.outcome) {
            if let folder = options.outcomeModel {
                judge.outcome = try TextRater(
                    folder: folder.expanded, base: learning.model, head: StepScores.head)
            } else {
                judge.outcome = try await learning.rewardModel(
                    "outcome reward model", StepLabels.outcome(responses), rate: options.rewardRate,
                    epochs: options.rewardEpochs)
            }
        }
        guard options.modes.contains(where: \.usesProcess) || options.rewardModel != nil else { return judge }
        if let folder = options.rewardModel {
            judge.process = try TextRater(
                folder: folder.expanded, base: learning.model, head: StepScores.head)
        } else {
            let completer = try await completer(options, start, words, learning)
            let labels = StepLabels(options.labels, completions: options.completions)
            let samples = try await labels.process(
                responses, of: learning.task, completer: { try await completer.texts($0) }, in: learning.lab)
            judge.process = try await learning.rewardModel(
                "process reward model", samples, rate: options.rewardRate, epochs: options.rewardEpochs)
        }
        judge.threshold =
            try options.threshold
            ?? Self.threshold(
                judge(responses), percentile: options.thresholdPercentile,
                isNeeded: options.modes.contains(where: \.usesThreshold))
        return judge
    }

    private func completer(
        _ options: Options, _ start: LocalModel, _ words: ModelText, _ learning: RewardLearning
    ) async throws -> LocalModel {
        guard let reference = options.completer else { return start }
        guard let model = try await learning.lab.loadModel(reference) as? LocalModel else {
            throw LabError.notLocal(slug: learning.lab.slug, reference: reference)
        }
        let same = learning.task.questions.prefix(20).allSatisfy { question in
            model.tokenizer.encode(question.prompt) == words.tokenizer.encode(question.prompt)
        }
        guard same, model.tokenizer.vocabularySize == words.tokenizer.vocabularySize else {
            throw RLRewardError.otherWords(reference)
        }
        return model
    }

    /// η: the percentile of the step scores of right responses.
    package static func threshold(
        _ responses: [JudgedResponse], percentile: Double, isNeeded: Bool = true
    ) throws -> Double {
        let scores = responses.filter(\.response.isRight).flatMap { $0.scores ?? [] }.sorted()
        guard !scores.isEmpty else {
            guard isNeeded else { return 0 }
            throw RLRewardError.nothingRight
        }
        return scores[min(scores.count - 1, Int(percentile * Double(scores.count)))]
    }
}
