/// How a short answer compares with the expected ones, after the normalisation of SQuAD.
///
/// Both sides are put in lower case, ASCII punctuation and the articles *a*, *an* and *the* are dropped, and white space is
/// evened out. With several references the best one counts.
///
/// Source: Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (2016), section 6.1, and version 2.0
/// of its official evaluation script, by which two answers of no words agree.
public enum AnswerMatch {
    /// The normal form in which answers are compared.
    public static func normalized(_ answer: String) -> String { tokens(answer).joined(separator: " ") }

    /// The words of the normal form.
    public static func tokens(_ answer: String) -> [String] {
        var kept = String.UnicodeScalarView()
        var word = String.UnicodeScalarView()
        func endWord() {
            let text = String(word)
            kept.append(contentsOf: (text == "a" || text == "an" || text == "the" ? " " : text).unicodeScalars)
            word = String.UnicodeScalarView()
        }
        for scalar in answer.lowercased().unicodeScalars where !isPunctuation(scalar) {
            if scalar.isWordCharacter {
                word.append(scalar)
            } else {
                endWord()
                kept.append(scalar)
            }
        }
        endWord()
        return Words.separated(String(kept))
    }

    /// Whether the normal forms of the prediction and of a reference are the same.
    public static func isExact(_ prediction: String, references: [String]) -> Bool {
        let tokens = tokens(prediction)
        return references.contains { self.tokens($0) == tokens }
    }

    /// The best F1 between the words of the prediction and those of a reference, as bags:
    /// P = shared / predicted, R = shared / expected. When a side has no words it is 1 if the other has none either, else 0.
    public static func f1(_ prediction: String, references: [String]) -> Double {
        let predicted = tokens(prediction)
        return references.map { reference in
            let expected = tokens(reference)
            if predicted.isEmpty || expected.isEmpty { return predicted.isEmpty && expected.isEmpty ? 1 : 0 }
            let shared = NGrams.shared(NGrams.counts(predicted, n: 1), NGrams.counts(expected, n: 1))
            return OverlapScore(shared: shared, predicted: predicted.count, expected: expected.count).f1
        }.max() ?? 0
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}
