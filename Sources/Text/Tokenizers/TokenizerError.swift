/// Why a tokenizer can't be built: which field of its description is wrong, and how.
public struct TokenizerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The field as it is spelled in the file: `model.merges`, `tokenizer.ggml.pre`.
    public var field: String
    /// What is wrong with it, and what would be right where that can be said.
    public var problem: String

    public init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }

    public var description: String { "The tokenizer's field '\(field)' \(problem)." }
}
