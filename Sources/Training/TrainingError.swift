/// Why training can't begin or go on: a sentence to the user.
public enum TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A setting is outside what makes sense.
    case badSetting(String, reason: String)
    /// No weight of the model has a name that the parameterisation, or a pattern of it, asks for.
    case nothingToTrain(patterns: [String], examples: [String])
    /// The model has a part that has no gradient here.
    case untrainable(String)
    /// A sample can't be used.
    case badSample(index: Int, reason: String)
    /// A loss or a gradient stopped being a number.
    case notFinite(what: String, step: Int, samples: [Int], lastCheckpoint: String?)
    /// A checkpoint or an adapter doesn't fit what is being trained.
    case mismatch(file: String, reason: String)
    /// Several processes can't train together.
    case ranks(String)
    /// The system refused a file.
    case unwritable(file: String, reason: String)

    public var description: String {
        switch self {
        case .badSetting(let name, let reason): "\(name): \(reason)."
        case .nothingToTrain(let patterns, let examples):
            "No weight of the model fits \(patterns.map(\.debugDescription).joined(separator: ", ")). Its weights have names "
                + "such as \(examples.joined(separator: ", "))."
        case .untrainable(let reason): "This model can't be trained: \(reason)."
        case .badSample(let index, let reason): "Sample \(index + 1): \(reason)."
        case .notFinite(let what, let step, let samples, let checkpoint):
            "The \(what) of step \(step) is no finite number. Its samples are \(Self.list(samples)). "
                + (checkpoint.map { "The last good checkpoint is \($0)." } ?? "There is no checkpoint yet.")
                + " A lower learning rate or more warm-up steps may help."
        case .mismatch(let file, let reason): "\(file): \(reason)."
        case .ranks(let reason): "Training over several ranks: \(reason)."
        case .unwritable(let file, let reason): "\(file): \(reason)."
        }
    }

    /// Demands a setting above 0.
    static func demandPositive(_ value: Double, _ name: String) throws {
        guard value > 0, value.isFinite else { throw badSetting(name, reason: "must be above 0, not \(value)") }
    }

    /// Demands a setting of 0 or more.
    static func demandNotNegative(_ value: Double, _ name: String) throws {
        guard value >= 0, value.isFinite else { throw badSetting(name, reason: "must be 0 or more, not \(value)") }
    }

    /// Numbers of samples as a user counts them, from 1.
    private static func list(_ samples: [Int]) -> String {
        let shown = samples.prefix(16).map { String($0 + 1) }.joined(separator: ", ")
        return samples.count > 16 ? "\(shown) and \(samples.count - 16) more" : shown
    }
}
