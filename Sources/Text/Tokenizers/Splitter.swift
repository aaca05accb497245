/// How text is cut into the pieces that the model encodes.
struct Splitter: Sendable {
    /// The fast ways, and the general one.
    enum Plan: Sendable {
        case whole
        case gpt2(isolatesDigits: Bool)
        case llama3(maxDigits: Int)
        case steps
    }

    let plan: Plan
    let steps: [SplittingStep]

    init(_ steps: [SplittingStep]) throws(TokenizerError) {
        self.steps = steps
        plan = Self.plan(for: steps)
    }

    private static func plan(for steps: [SplittingStep]) -> Plan {
        if steps.isEmpty { return .whole }
        if steps.count == 1, case .byteLevel(addsPrefixSpace: false, splits: true) = steps[0] {
            return .gpt2(isolatesDigits: false)
        }
        if steps.count == 2, case .digits(individual: true) = steps[0],
            case .byteLevel(addsPrefixSpace: false, splits: true) = steps[1]
        {
            return .gpt2(isolatesDigits: true)
        }
        if steps.count == 2, case .pattern(.regex(let pattern), .isolated, inverted: false) = steps[0],
            case .byteLevel(addsPrefixSpace: false, splits: false) = steps[1]
        {
            if pattern == KnownPattern.llama3 { return .llama3(maxDigits: 3) }
            if pattern == KnownPattern.qwen2 { return .llama3(maxDigits: 1) }
        }
        return .steps
    }
}

/// Regular expressions that have a scanner of their own.
enum KnownPattern {
    static let llama3 =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let qwen2 =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
}

/// The pieces of a text under the splitting steps.
struct PieceList {
    var bytes: [UInt8]
    var alignment: Alignment?
    var pieces: [Range<Int>]
    let isFirst: Bool

    init(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, recordingRanges: Bool) {
        bytes = Array(text)
        if recordingRanges {
            alignment = Alignment()
            alignment?.appendIdentity(0..<text.count)
        }
        pieces = text.isEmpty ? [] : [0..<text.count]
        self.isFirst = isFirst
    }
}

extension SplittingStep {
    func apply(to list: inout PieceList) {}
}

/// Placeholder models follow.
public struct CharacterMap: Sendable {}
struct WordPieceModel: Sendable {
    let index: VocabularyIndex
    init(_ s: TokenizerSpecification.WordPiece, spellings: TokenTable, unknown: TokenID?) throws(TokenizerError) {
        throw TokenizerError("model", "is not here yet")
    }
    func encodeWhole(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) {}
}
struct UnigramModel: Sendable {
    let index: VocabularyIndex
    init(_ s: TokenizerSpecification.Unigram, spellings: TokenTable, unknown: TokenID?) throws(TokenizerError) {
        throw TokenizerError("model", "is not here yet")
    }
    func encodeWhole(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) {}
}
