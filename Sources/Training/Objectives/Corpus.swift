import Text

/// Samples for next-token pre-training.
public enum Corpus {
    /// Cuts documents into texts of the same length, each token of which counts: documents are joined, with the separator after each, and cut
    /// every `length` tokens. The rest at the end, shorter than that, is kept when it has two tokens or more.
    public static func texts(
        documents: some Sequence<[TokenID]>, length: Int, separator: TokenID?
    ) throws -> [TokenSequence] {
        guard length >= 2 else {
            throw TrainingError.badSetting("text length", reason: "must be at least 2 tokens, not \(length)")
        }
        var texts: [TokenSequence] = []
        var open: [TokenID] = []
        for document in documents {
            open += document
            if let separator { open.append(separator) }
            var start = 0
            while open.count - start >= length {
                texts.append(TokenSequence(Array(open[start..<start + length])))
                start += length
            }
            open.removeFirst(start)
        }
        if open.count >= 2 { texts.append(TokenSequence(open)) }
        return texts
    }
}
