/// Why a weight file, or a model's configuration, cannot be used.
public struct WeightFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault, for callers that react to it.
    public enum Problem: String, Sendable, Hashable {
        /// The file is absent or the system refuses it.
        case unreadable
        /// The file ends before something it announces.
        case truncated
        /// The bytes contradict the format.
        case malformed
        /// The file is sound, but uses something that Lyceum does not read.
        case unsupported
        /// A tensor, key or file that is needed is absent.
        case missing
        /// A value is outside what makes sense, or contradicts another.
        case invalidValue
        /// Writing failed.
        case unwritable
    }

    public var problem: Problem
    /// The file's path.
    public var file: String
    /// The metadata key, tensor or header part at fault, or nil when it is the file as a whole.
    public var field: String?
    /// What is wrong and what would be right.
    public var message: String

    public init(_ problem: Problem, file: String, field: String? = nil, _ message: String) {
        self.problem = problem
        self.file = file
        self.field = field
        self.message = message
    }

    public var description: String {
        field.map { "\(file): \($0): \(message)" } ?? "\(file): \(message)"
    }
}
