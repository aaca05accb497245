import Tensors

/// How a run optimises: the rule, its learning rate over time, weight decay, clipping, and settings of groups of parameters.
public struct Optimisation: Sendable {
    /// Settings of the parameters whose names fit a pattern.
    public struct Group: Sendable, Hashable {
        public var pattern: NamePattern
        /// Multiplies the learning rate; 0 freezes.
        public var rateFactor: Double
        /// Replaces the weight decay; nil: as for all.
        public var decay: Double?

        public init(_ pattern: NamePattern, rateFactor: Double = 1, decay: Double? = nil) {
            self.pattern = pattern
            self.rateFactor = rateFactor
            self.decay = decay
        }
    }

    public var rule: any Optimiser
    /// The full learning rate.
    public var rate: Double
    public var schedule: LearningRateSchedule
    /// Of matrices.
    public var decay: Double
    /// Whether norms and biases decay, too.
    public var decaysVectors: Bool
    /// Gradients whose global norm is larger are scaled down to it; nil: never.
    public var largestNorm: Double?
    /// The first group whose pattern fits a parameter counts.
    public var groups: [Group]

    public init(
        _ rule: any Optimiser = AdamW(), rate: Double, schedule: LearningRateSchedule = .constant, decay: Double = 0,
        decaysVectors: Bool = false, largestNorm: Double? = 1, groups: [Group] = []
    ) throws {
        try TrainingError.demandNotNegative(rate, "learning rate")
        try TrainingError.demandNotNegative(decay, "weight decay")
        guard largestNorm.map({ $0 > 0 }) ?? true else {
            throw TrainingError.badSetting(
                "largest gradient norm", reason: "must be above 0; leave it out for no limit")
        }
        self.rule = rule
        self.rate = rate
        self.schedule = schedule
        self.decay = decay
        self.decaysVectors = decaysVectors
        self.largestNorm = largestNorm
        self.groups = groups
    }

    /// The step that a parameter takes.
    /// - Parameters:
    ///   - number: of the step in the schedule.
    ///   - update: of the step among those that moved parameters.
    package func step(
        _ number: Int, update: Int? = nil, of total: Int, for parameter: Parameter, seed: UInt64
    ) -> OptimiserStep {
        let group = groups.first { $0.pattern.matches(parameter.name) }
        let common = parameter.isMatrix || decaysVectors ? decay : 0
        return OptimiserStep(
            number: update ?? number, rate: rate * schedule.factor(step: number, of: total) * (group?.rateFactor ?? 1),
            decay: group?.decay ?? common, seed: seed)
    }
}

/// An optimiser at work on the parameters of one model: the rule and what it remembers of each of them.
package struct OptimiserRun {
    package let settings: Optimisation
    package var states: [String: ParameterState] = [:]

    package init(settings: Optimisation) {
        self.settings = settings
    }

    /// The bytes that the rule remembers.
    package var byteCount: Int { states.values.reduce(0) { $0 + $1.byteCount } }

    /// What the rule tells of its last step, over the parameters that it tells of: sums and how many they are.
    var figures: [String: Mean] {
        var means: [String: Mean] = [:]
        for (_, state) in states.sorted(by: { $0.key < $1.key }) {
            for (name, value) in state.figures { means[name, default: Mean()].add(value) }
        }
        return means
    }

    /// A mean that is still being added to.
    struct Mean: Codable {
        private var sum = 0.0
        private var count = 0

        var value: Double { sum / Double(count) }

        mutating func add(_ value: Double) {
            sum += value
            count += 1
        }

        static func + (a: Mean, b: Mean) -> Mean {
            var both = a
            both.sum += b.sum
            both.count += b.count
            return both
        }
    }

    /// Takes one step and gives the global norm that the gradients had before clipping: √ Σ g² over all parameters in their order.
    /// - Parameter scale: what the gradients are to be multiplied by, such as one over what the samples count.
    package mutating func step(
        _ parameters: [Parameter], _ gradients: consuming Gradients, scale: Double = 1, number: Int, update: Int? = nil,
        of total: Int, seed: UInt64
    ) -> Double {
        let norm =
            scale
            * parameters.reduce(0.0) { sum, parameter in
                gradients[parameter.tensor].map { sum + Double(dot($0, $0)) } ?? sum
            }.squareRoot()
        guard norm.isFinite else { return norm }
        GradientMode.withoutGradients {
            for parameter in parameters {
                // A parameter that the loss doesn't reach, such as an expert without tokens, stays where it is.
                guard let gradient = gradients.take(parameter.tensor) else { continue }
                move(
                    parameter, consume gradient, factor: factor(scale: scale, norm: norm),
                    settings.step(number, update: update, of: total, for: parameter, seed: seed))
            }
        }
        return norm
    }

    /// What gradients are multiplied by so that their norm, which is `norm` after `scale`, is at most the largest one.
    func factor(scale: Double, norm: Double) -> Double {
        scale * (settings.largestNorm.map { norm > $0 ? $0 / (norm + 1e-6) : 1 } ?? 1)
    }

    /// Moves one parameter against `factor` times its gradient.
    mutating func move(_ parameter: Parameter, _ gradient: consuming Tensor, factor: Double, _ step: OptimiserStep) {
        settings.rule.update(
            parameter, gradient: gradient.multiplied(by: Float(factor)),
            state: &states[parameter.name, default: ParameterState()], step: step)
    }
}
