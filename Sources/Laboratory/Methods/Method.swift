import Text

/// A published method: what it is (the card), what can be set (the options), what it does to a model (`run`), and the small
/// experiment that can prove it wrong (`demo`).
///
/// A method is one file that reads top to bottom as its paper does. It writes no loops over batches, prints nothing, and
/// reads no files: the lab gives it the model, the data, random streams, progress and the run's record.
public protocol Method: Sendable {
    associatedtype Options: MethodOptions

    static var card: MethodCard { get }
    init()

    /// Applies the method to the lab's subject, beside its baseline, and says what changed.
    func run(_ options: Options, in lab: Lab) async throws -> Report

    /// The falsifiable experiment on the embedded model: what must be measured for the paper's effect to hold.
    func demo(in lab: Lab) async throws -> Demonstration
}

extension Method {
    /// `run` for callers that hold the options as values by name. Throws `OptionError` before any work.
    package static func run(json options: JSONValue, in lab: Lab) async throws -> Report {
        try await Self().run(Options(json: options), in: lab)
    }

    /// The values of flags over a configuration file's, checked, by name.
    package static func options(
        flags: [String], config: JSONValue?, alsoKnown: [String]
    ) throws(OptionError) -> JSONValue {
        let base = if let config { try Options(json: config) } else { Options() }
        return try Options(flags: flags, over: base, alsoKnown: alsoKnown).json
    }

    package static var optionDescriptions: [OptionDescription] { Options.descriptions }
}
