/// Why a constraint cannot be compiled. Everything that could not be guaranteed while decoding is refused here, before any work.
public struct ConstraintError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where the fault lies.
    public enum Place: Hashable, Sendable {
        /// An offset into a regular expression, in Unicode scalars from its start.
        case regex(pattern: String, offset: Int)
        /// A JSON pointer into the schema, from its root (`""` is the root itself).
        case schema(pointer: String)
        case choice
        case vocabulary
    }

    public var place: Place
    /// What is wrong there and what would be right, without the place.
    public var reason: String

    public init(_ place: Place, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    public var description: String {
        switch place {
        case .regex(let pattern, let offset):
            let shown = pattern.count > 80 ? pattern.prefix(77) + "..." : pattern[...]
            return "regular expression \"\(shown)\", character \(offset + 1): \(reason)"
        case .schema(let pointer):
            return "JSON Schema at \(pointer.isEmpty ? "the root" : "\"\(pointer)\""): \(reason)"
        case .choice:
            return "choice: \(reason)"
        case .vocabulary:
            return "vocabulary: \(reason)"
        }
    }
}
