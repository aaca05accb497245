import Inference
import Text

/// What every run takes besides the method's own options: flags and configuration keys by the same names.
public struct RunSettings: MethodOptions {
    /// How a local model computes.
    public enum Precision: String, OptionChoice {
        /// Quantised weights as they are, multiplied with 16-bit activations; other weights in bf16.
        case `default`
        /// The same with 8-bit activations: faster prompts and batches, a visible error.
        case fast
        /// f32 throughout.
        case f32
    }

    public var model = "embedded"
    /// Folders in PEFT's format, each with `=weight` behind it where it isn't 1.
    public var adapter: [String] = []
    /// The name of a reasoning strategy that stands between the method and the model.
    public var strategy: String?
    public var data: Path?
    public var config: Path?
    public var seed = 1
    public var limit: Int?
    public var precision = Precision.default
    public var out: Path?
    public var json = false
    public var quiet = false
    public var store = true

    public init() {}

    public static let fields: [Field<Self>] = [
        Field("model", \.model, "the subject: embedded, a file or folder, openai:NAME@URL, ollama:NAME", .filled),
        Field("adapter", \.adapter, "adapters beside a local model: folders in PEFT's format, folder=weight"),
        Field("strategy", \.strategy, "let the model answer by this strategy, as cqot", .filled),
        Field("data", \.data, "a JSONL, JSON, CSV, TSV or text file"),
        Field("config", \.config, "a YAML or JSON file with any of these options; flags win over it"),
        Field("seed", \.seed, "starts every random stream", .atLeast(0)),
        Field("limit", \.limit, "the most records to work on", .atLeast(1)),
        Field("precision", \.precision, "how a local model computes"),
        Field("out", \.out, "where the HTML report goes (else the run's own folder)"),
        Field("json", \.json, "print the report as JSON instead of tables"),
        Field("quiet", \.quiet, "no progress line"),
        Field("store", \.store, "keep the run in the run store"),
    ]

    /// The names that no method's option may take.
    public static var names: Set<String> { Set(fields.map(\.name)).union(["help"]) }

    /// Splits a configuration file's values into those of a run's settings and those of its method.
    public static func partition(_ values: JSONValue) -> (settings: JSONValue, method: JSONValue) {
        let members = values.objectValue ?? []
        let settings = members.filter { names.contains($0.key) }
        return (.object(settings), .object(members.filter { !names.contains($0.key) }))
    }
}
