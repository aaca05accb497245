/// chrF: the F score of shared runs of one to six characters, from 0 to 100. With `wordOrder` 2 it is chrF++.
///
///     chrFβ = 100 · (1 + β²) · P · R / (β² · P + R)
///
/// P and R are the means, over the lengths of runs that both sides have, of the shares of the hypothesis's and the reference's
/// runs that both have. White space doesn't count; of several references the best one does.
///
/// Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation" (2015), "chrF++: words helping character
/// n-grams" (2017); averaging over the lengths present, as sacreBLEU does.
public struct CharacterFScore: Sendable, Hashable {
    public var characterOrder = 6
    public var wordOrder = 0
    /// How much more recall weighs than precision.
    public var beta = 2.0

    public init(characterOrder: Int = 6, wordOrder: Int = 0, beta: Double = 2) {
        self.characterOrder = characterOrder
        self.wordOrder = wordOrder
        self.beta = beta
    }

    /// Of a whole corpus: counts are added up over the texts first, each against its best reference.
    public func corpus(_ texts: [(hypothesis: String, references: [String])]) -> Double {
        var totals = [Counts](repeating: Counts(), count: characterOrder + wordOrder)
        for text in texts {
            for (index, counts) in best(text.hypothesis, text.references).enumerated() {
                totals[index].hypothesis += counts.hypothesis
                totals[index].reference += counts.reference
                totals[index].shared += counts.shared
            }
        }
        return score(totals)
    }

    /// Of one text.
    public func sentence(_ hypothesis: String, references: [String]) -> Double { score(best(hypothesis, references)) }

    /// The runs of one length: those of the hypothesis, of the reference and of both.
    private struct Counts {
        var hypothesis = 0
        var reference = 0
        var shared = 0
    }

    private func best(_ hypothesis: String, _ references: [String]) -> [Counts] {
        let empty = [Counts](repeating: Counts(), count: characterOrder + wordOrder)
        var best: (score: Double, counts: [Counts])?
        for reference in references {
            let counts = self.counts(hypothesis, reference)
            let score = score(counts)
            if score > best?.score ?? -1 { best = (score, counts) }
        }
        return best?.counts ?? empty
    }

    private func counts(_ hypothesis: String, _ reference: String) -> [Counts] {
        func counts<Element: Hashable>(_ left: [Element], _ right: [Element], _ order: Int) -> [Counts] {
            (0..<order).map { index in
                let (left, right) = (NGrams.counts(left, n: index + 1), NGrams.counts(right, n: index + 1))
                let total = right.values.reduce(0, +)
                return Counts(
                    hypothesis: right.isEmpty ? 0 : left.values.reduce(0, +), reference: total,
                    shared: NGrams.shared(left, right))
            }
        }
        func characters(_ text: String) -> [Unicode.Scalar] {
            Words.separated(text).flatMap { Array($0.unicodeScalars) }
        }
        return counts(characters(hypothesis), characters(reference), characterOrder)
            + counts(Self.words(hypothesis), Self.words(reference), wordOrder)
    }

    private func score(_ counts: [Counts]) -> Double {
        var (precision, recall, present) = (0.0, 0.0, 0.0)
        for count in counts where count.hypothesis > 0 && count.reference > 0 {
            precision += Double(count.shared) / Double(count.hypothesis)
            recall += Double(count.shared) / Double(count.reference)
            present += 1
        }
        if precision + recall == 0 { return 0 }
        precision /= present
        recall /= present
        let factor = beta * beta
        return 100 * (1 + factor) * precision * recall / (factor * precision + recall)
    }

    /// The words, with one punctuation mark at the end of a word, or else at its beginning, apart.
    private static func words(_ text: String) -> [String] {
        Words.separated(text).flatMap { word in
            let scalars = Array(word.unicodeScalars)
            guard scalars.count > 1 else { return [word] }
            if isPunctuation(scalars[scalars.count - 1]) {
                return [String(word.unicodeScalars.dropLast()), String(scalars[scalars.count - 1])]
            }
            if isPunctuation(scalars[0]) { return [String(scalars[0]), String(word.unicodeScalars.dropFirst())] }
            return [word]
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}
