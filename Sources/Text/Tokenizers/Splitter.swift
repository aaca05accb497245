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
    let steps: [PreparedStep]

    init(_ steps: [SplittingStep]) throws(TokenizerError) {
        plan = Self.plan(for: steps)
        self.steps = try steps.map { step throws(TokenizerError) in try PreparedStep(step) }
    }

    /// Cuts a text step by step.
    func apply(to list: inout PieceList) {
        // What follows a byte-level step sees the bytes as GPT-2's alphabet spells them.
        var isSpelled = false
        for (index, step) in steps.enumerated() {
            step.apply(to: &list)
            if step.isByteLevel, index + 1 < steps.count, !isSpelled {
                list.spellBytes()
                isSpelled = true
            }
        }
        if isSpelled { list.unspellBytes() }
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
    static let qwen35 =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let gpt4o =
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
        + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
        + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let tekken =
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
        + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
        + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let deepSeek3 =
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"##
        + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
}
