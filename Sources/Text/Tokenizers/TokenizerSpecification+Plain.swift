/// Tokenizers of models that start from nothing.
extension TokenizerSpecification {
    /// One token a byte, then the special tokens, the first of which ends a text: nothing is ever unknown.
    public static func bytes(special: [String] = ["<|endoftext|>"]) -> TokenizerSpecification {
        bytePairs([], special: special)
    }

    /// Byte-level byte pairs: the 256 bytes, one token for each merge in order, then the special tokens, the first of which ends a text.
    ///
    /// - Parameters:
    ///   - merges: the two tokens of each merge, in GPT-2's alphabet.
    ///   - splitting: how the text is cut before bytes are joined.
    public static func bytePairs(
        _ merges: [(left: String, right: String)], special: [String],
        splitting: [SplittingStep] = [.byteLevel(addsPrefixSpace: false, splits: true)]
    ) -> TokenizerSpecification {
        var tokens = GPT2Alphabet.characters
        var known = Set(tokens)
        // The same token may be joined of different parts.
        for merge in merges where known.insert(merge.left + merge.right).inserted {
            tokens.append(merge.left + merge.right)
        }
        var specification = TokenizerSpecification(
            vocabulary: ByteStrings(tokens + special),
            model: .bytePair(
                BytePair(merges: .pairs(ByteStrings(merges.flatMap { [$0.left, $0.right] })), isByteLevel: true)))
        specification.splitting = splitting
        specification.addSpecial(special)
        return specification
    }

    /// One token a word: texts are cut at whitespace, which is lost, and a word outside the list is the token `<unk>`. Decoding
    /// writes a space between tokens.
    ///
    /// - Parameters:
    ///   - words: without spaces, none twice.
    ///   - special: the first ends a text.
    public static func words(_ words: [String], special: [String] = ["<|endoftext|>"]) -> TokenizerSpecification {
        precondition(
            Set(words).count == words.count && words.allSatisfy { !$0.isEmpty && !$0.contains(where: \.isWhitespace) },
            "words are not empty, have no spaces and occur once")
        var model = WordPiece()
        model.unknown = 0
        var specification = TokenizerSpecification(
            vocabulary: ByteStrings(["<unk>"] + words + special), model: .wordPiece(model))
        specification.splitting = [.whitespace]
        specification.decoder = .spaced
        specification.unknown = 0
        specification.addSpecial(special)
        return specification
    }

    /// One token a word of a list; other words are spelt in pieces, the longest that fits at each place, those behind the first with `##` in
    /// front (WordPiece). So are signs behind a word of the list. Of white space line breaks are kept, a token each, and the rest is
    /// written as one space.
    ///
    /// - Parameters:
    ///   - words: without spaces, none twice.
    ///   - pieces: letters, syllables or signs that words are spelt with. A word with something else in it is the token `<unk>`.
    ///   - special: the first ends a text.
    public static func words(
        _ words: [String], speltWith pieces: [String], special: [String] = ["<|endoftext|>"]
    ) -> TokenizerSpecification {
        let pieces = Set(pieces).sorted()
        let spelling = pieces + pieces.map { "##" + $0 }
        let known = Set(spelling)
        var specification = Self.words(
            spelling + words.filter { !known.contains($0) } + special, special: ["\n"])
        let lineBreak = TokenID(specification.vocabulary.count - 1)
        specification.decoder = .wordPiece(prefix: "##", cleansUp: false)
        specification.addedTokens = special.indices.map { index in
            AddedToken(
                id: TokenID(specification.vocabulary.count - 1 - special.count + index), content: special[index],
                isSpecial: true)
        }
        specification.eos = specification.addedTokens.first?.id
        specification.padding = specification.eos
        specification.addedTokens.append(AddedToken(id: lineBreak, content: "\n", isSpecial: false))
        return specification
    }

    /// One token for each phrase given, and one for each other word of the texts, with the space before it where there is one; whatever
    /// else a text has is spelt byte by byte, so that every text comes back as it was. For models that continue raw text.
    ///
    /// - Parameters:
    ///   - phrases: a token each wherever they stand, none twice. Of two that begin at one place the longer one is taken.
    ///   - special: the first ends a text.
    public static func spacedWords(
        of texts: some Sequence<String>, phrases: [String] = [], special: [String] = ["<|endoftext|>"]
    ) -> TokenizerSpecification {
        var words: Set<String> = []
        for text in texts {
            let rest = phrases.reduce(text) { $0.replacing($1, with: "\n") }
            for match in rest.matches(of: #/ ?\S+/#) { words.insert(GPT2Alphabet.spelling(of: rest[match.range])) }
        }
        let bytes = GPT2Alphabet.characters
        var model = BytePair(merges: .pairs(ByteStrings()), isByteLevel: true)
        // A word is taken whole although no merges lead to it.
        model.ignoresMerges = true
        let own = bytes + words.subtracting(bytes).sorted()
        var specification = TokenizerSpecification(
            vocabulary: ByteStrings(own + phrases + special), model: .bytePair(model))
        specification.splitting = [
            .pattern(.regex(#" ?\S+|\s"#), .isolated, inverted: false),
            .byteLevel(addsPrefixSpace: false, splits: false),
        ]
        specification.addSpecial(special)
        specification.addedTokens += phrases.enumerated().map { index, phrase in
            AddedToken(id: TokenID(own.count + index), content: phrase, isSpecial: false)
        }
        return specification
    }

    /// Makes the last entries of the vocabulary special tokens.
    private mutating func addSpecial(_ names: [String]) {
        let start = vocabulary.count - names.count
        addedTokens = names.enumerated().map { index, name in
            AddedToken(id: TokenID(start + index), content: name, isSpecial: true)
        }
        eos = addedTokens.first?.id
        padding = eos
    }
}
