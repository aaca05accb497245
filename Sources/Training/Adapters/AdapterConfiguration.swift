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
    /// Ranks and alphas of layers that have others than the rest, the first that fits.
    public var ranks: [LayerSetting] = []
    public var alphas: [LayerSetting] = []

    /// A number for the layers to the end of whose name a regular expression fits.
    public struct LayerSetting: Sendable, Hashable {
        public var pattern: String
        public var value: Double

        func fits(_ module: String) -> Bool {
            guard let pattern = try? Regex("(?:.*\\.)?(?:\(pattern))") else { return false }
            return module.wholeMatch(of: pattern) != nil
        }
    }

    public init(_ adaptation: LowRankAdaptation, baseModel: String? = nil) {
        rank = adaptation.rank
        alpha = adaptation.alpha
        dropout = adaptation.dropout
        targets = adaptation.targets.map(\.text)
        isRankStabilised = adaptation.isRankStabilised
        hasMagnitudes = adaptation.trainsMagnitudes
        self.baseModel = baseModel
    }

    /// The rank of a layer, and what its change is multiplied by.
    public func rankAndScale(of module: String) -> (rank: Int, scale: Double) {
        let rank = ranks.first { $0.fits(module) }.map { Int($0.value) } ?? rank
        let alpha = alphas.first { $0.fits(module) }?.value ?? alpha
        return (rank, alpha / (isRankStabilised ? Double(rank).squareRoot() : Double(rank)))
    }

    /// Reads the document of a file and refuses what isn't supported: other kinds of adapters, trained biases.
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
        func settings(_ field: String, _ rule: String, _ allows: (Double) -> Bool) throws -> [LayerSetting] {
            try (document[field]?.objectValue ?? []).map { member in
                guard let value = member.value.doubleValue, allows(value), (try? Regex(member.key)) != nil else {
                    throw fault(field, "must hold regular expressions, each with \(rule)")
                }
                return LayerSetting(pattern: member.key, value: value)
            }
        }
        ranks = try settings("rank_pattern", "a whole number from 1 up") {
            $0 >= 1 && $0 == $0.rounded() && $0 <= 65_536
        }
        alphas = try settings("alpha_pattern", "a number") { $0.isFinite }
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
            "rank_pattern": .object(ranks.map { .init($0.pattern, .integer(Int($0.value))) }),
            "alpha_pattern": .object(alphas.map { .init($0.pattern, .number($0.value)) }),
        ]
    }
}
