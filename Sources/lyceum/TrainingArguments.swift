import ArgumentParser
import Laboratory
import Training

/// The flags of every command that trains: the optimiser, how long, in what portions, and what is kept.
struct TrainingArguments: ParsableArguments {
    enum Rule: String, ExpressibleByArgument, CaseIterable {
        case adamw, lion, adafactor, sgd, fira, galore
        case adamw8 = "adamw8bit"

        /// Whether it moves whole weights only.
        var projects: Bool { self == .fira || self == .galore }

        /// Its usual learning rate over AdamW's: Adafactor's steps are relative to the weights' size, and plain descent doesn't bring gradients to
        /// one size.
        var rateFactor: Double {
            switch self {
            case .adamw, .adamw8, .fira, .galore: 1
            case .lion: 0.3
            case .adafactor: 50
            case .sgd: 5000
            }
        }

        /// - Parameter rank: of the projection, where there is one.
        func optimiser(rank: Int) throws -> any Optimiser {
            switch self {
            case .adamw: AdamW()
            case .adamw8: EightBitAdamW()
            case .lion: Lion()
            case .adafactor: Adafactor()
            case .sgd: GradientDescent(momentum: 0.9)
            case .fira: try Fira(rank: rank)
            case .galore: try Fira.galore(rank: rank)
            }
        }
    }

    enum Course: String, ExpressibleByArgument, CaseIterable {
        case constant, linear, cosine, wsd

        var course: LearningRateSchedule.Course {
            switch self {
            case .constant: .constant
            case .linear: .linear(end: 0)
            case .cosine: .cosine(end: 0.1)
            case .wsd: .stableThenDecay(decay: 0.2, end: 0)
            }
        }
    }

    enum Compute: String, ExpressibleByArgument, CaseIterable {
        case bf16, f32

        var compute: ComputePrecision { self == .bf16 ? .bf16 : .f32 }
    }

    @Option(help: "The rule that moves the weights.")
    var optimiser = Rule.adamw

    @Option(
        help: "The rank that fira and galore project gradients to (else 32); they move whole weights (--form full).")
    var projectionRank: Int?

    @Option(
        help:
            "The full learning rate (else 2e-5 for all weights, 2e-4 for adapters, 1e-3 from scratch, a tenth for preferences and rewards; times 0.3 for lion, 50 for adafactor, 5000 for sgd)."
    )
    var rate: Double?

    @Option(help: "How the rate runs after the warm-up.")
    var schedule = Course.cosine

    @Option(help: "Steps until the full rate is reached.")
    var warmUp = 10

    @Option(help: "Weight decay of matrices.")
    var decay = 0.0

    @Option(help: "The gradients' largest norm over all weights, to which larger ones are scaled down; 0: none.")
    var clip = 1.0

    @Option(help: "How often every sample is seen (else once).")
    var epochs: Double?

    @Option(help: "The steps, instead of --epochs; with rewards, the rounds.")
    var steps: Int?

    @Option(help: "Samples of one step.")
    var batch = 8

    @Option(help: "Tokens of one forward pass: decides the memory, not the result.")
    var tokensPerPass = 512

    @Flag(help: "Compute layers again on the way back: less memory, more time.")
    var recompute = false

    @Option(help: "How the products are computed.")
    var precision = Compute.bf16

    @Option(help: "Of the order of samples, starting values and dropout.")
    var seed: UInt64 = 1

    @Option(help: "Steps between evaluations (else one at the end).")
    var evaluateEvery: Int?

    @Option(help: "Evaluations without a new best after which training ends.")
    var patience: Int?

    @Flag(help: "End with the parameters of the best evaluation.")
    var keepBest = false

    @Option(help: "Steps between checkpoints (else one when interrupted).")
    var checkpointEvery: Int?

    func validate() throws {
        guard (1...65_536).contains(batch) else {
            throw ValidationError("--batch can't be \(batch): it expects 1 to 65536.")
        }
        guard projectionRank == nil || optimiser.projects else {
            throw ValidationError("--projection-rank belongs to --optimiser fira or galore.")
        }
        guard epochs == nil || steps == nil else { throw ValidationError("Give --epochs or --steps, not both.") }
    }

    var settings: TrainerSettings {
        var settings = TrainerSettings()
        settings.samplesPerStep = batch
        settings.tokensPerPass = tokensPerPass
        settings.epochs = epochs ?? 1
        settings.steps = steps
        settings.seed = seed
        settings.recomputes = recompute
        settings.stepsPerEvaluation = evaluateEvery
        settings.patience = patience
        settings.keepsBest = keepBest
        settings.stepsPerCheckpoint = checkpointEvery
        return settings
    }

    /// - Parameter standard: the full learning rate where none is given.
    func optimisation(rate standard: Double) throws -> Optimisation {
        try Optimisation(
            try optimiser.optimiser(rank: projectionRank ?? 32), rate: rate ?? standard * optimiser.rateFactor,
            schedule: LearningRateSchedule(schedule.course, warmUp: warmUp), decay: decay,
            largestNorm: clip == 0 ? nil : clip)
    }
}
