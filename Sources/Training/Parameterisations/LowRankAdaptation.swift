import Models
import Tensors

/// Trains low-rank matrices beside frozen ones: W x + α/r · B A x (Hu et al. 2021, LoRA), where A [r, in] starts random and B [out, r]
/// at zero, so that training starts from the model as it is. With magnitudes (Liu et al. 2024, DoRA) W + α/r · B A gives the direction
/// of each row only, and its length m, at first W's own, trains apart.
public struct LowRankAdaptation: Parameterisation {
    /// The names of all linear layers of a block, in Llama's family.
    public static let allLinear: [NamePattern] = [
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    ]

    /// r
    public var rank: Int
    public var alpha: Double
    /// Of what enters A, in training.
    public var dropout: Double
    /// The layers that get an adapter.
    public var targets: [NamePattern]
    /// Scales by α/√r instead of α/r (Kalajdzievski 2023).
    public var isRankStabilised: Bool
    /// DoRA instead of LoRA.
    public var trainsMagnitudes: Bool
    /// How frozen matrices are held; `.asStored` keeps quantised ones as they are, nil: as the run's precision says.
    public var frozen: WeightForm?

    public init(
        rank: Int = 16, alpha: Double = 32, dropout: Double = 0, targets: [NamePattern] = Self.allLinear,
        isRankStabilised: Bool = false, trainsMagnitudes: Bool = false, frozen: WeightForm? = nil
    ) throws {
        guard rank > 0 else { throw TrainingError.badSetting("rank", reason: "must be at least 1, not \(rank)") }
        guard alpha.isFinite else { throw TrainingError.badSetting("alpha", reason: "must be a number, not \(alpha)") }
        guard (0..<1).contains(dropout) else {
            throw TrainingError.badSetting("dropout", reason: "must be at least 0 and below 1, not \(dropout)")
        }
        guard !targets.isEmpty else {
            throw TrainingError.badSetting("targets", reason: "name at least one layer, such as q_proj")
        }
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.targets = targets
        self.isRankStabilised = isRankStabilised
        self.trainsMagnitudes = trainsMagnitudes
        self.frozen = frozen
    }

    public var scale: Double { alpha / (isRankStabilised ? Double(rank).squareRoot() : Double(rank)) }

    public func form(of name: String, precision: ComputePrecision) -> WeightForm {
        // The loss multiplies with the whole embedding table: a quantised one would be widened at every step.
        let isTable = name.hasSuffix("embed_tokens.weight") || name.hasSuffix("lm_head.weight")
        return isTable && frozen == .asStored ? .bf16 : frozen ?? precision.frozen
    }

    public func prepare(_ model: DecoderModel, seed: UInt64) throws -> TrainableModel {
        var generator = SplitMixGenerator(seed: seed)
        return try prepare(model) { _, shape in
            // As PEFT starts A: uniform in ±1/√in.
            let bound = 1 / Float(shape[1]).squareRoot()
            let down = Tensor.uniform([rank, shape[1]], low: -bound, high: bound, seed: generator.next())
            return (down, Tensor.zeros([shape[0], rank]))
        }
    }

    /// The same with the starting values of A and B given for each weight's name and shape [out, in].
    public func prepare(
        _ model: DecoderModel, starting: (String, Shape) throws -> (down: Tensor, up: Tensor)
    ) throws -> TrainableModel {
        var parameters: [Parameter] = []
        var set = AdapterSet(configuration: AdapterConfiguration(self))
        var (names, adapted): ([String], [String]) = ([], [])
        let seed = AdapterDropout.Seed()
        let table = Set(["model.embed_tokens.weight"])
        let changed = try model.replacingWeights { name, weight in
            names.append(name)
            guard targets.contains(where: { $0.matches(name) }), !table.contains(name) else { return weight }
            adapted.append(name)
            let module = NamePattern.module(of: name)
            let start = try starting(name, weight.shape)
            let down = Parameter(name: module + ".lora_A.weight", tensor: start.down)
            let up = Parameter(name: module + ".lora_B.weight", tensor: start.up)
            parameters += [down, up]
            var magnitude = trainsMagnitudes ? AdapterMagnitude(of: weight) : nil
            if let values = magnitude?.values {
                let parameter = Parameter(name: module + ".lora_magnitude_vector", tensor: values)
                parameters.append(parameter)
                magnitude?.values = parameter.tensor
            }
            let adapter = LowRankAdapter(
                down: down.tensor, up: up.tensor, scale: Float(scale),
                dropout: dropout > 0
                    ? AdapterDropout(probability: Float(dropout), seed: seed, place: parameters.count) : nil,
                magnitude: magnitude)
            set.members.append(AdapterSet.Member(module: module, adapter: adapter))
            if case .adapted(let base, let others) = weight { return .adapted(base, others + [adapter]) }
            return .adapted(weight, [adapter])
        } vector: { _, tensor in
            tensor
        }
        // Of the usual layers a model has those that its family has.
        guard
            !targets.contains(where: { target in
                table.contains(where: target.matches) && !adapted.contains(where: target.matches)
            })
        else {
            throw TrainingError.badSetting("targets", reason: "a table of embeddings gets no adapter; train it whole")
        }
        let demanded = targets == Self.allLinear && !adapted.isEmpty ? [] : targets
        try NamePattern.demandAllFit(demanded, adapted, of: names)
        return TrainableModel(model: changed, parameters: parameters, adapters: set, dropoutSeed: seed)
    }
}
