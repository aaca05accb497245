import Text

/// How an encoder's hidden states become one vector for a text: what sentence-transformers keeps beside the weights.
public struct SentenceConfiguration: Sendable, Hashable, Codable {
    /// Which states the vector is made of.
    public enum Pooling: String, Sendable, Hashable, Codable {
        /// The mean over all tokens, [CLS] and [SEP] included.
        case mean
        /// The first token's state.
        case first
    }

    public var pooling: Pooling
    /// Whether vectors are scaled to length one.
    public var normalises: Bool
    /// Longer texts are cut to this many tokens, [CLS] and [SEP] included.
    public var limit: Int

    public init(pooling: Pooling = .mean, normalises: Bool = true, limit: Int) {
        self.pooling = pooling
        self.normalises = normalises
        self.limit = limit
    }

    /// Reads `modules.json`, `sentence_bert_config.json` and the pooling module's `config.json` of a folder, or the pooling
    /// type of a GGUF file. What is left open: the mean of all tokens, length one, the encoder's whole context.
    public init(_ source: any WeightSource, _ configuration: ModelConfiguration) throws(WeightFileError) {
        self.init(limit: configuration.contextLength)
        if let file = source as? GGUFFile {
            try read(ConfigurationFields(file), architecture: configuration.family.ggufArchitecture)
        } else {
            try read(folder: isDirectory(source.path) ? source.path : folder(of: source.path))
        }
    }

    private mutating func read(_ fields: ConfigurationFields, architecture: String) throws(WeightFileError) {
        let key = architecture + ".pooling_type"
        switch try fields.integer(key, in: 0...16, default: 1) {
        case 1: pooling = .mean
        case 2: pooling = .first
        case let type:
            throw fields.fault(.unsupported, key, "type \(type) is not read; 1 (mean) and 2 (first token) are")
        }
    }

    private mutating func read(folder: String) throws(WeightFileError) {
        let settings = joined(folder, "sentence_bert_config.json")
        if fileExists(settings) {
            let fields = ConfigurationFields(file: settings, json: try readJSON(settings))
            limit = try min(
                limit, fields.integer("max_seq_length", in: 3...ConfigurationRange.context.upperBound, default: limit))
        }
        let list = joined(folder, "modules.json")
        guard fileExists(list) else { return }
        guard let modules = try readJSON(list).arrayValue else {
            throw WeightFileError(.malformed, file: list, "must be a list of modules")
        }
        normalises = false
        for module in modules {
            let fields = ConfigurationFields(file: list, json: module)
            // `sentence_transformers.models.Pooling`; the middle has changed over the years.
            let type = try fields.text("type")
            switch type.split(separator: ".").last {
            case "Transformer": break
            case "Normalize": normalises = true
            case "Pooling":
                let path = try fields.text("path")
                guard isPlainFileName(path) else {
                    throw fields.fault("path", "must name a folder beside modules.json")
                }
                try read(pooling: joined(joined(folder, path), "config.json"))
            default:
                throw fields.fault(
                    .unsupported, "type", "\"\(type)\" is not read; Transformer, Pooling and Normalize are")
            }
        }
    }

    private mutating func read(pooling path: String) throws(WeightFileError) {
        let fields = ConfigurationFields(file: path, json: try readJSON(path))
        // Newer files name the mode; older ones have a flag for each.
        let flags = [
            "cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max",
            "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
            "weightedmean_tokens": "weightedmean", "lasttoken": "lasttoken",
        ]
        var modes: [String] = []
        if let mode = try fields.optionalText("pooling_mode") {
            modes = [mode]
        } else {
            for flag in flags.keys.sorted() where try fields.flag("pooling_mode_" + flag, default: false) {
                modes.append(flags[flag] ?? flag)
            }
        }
        switch modes {
        case ["mean"]: pooling = .mean
        case ["cls"]: pooling = .first
        default:
            throw fields.fault(
                .unsupported, "pooling_mode",
                "\(modes.isEmpty ? "none" : modes.joined(separator: " and ")) is not read; mean or cls alone is")
        }
    }
}
