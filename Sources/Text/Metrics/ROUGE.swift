/// ROUGE: how many words, pairs of words and subsequences a text shares with a reference. Words are runs of ASCII letters and
/// digits in lower case, not stemmed.
///
/// Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004); tokens as the `rouge-score` package makes them.
public enum ROUGE {
    /// ROUGE-N, section 2: runs of `n` words that both texts share, each counted as often as the one that has it less often,
    /// over those of the prediction (precision) and of the reference (recall).
    public static func n(_ n: Int, _ prediction: String, reference: String) -> OverlapScore {
        let (predicted, expected) = (tokens(prediction), tokens(reference))
        let shared = NGrams.shared(NGrams.counts(predicted, n: n), NGrams.counts(expected, n: n))
        return OverlapScore(
            shared: shared, predicted: max(0, predicted.count - n + 1), expected: max(0, expected.count - n + 1))
    }

    /// ROUGE-L, section 3: the longest common subsequence of words over the length of the prediction (precision) and of the
    /// reference (recall).
    public static func l(_ prediction: String, reference: String) -> OverlapScore {
        let (predicted, expected) = (tokens(prediction), tokens(reference))
        return OverlapScore(
            shared: longestCommonSubsequence(predicted, expected), predicted: predicted.count, expected: expected.count)
    }

    /// The length of the longest sequence that both contain in order, with gaps. Time m·n, memory the shorter length.
    public static func longestCommonSubsequence<Element: Equatable>(_ left: [Element], _ right: [Element]) -> Int {
        let (short, long) = left.count <= right.count ? (left, right) : (right, left)
        var lengths = [Int](repeating: 0, count: short.count + 1)
        for element in long {
            var diagonal = 0
            for (index, other) in short.enumerated() {
                let above = lengths[index + 1]
                lengths[index + 1] = element == other ? diagonal + 1 : max(above, lengths[index])
                diagonal = above
            }
        }
        return lengths[short.count]
    }

    static func tokens(_ text: String) -> [String] {
        text.lowercased().utf8.split { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): false
            default: true
            }
        }.map { String(decoding: $0, as: UTF8.self) }
    }
}
