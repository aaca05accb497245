#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// BLEU: the geometric mean of the precisions of runs of one to four words, times a penalty for texts that are too short,
/// from 0 to 100:
///
///     BLEU = BP · exp(1/N · Σₙ ln pₙ),   BP = exp(1 − r/c) where c < r, else 1
///
/// with pₙ the share of the hypothesis's runs of n words that a reference has (each at most as often as the reference that has
/// it most often), c the hypothesis's length and r that of the reference nearest in length.
///
/// Source: Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation" (2002). Tokens (13a), smoothing and
/// the shorter of two equally near references as in sacreBLEU; Post, "A Call for Clarity in Reporting BLEU Scores" (2018).
public struct BLEU: Sendable, Hashable {
    /// What a precision of 0 becomes. Chen and Cherry, "A Systematic Comparison of Smoothing Techniques" (2014).
    public enum Smoothing: Sendable, Hashable {
        /// It stays 0, and so does BLEU.
        case none
        /// The k-th precision of 0 becomes 1 / (2ᵏ · total).
        case exponential
        /// The count of 0 becomes this.
        case floor(Double)
        /// This is added to the counts and totals of runs longer than one word.
        case addK(Double)
    }

    /// From 0 to 100.
    public var score: Double
    /// Of runs of 1, 2, … words, from 0 to 100.
    public var precisions: [Double]
    public var brevityPenalty: Double
    /// In words.
    public var hypothesisLength: Int
    public var referenceLength: Int

    /// Of a whole corpus: counts and lengths are added up over the texts first.
    public static func corpus(
        _ texts: [(hypothesis: String, references: [String])], order: Int = 4, smoothing: Smoothing = .exponential
    ) -> BLEU {
        var statistics = Statistics(order: order)
        for text in texts { statistics.add(text.hypothesis, references: text.references) }
        return statistics.score(smoothing, usesEffectiveOrder: false)
    }

    /// Of one text. Runs longer than the text don't count (sacreBLEU's effective order).
    public static func sentence(
        _ hypothesis: String, references: [String], order: Int = 4, smoothing: Smoothing = .exponential
    ) -> BLEU {
        var statistics = Statistics(order: order)
        statistics.add(hypothesis, references: references)
        return statistics.score(smoothing, usesEffectiveOrder: true)
    }

    private struct Statistics {
        var correct: [Double]
        var total: [Double]
        var hypothesisLength = 0
        var referenceLength = 0

        init(order: Int) {
            precondition(order > 0, "BLEU needs runs of at least one word")
            correct = [Double](repeating: 0, count: order)
            total = correct
        }

        mutating func add(_ hypothesis: String, references: [String]) {
            let words = BLEUTokens.tokens(hypothesis)
            let expected = references.map { BLEUTokens.tokens($0) }
            hypothesisLength += words.count
            let nearest = expected.map(\.count).min { left, right in
                let (first, second) = (abs(left - words.count), abs(right - words.count))
                return first != second ? first < second : left < right
            }
            referenceLength += nearest ?? 0
            for n in 1...correct.count {
                var most: [ArraySlice<String>: Int] = [:]
                for reference in expected { most.merge(NGrams.counts(reference, n: n), uniquingKeysWith: max) }
                correct[n - 1] += Double(NGrams.shared(NGrams.counts(words, n: n), most))
                total[n - 1] += Double(max(0, words.count - n + 1))
            }
        }

        func score(_ smoothing: Smoothing, usesEffectiveOrder: Bool) -> BLEU {
            let order = correct.count
            var penalty = 1.0
            if hypothesisLength < referenceLength {
                penalty = hypothesisLength > 0 ? exp(1 - Double(referenceLength) / Double(hypothesisLength)) : 0
            }
            var precisions = [Double](repeating: 0, count: order)
            var score = 0.0
            if correct.contains(where: { $0 > 0 }) {
                var effectiveOrder = order
                var halving = 1.0
                for n in 1...order {
                    var (right, all) = (correct[n - 1], total[n - 1])
                    if case .addK(let k) = smoothing, n > 1 {
                        right += k
                        all += k
                    }
                    if all == 0 { break }
                    if usesEffectiveOrder { effectiveOrder = n }
                    if right == 0 {
                        switch smoothing {
                        case .exponential:
                            halving *= 2
                            right = 1 / halving
                        case .floor(let value): right = value
                        case .none, .addK: break
                        }
                    }
                    precisions[n - 1] = 100 * right / all
                }
                let used = precisions.prefix(effectiveOrder)
                if used.allSatisfy({ $0 > 0 }) {
                    score = penalty * exp(used.reduce(0) { $0 + log($1) } / Double(effectiveOrder))
                }
            }
            return BLEU(
                score: score, precisions: precisions, brevityPenalty: penalty, hypothesisLength: hypothesisLength,
                referenceLength: referenceLength)
        }
    }
}

/// The `13a` tokens of mteval, which sacreBLEU counts: punctuation stands apart, except points and commas inside numbers.
enum BLEUTokens {
    static func tokens(_ text: String) -> [String] {
        var scalars = Array(trimmed(text))
        for (old, new) in [("<skipped>", ""), ("-\n", ""), ("\n", " ")] { replace(old, with: new, in: &scalars) }
        if scalars.contains("&") {
            for (old, new) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
                replace(old, with: new, in: &scalars)
            }
        }
        scalars = [" "] + scalars + [" "]
        scalars = scalars.flatMap { isSymbol($0) ? [" ", $0, " "] : [$0] }
        // Points and commas that don't follow a digit, then those that don't precede one, then dashes after digits.
        scalars = separated(scalars, first: { !isDigit($0) }, second: isPoint) { [$0, " ", $1, " "] }
        scalars = separated(scalars, first: isPoint, second: { !isDigit($0) }) { [" ", $0, " ", $1] }
        scalars = separated(scalars, first: isDigit, second: { $0 == "-" }) { [$0, " ", $1, " "] }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return Words.separated(String(view))
    }

    private static func trimmed(_ text: String) -> Substring.UnicodeScalarView {
        var view = text.unicodeScalars[...]
        while let last = view.last, last.properties.isWhitespace { view.removeLast() }
        return view
    }

    /// Replaces pairs that satisfy the conditions, from left to right; the next pair begins after the last one.
    private static func separated(
        _ scalars: [Unicode.Scalar], first: (Unicode.Scalar) -> Bool, second: (Unicode.Scalar) -> Bool,
        _ replacement: (Unicode.Scalar, Unicode.Scalar) -> [Unicode.Scalar]
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count + 16)
        var index = 0
        while index < scalars.count {
            if index + 1 < scalars.count, first(scalars[index]), second(scalars[index + 1]) {
                result += replacement(scalars[index], scalars[index + 1])
                index += 2
            } else {
                result.append(scalars[index])
                index += 1
            }
        }
        return result
    }

    private static func replace(_ old: String, with new: String, in scalars: inout [Unicode.Scalar]) {
        let old = Array(old.unicodeScalars)
        guard scalars.contains(old[0]) else { return }
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < scalars.count {
            if scalars[index...].starts(with: old) {
                result += new.unicodeScalars
                index += old.count
            } else {
                result.append(scalars[index])
                index += 1
            }
        }
        scalars = result
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private static func isPoint(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar == "," }

    private static func isSymbol(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "{"..."~", "["..."`", " "..."&", "("..."+", ":"..."@", "/": true
        default: false
        }
    }
}
