/// Why an index of passages can't be read or asked.
public enum RetrievalError: Error, Hashable, CustomStringConvertible {
    /// A file that is no index, or a damaged one; with what is wrong.
    case invalidFile(path: String, reason: String)
    /// An index of a later form than this program knows.
    case laterVersion(path: String, version: Int, known: Int)
    /// The vectors come from another model than the one given.
    case otherModel(index: String, given: String)
    /// Dense search without a model, or in an index without vectors.
    case noVectors
    /// Two documents under one name in one update.
    case repeatedName(String)
    case wrongWidth(model: String, expected: Int, found: Int)
    case unwritable(path: String, reason: String)

    public var description: String {
        switch self {
        case .invalidFile(let path, let reason):
            "\(path) is no usable index of passages: \(reason). Delete it, and it is made again."
        case .laterVersion(let path, let version, let known):
            "\(path) has the format \(version); this program reads formats up to \(known). Use a newer Lyceum or another file."
        case .otherModel(let index, let given):
            "The index holds vectors of the model \(index), which can't be compared with those of \(given). "
                + "Use the same model, or make another index."
        case .noVectors:
            "Dense and hybrid search need an embedding model and an index that was made with it. Search by words, "
                + "or type make embedders and make the index again."
        case .repeatedName(let name): "Two documents are called \(name.debugDescription); names must differ."
        case .wrongWidth(let model, let expected, let found):
            "The model \(model) gave a vector of \(found) numbers instead of \(expected), or one that is not finite."
        case .unwritable(let path, let reason): "\(path) can't be written: \(reason)"
        }
    }
}
