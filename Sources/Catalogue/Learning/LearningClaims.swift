import Inference
import Laboratory
import Models
import Text
import Training

/// That learning works: each kind of objective on a small task made in code, on the embedded model, with what is examined apart from
/// what is learnt from.
///
/// All train an adapter of rank 16 with the run's own parts, as methods do.
enum LearningClaims {
    static let all = [supervised, preferences, rewards, rewardModel]

    private static let needs: Capabilities = [.completion, .scoring, .trainable]

    private static let supervised = Claim(
        "learning-sft", name: "Supervised tuning",
        "A model that never gets a made-up format right gets it right nearly always after a few hundred examples, on orders that it has not seen.",
        needs: needs
    ) { try await SupervisedLearning(in: $0).demonstration() }

    private static let preferences = Claim(
        "learning-dpo", name: "Preference learning",
        "DPO turns indifference between two answers into the taste that pairs show, on pairs that it has not seen, and what is chosen doesn't become unlikely.",
        needs: needs
    ) { try await PreferenceLearning(in: $0).demonstration() }

    private static let rewards = Claim(
        "learning-grpo", name: "Learning from a verifiable reward",
        "GRPO makes a model that seldom earns a reward earn it often, on questions that it has not seen.", needs: needs
    ) { try await RewardedLearning(in: $0).demonstration() }

    private static let rewardModel = Claim(
        "learning-reward", name: "Reward model",
        "A reward model tells tickets that fit their order from tickets with a wrong detail, on orders that it has not seen.",
        needs: needs
    ) { try await RewardModelLearning(in: $0).demonstration() }
}

/// What the experiments share.
struct LearningBench: Sendable {
    let subject: LocalModel
    let path: String
    let words: ModelText
    let lab: Lab

    init(in lab: Lab) throws {
        (subject, path) = try lab.trainableModel()
        words = try ModelText(path: path)
        self.lab = lab
    }

    /// Ready to train an adapter.
    func run<Training: Objective>(
        _ objective: Training, on samples: [Training.Sample], heldOut: [Training.Sample] = [], rate: Double,
        heads: [NewHeads.Specification] = []
    ) throws -> TrainingRun<Training> {
        let adapter = try LowRankAdaptation(rank: 16, alpha: 32)
        var run = TrainingRun(
            model: path, objective: objective,
            parameterisation: heads.isEmpty ? adapter : try NewHeads(heads, on: adapter),
            optimisation: try Optimisation(
                rate: rate, schedule: LearningRateSchedule(.linear(end: 0.1), warmUp: 5)), samples: samples,
            output: try lab.modelFolder("trained"))
        run.heldOut = heldOut
        run.settings.samplesPerStep = 8
        run.settings.tokensPerPass = 1024
        run.settings.seed = lab.seed("training")
        return run
    }

    /// The loss over the steps, or a figure of theirs, in means of ten.
    static func plot(_ summary: TrainingSummary, _ figure: String? = nil) -> Plot {
        let values = summary.history.steps.map { step in figure.map { step.figures[$0] ?? .nan } ?? step.loss }
        let points = stride(from: 0, to: values.count, by: 10).map { first in
            let part = values[first..<min(first + 10, values.count)]
            return Plot.Point(Double(part.endIndex), part.reduce(0, +) / Double(part.count))
        }
        let name = figure ?? "loss"
        return Plot(name, x: "step", y: "mean over ten steps", .lines([.init(name, points)]))
    }
}
