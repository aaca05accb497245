import Models
import Text

/// What a PEFT folder's `adapter_config.json` says about a LoRA adapter.
public struct AdapterConfiguration: Sendable, Hashable {
    public var rank: Int
    public var alpha: Double
    public var dropout: Double
    public var targets: [String]
    public var isRankStabilised: Bool
    /// Whether magnitudes stand beside the low-rank matrices: DoRA.
    public var hasMagnitudes: Bool
    /// The model that the adapter was made for, as the user named it.
    public var baseModel: String?

    public init(_ adaptation: LowRankAdaptation, baseModel: String? = nil) {
        rank = adaptation.rank
        alpha = adaptation.alpha
        dropout = adaptation.dropout
        targets = adaptation.targets.map(\.text)
        isRankStabilised = adaptation.isRankStabilised
        hasMagnitudes = adaptation.trainsMagnitudes
        self.baseModel = baseModel
    }

    public var scale: Double { alpha / (isRankStabilised ? Double(rank).squareRoot() : Double(rank)) }

    /// Reads the document of a file and refuses what isn't supported: other kinds of adapters, trained biases, patterns of ranks.
    init(_ document: JSONValue, file: String) throws {
        func fault(_ field: String, _ reason: String) -> TrainingError {
            .mismatch(file: file, reason: "the field \(field.debugDescription) \(reason)")
        }
        guard document["peft_type"]?.stringValue == "LORA" else {
            throw fault("peft_type", "must be \"LORA\", the only kind of adapter read here")
        }
        guard let rank = document["r"]?.intValue, rank > 0 else { throw fault("r", "must be a whole number from 1 up") }
        guard let alpha = document["lora_alpha"]?.doubleValue, alpha.isFinite else {
            throw fault("lora_alpha", "must be a number")
        }
        for field in ["fan_in_fan_out", "lora_bias"] where document[field]?.boolValue == true {
            throw fault(field, "must be false; adapters with it are not read here")
        }
        if let bias = document["bias"]?.stringValue, bias != "none" { throw fault("bias", "must be \"none\"") }
        for field in ["rank_pattern", "alpha_pattern"] where document[field]?.objectValue?.isEmpty == false {
            throw fault(field, "must be empty: one rank and one alpha for all layers")
        }
        self.rank = rank
        self.alpha = alpha
        dropout = document["lora_dropout"]?.doubleValue ?? 0
        isRankStabilised = document["use_rslora"]?.boolValue ?? false
        hasMagnitudes = document["use_dora"]?.boolValue ?? false
        baseModel = document["base_model_name_or_path"]?.stringValue
        if let names = document["target_modules"]?.arrayValue {
            targets = names.compactMap(\.stringValue)
        } else {
            targets = document["target_modules"]?.stringValue.map { [$0] } ?? []
        }
    }

    /// The document as PEFT reads it.
    var document: JSONValue {
        [
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": .integer(rank), "lora_alpha": .number(alpha),
            "lora_dropout": .number(dropout), "target_modules": .array(targets.map { .string($0) }),
            "use_rslora": .bool(isRankStabilised), "use_dora": .bool(hasMagnitudes), "bias": "none",
            "fan_in_fan_out": false,
            "init_lora_weights": true, "inference_mode": true, "modules_to_save": nil,
            "base_model_name_or_path": baseModel.map { .string($0) } ?? .null,
        ]
    }
}
