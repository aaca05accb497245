/// How long a run trains, in what portions, and what it keeps.
public struct TrainerSettings: Sendable, Hashable, Codable {
    /// Samples of one step of the optimiser.
    public var samplesPerStep = 8
    /// The most tokens of one forward pass; a step's samples are divided into as many passes as that takes. Decides the memory, not
    /// the result.
    public var tokensPerPass = 512
    /// How often every sample is seen; `steps` overrides it.
    public var epochs = 1.0
    public var steps: Int?
    /// Of the order of samples, of starting values and of dropout.
    public var seed: UInt64 = 0
    /// Takes the samples in an order drawn anew for every epoch; false: as they stand, for those whose order is part of a method.
    public var shuffles = true
    /// Computes layers again on the way back instead of keeping their results: less memory, about a third more work. A sample
    /// more than four times as long as a pass should be is treated so by itself.
    public var recomputes = false

    /// Evaluates after every so many steps; nil: at the end only, where there is something to evaluate on.
    public var stepsPerEvaluation: Int?
    /// Ends the run after so many evaluations in a row without a new best; nil: never.
    public var patience: Int?
    /// Ends with the parameters of the best evaluation instead of the last ones.
    public var keepsBest = false

    /// Writes a checkpoint after every so many steps; nil: only when a run is stopped.
    public var stepsPerCheckpoint: Int?
    /// How many checkpoints stay.
    public var checkpointsKept = 2

    public init() {}

    /// Whether a pass of samples of so many tokens keeps only the inputs of layers. No pass but that of a lone sample holds more than was
    /// asked for.
    package func recomputes(passOf tokens: [Int]) -> Bool {
        recomputes || tokens.count == 1 && tokens[0] > 4 * tokensPerPass
    }

    /// - Throws: for a setting that makes no sense.
    package func check() throws {
        func demand(_ condition: Bool, _ name: String, _ value: some Any, _ rule: String) throws {
            if !condition { throw TrainingError.badSetting(name, reason: "must be \(rule), not \(value)") }
        }
        try demand(samplesPerStep > 0, "samples per step", samplesPerStep, "at least 1")
        try demand(tokensPerPass > 1, "tokens per pass", tokensPerPass, "at least 2")
        try demand(epochs > 0 && epochs <= 1e6, "epochs", epochs, "above 0 and at most a million")
        if let steps { try demand(steps > 0, "steps", steps, "at least 1") }
        if let patience { try demand(patience > 0, "patience", patience, "at least 1") }
        if let every = stepsPerEvaluation { try demand(every > 0, "steps per evaluation", every, "at least 1") }
        if let every = stepsPerCheckpoint { try demand(every > 0, "steps per checkpoint", every, "at least 1") }
        try demand(checkpointsKept > 0, "checkpoints kept", checkpointsKept, "at least 1")
    }
}
