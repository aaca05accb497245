import Foundation
import Inference
import Laboratory
import Models
import Synchronization
import Tensors
import Text
import Training

/// Everything that the policies of one experiment share: where they start, what they learn on, how they are judged and trained. The
/// modes differ in nothing else: the questions of each round, their order and the seeds of the samples are the same.
package struct RewardLearning: Sendable {
    /// The start policy's file or folder.
    package var model: String
    package var task: StepTask
    /// Held out.
    package var examined: StepTask
    package var samplesPerExamination = 16
    package var algorithm: PolicyAlgorithm
    package var settings: OnPolicySettings
    package var parameterisation: any Parameterisation
    package var optimisation: Optimisation
    package var precision = ComputePrecision.bf16
    package var format = WeightFormat.bf16
    package let lab: Lab

    package init(
        model: String, task: StepTask, examined: StepTask, algorithm: PolicyAlgorithm, settings: OnPolicySettings,
        parameterisation: any Parameterisation, optimisation: Optimisation, lab: Lab
    ) {
        self.model = model
        self.task = task
        self.examined = examined
        self.algorithm = algorithm
        self.settings = settings
        self.settings.longest = task.longest
        self.parameterisation = parameterisation
        self.optimisation = optimisation
        self.lab = lab
    }

    /// Trains a reward model on scored texts and opens it.
    package func rewardModel(
        _ name: String, _ samples: [ScoredText], rate: Double, epochs: Double
    ) async throws -> TextRater {
        var run = TrainingRun(
            model: model, objective: StepScores(),
            parameterisation: try NewHeads([.init(StepScores.head)], on: parameterisation),
            optimisation: try Optimisation(
                rate: rate, schedule: LearningRateSchedule(.cosine(end: 0.1), warmUp: 10)), samples: samples,
            output: try lab.modelFolder(name.replacing(" ", with: "-")))
        run.settings.samplesPerStep = 32
        run.settings.epochs = epochs
        run.settings.tokensPerPass = settings.tokensPerPass
        run.settings.seed = lab.seed(name)
        run.precision = precision
        run.format = format
        try await lab.train("Training the \(name)", run)
        await lab.recorder.record(Artifact(kind: name, path: run.output))
        return try TextRater(folder: run.output, base: model, head: StepScores.head, precision: precision)
    }

    /// The policy that PPO makes of the start policy, examined.
    package func policy(_ judge: StepJudge) async throws -> LearntPolicy {
        let name = judge.mode.rawValue
        let output = try lab.modelFolder("policy-" + name)
        var run = OnPolicyRun(
            model: model, objective: algorithm, parameterisation: parameterisation, optimisation: optimisation,
            prompts: task.prompts, output: output,
            rewardKey: "\(name) \(judge.threshold) \(judge.weight) \(judge.lengthPenalty)"
        ) { [task, precision] model, source in
            try EngineSampler(model, from: source, precision: precision) { texts in
                try judge(texts.map(task.response)).map(\.reward)
            }
        }
        run.settings = settings
        run.settings.seed = lab.seed("policy")
        run.precision = precision
        run.format = format
        let rounds = Mutex<[RoundFigures]>([])
        try await lab.train("PPO, \(name)", run) { round, rollouts in
            rounds.withLock { $0.append(RoundFigures(round, rollouts)) }
        }
        await lab.recorder.record(Artifact(kind: "policy", path: output))
        let examination = try await StepExamination(
            name, of: lab.open(output, base: model), on: examined, samples: samplesPerExamination, judge: judge,
            in: lab)
        return LearntPolicy(
            mode: judge.mode, folder: output, rounds: rounds.withLock { $0 }, examination: examination)
    }
}

/// A policy that has learnt.
package struct LearntPolicy: Sendable {
    package var mode: StepReward
    package var folder: String
    package var rounds: [RoundFigures]
    package var examination: StepExamination
}

/// Means over a round's texts.
package struct RoundFigures: Sendable, Hashable {
    package var round: Int
    package var values: [String: Double]

    init(_ round: Int, _ rollouts: [Rollout]) {
        self.round = round
        values = rollouts.meanFigures
    }

    subscript(name: String) -> Double { values[name] ?? .nan }

    func line(mode: StepReward) -> JSONValue {
        .object(
            [.init("policy", .string(mode.rawValue)), .init("round", .integer(round))]
                + values.sorted { $0.key < $1.key }.map { .init($0.key, .number($0.value)) })
    }
}
