/// Everything that says how a tokenizer works, as plain values: what GGUF files and `tokenizer.json` are read into.
public struct TokenizerSpecification: Sendable {
    /// The tokens as the file spells them, by id.
    public var vocabulary: ByteStrings
    public var model: Model
    /// Changes to the text before it is split, in order.
    public var normalization: [NormalizationStep] = []
    /// How the text is cut into the pieces that the model encodes, in order.
    public var splitting: [SplittingStep] = []
    /// Tokens that are found in the text itself, before anything else.
    public var addedTokens: [AddedToken] = []
    public var decoder: Decoder = .bytes
    /// Written before the tokens of a text when boundaries are asked for.
    public var prefix: [TokenID] = []
    /// Written after the tokens of a text when boundaries are asked for.
    public var suffix: [TokenID] = []
    public var bos: TokenID?
    public var eos: TokenID?
    /// What the tokenizer's description calls unknown, whether its model uses it or not.
    public var unknown: TokenID?
    public var padding: TokenID?
    /// Tokens that end a generation; `eos` need not be repeated.
    public var endOfText: [TokenID] = []
    /// What the list of merges is called in the file, for errors.
    public var mergesField = "model.merges"

    public init(vocabulary: ByteStrings, model: Model) {
        self.vocabulary = vocabulary
        self.model = model
    }

    public enum Model: Sendable {
        case bytePair(BytePair)
        case wordPiece(WordPiece)
        case unigram(Unigram)
    }

    public struct BytePair: Sendable {
        public var merges: Merges
        /// Whether the vocabulary is spelled in GPT-2's alphabet of printable characters, one for each byte.
        public var isByteLevel: Bool
        /// Whether a piece that is in the vocabulary is taken whole, whatever the merges would give.
        public var ignoresMerges = false
        /// Whether characters outside the vocabulary become tokens of their bytes, `<0x00>` to `<0xFF>`.
        public var fallsBackToBytes = false
        /// Stands for a character outside the vocabulary; nil: such characters are dropped.
        public var unknown: TokenID?
        /// Whether neighbouring unknown characters become one token.
        public var fusesUnknown = false

        public init(merges: Merges, isByteLevel: Bool) {
            self.merges = merges
            self.isByteLevel = isByteLevel
        }
    }

    /// Which pairs of tokens are joined, the earliest first.
    public enum Merges: Sendable {
        /// Each entry is the left and the right token with a space between.
        case joined(ByteStrings)
        /// The left and the right token in turns.
        case pairs(ByteStrings)
        /// Any two tokens whose concatenation is a token, the highest score of the result first (SentencePiece).
        case byScore([Float])
    }

    public struct WordPiece: Sendable {
        /// What the spelling of a token that continues a word starts with.
        public var continuingPrefix = "##"
        /// Longer words, in characters, are unknown.
        public var maxWordCharacters = 100
        /// Stands for a word that can't be spelled; nil: such words are dropped.
        public var unknown: TokenID?

        public init() {}
    }

    public struct Unigram: Sendable {
        /// The log-probability of each token.
        public var scores: [Double]
        /// Stands for characters outside the vocabulary; nil: such characters are dropped.
        public var unknown: TokenID?
        /// Whether characters outside the vocabulary become tokens of their bytes, `<0x00>` to `<0xFF>`.
        public var fallsBackToBytes = false

        public init(scores: [Double]) { self.scores = scores }
    }

    /// How tokens become text again.
    public enum Decoder: Sendable, Hashable {
        /// The tokens' bytes, one after the other.
        case bytes
        /// The tokens with a space between.
        case spaced
        /// SentencePiece: the replacement character stands for a space, `<0x00>` to `<0xFF>` for bytes.
        /// `stripsFirstSpace` takes one space off the start of the text.
        case sentencePiece(replacement: String, stripsFirstSpace: Bool)
        /// A space before every token that does not start with the prefix; `cleansUp` takes the space before punctuation away.
        case wordPiece(prefix: String, cleansUp: Bool)
    }
}

/// A token that is found in the text before the model sees it.
public struct AddedToken: Sendable, Hashable {
    public var id: TokenID
    public var content: String
    /// Special tokens steer the model; they are only found where the caller allows it.
    public var isSpecial: Bool
    /// Found only where no word character stands next to it.
    public var singleWord = false
    /// Takes the whitespace on its left with it.
    public var stripsLeft = false
    /// Takes the whitespace on its right with it.
    public var stripsRight = false
    /// Found in the normalised text instead of the original.
    public var isNormalized = false

    public init(id: TokenID, content: String, isSpecial: Bool) {
        self.id = id
        self.content = content
        self.isSpecial = isSpecial
    }
}

/// A change to the text before it is split into pieces.
public enum NormalizationStep: Sendable {
    case nfc, nfd, nfkc, nfkd
    case lowercase
    /// Removes non-spacing marks.
    case stripAccents
    case bert(cleansText: Bool, spacesChinese: Bool, stripsAccents: Bool, lowercases: Bool)
    case replace(TextPattern, with: String)
    /// Puts this before a text that isn't empty.
    case prepend(String)
    case strip(left: Bool, right: Bool)
    /// SentencePiece's compiled table of replacements.
    case precompiled(CharacterMap)
    /// Removes control characters and turns odd spaces into plain ones.
    case nmt
}

/// A way to cut text into pieces.
public enum SplittingStep: Sendable {
    /// Marks the pieces as bytes; with the pattern of GPT-2 where asked for, and with a space put before a piece that starts
    /// with none.
    case byteLevel(addsPrefixSpace: Bool, splits: Bool)
    /// Numeric characters apart from the rest, each by itself or in runs.
    case digits(individual: Bool)
    case pattern(TextPattern, SplitBehavior, inverted: Bool)
    /// Words, and runs of what is neither word nor whitespace.
    case words
    /// At whitespace, which is dropped.
    case whitespace
    case punctuation(SplitBehavior)
    /// At whitespace, which is dropped, and each punctuation character by itself.
    case bert
    /// Writes spaces as the replacement and cuts before each.
    case metaspace(replacement: String, prepending: MetaspacePrefix, splits: Bool)
}

/// When `metaspace` puts its replacement before a text that does not start with it.
public enum MetaspacePrefix: Sendable, Hashable {
    case always, never
    /// Only at the start of the whole text.
    case first
}

/// What becomes of the places where a pattern matches.
public enum SplitBehavior: Sendable, Hashable {
    case removed, isolated, mergedWithPrevious, mergedWithNext, contiguous
}

/// What a splitting or replacing step looks for.
public enum TextPattern: Sendable, Hashable {
    case literal(String)
    /// A regular expression.
    case regex(String)
}
