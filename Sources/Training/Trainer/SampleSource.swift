/// What one step learns from; without samples the step changes nothing.
public struct StepSamples<Sample: Sendable>: Sendable {
    public var samples: [Sample]
    /// Numbers to watch that were found when the samples were made.
    public var figures: [String: Double]

    public init(_ samples: [Sample], figures: [String: Double] = [:]) {
        self.samples = samples
        self.figures = figures
    }
}

/// Makes the samples of a run as it goes, for objectives that learn from what the model itself writes.
public struct SampleSource<Sample: Sendable> {
    /// Whatever decides the samples besides the model's weights and the run's settings: a part of the key of checkpoints.
    public var key: String
    /// How many steps share what was made together. A run ends, and checkpoints are written, only behind the last of them.
    public var stepsPerRound: Int
    /// The samples of a step, counted from 1, given the run so far. Depends on nothing else but the weights, so that a run that goes on from a
    /// checkpoint makes what it would have made. Of several ranks each must make the same.
    public var samples: (Int, TrainingHistory) throws -> StepSamples<Sample>

    public init(
        key: String, stepsPerRound: Int = 1, samples: @escaping (Int, TrainingHistory) throws -> StepSamples<Sample>
    ) {
        precondition(stepsPerRound > 0)
        self.key = key
        self.stepsPerRound = stepsPerRound
        self.samples = samples
    }
}
