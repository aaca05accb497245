import Models
import Tensors

/// Trains the weights whose names fit some patterns; the others are frozen, and no gradient is computed for them. With the pattern `*`, all.
public struct ChosenWeights: Parameterisation {
    public var patterns: [NamePattern]
    /// Weights that stay frozen though a pattern fits.
    public var except: [NamePattern]
    /// How frozen matrices are held; nil: as the run's precision says.
    public var frozen: WeightForm?

    public init(_ patterns: [NamePattern], except: [NamePattern] = [], frozen: WeightForm? = nil) {
        self.patterns = patterns
        self.except = except
        self.frozen = frozen
    }

    /// Every weight of the model: full fine-tuning.
    public static let all = ChosenWeights(["*"])

    /// The token embeddings, and with them the output projection of models that tie the two.
    public static let embeddings = ChosenWeights(["embed_tokens"])

    public func chooses(_ name: String) -> Bool {
        patterns.contains { $0.matches(name) } && !except.contains { $0.matches(name) }
    }

    public func form(of name: String, precision: ComputePrecision) -> WeightForm {
        chooses(name) ? precision.trained : frozen ?? precision.frozen
    }

    public func prepare(_ model: DecoderModel, seed: UInt64) throws -> TrainableModel {
        var parameters: [Parameter] = []
        var names: [String] = []
        func trained(_ name: String, _ tensor: Tensor) -> Tensor? {
            names.append(name)
            guard chooses(name) else { return nil }
            let parameter = Parameter(name: name, tensor: tensor)
            parameters.append(parameter)
            return parameter.tensor
        }
        let changed = try model.replacingWeights { name, weight in
            switch weight {
            case .dense(let tensor) where tensor.dtype == .f32: return trained(name, tensor).map(Weight.dense) ?? weight
            case .mixed(let tensor): return trained(name, tensor).map(Weight.mixed) ?? weight
            case .dense, .packed, .adapted:
                names.append(name)
                guard !chooses(name) else {
                    throw TrainingError.untrainable("\(name) is not held in f32; load it in the form f32 or mixed")
                }
                return weight
            }
        } vector: { name, tensor in
            trained(name, tensor) ?? tensor
        }
        try NamePattern.demandAllFit(patterns, parameters.map(\.name), of: names)
        return TrainableModel(model: changed, parameters: parameters)
    }
}
