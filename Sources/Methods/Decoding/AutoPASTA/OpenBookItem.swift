import Inference
import Laboratory
import Text

/// A question on a given context: `question`, `context` (a text or passages), `answer` or `answers`, and where the data has
/// them, `supporting` (the sentences that hold the answer, as they stand in the context) and `answer_prefix` (how the
/// answer begins).
package struct OpenBookItem: DataRecord, Hashable {
    package var id: String
    package var question: String
    package var context: String
    package var answers: [String]
    package var supporting: [String]
    package var answerPrefix: String

    package init(
        id: String, question: String, context: String, answers: [String], supporting: [String],
        answerPrefix: String = ""
    ) {
        self.id = id
        self.question = question
        self.context = context
        self.answers = answers
        self.supporting = supporting
        self.answerPrefix = answerPrefix
    }

    package init(_ record: Record) throws(DataError) {
        let fields = try QuestionRecord(record)
        guard let context = fields.context, context.contains(where: { !$0.isWhitespace }) else {
            throw .missingField(record.place, field: "context (or passage)", present: record.fieldNames)
        }
        id = fields.id ?? "\(record.place)"
        question = fields.question
        self.context = context
        answers = fields.answers.filter { !AnswerMatch.words($0).isEmpty }
        let field = record.first(of: ["supporting", "supporting_sentences", "evidence"])?.name
        supporting = if let field { try record.strings(field) } else { [] }
        for sentence in supporting where context.utf8Range(of: sentence) == nil {
            throw .wrongField(
                record.place, field: field ?? "supporting", expected: "sentences as they stand in the context",
                found: sentence.debugDescription)
        }
        answerPrefix = try record.stringIfPresent("answer_prefix") ?? ""
    }

    /// The places of the supporting sentences in the context, in UTF-8 bytes: those that the data names, else the first
    /// sentence that holds an answer. Empty where neither is known.
    package func goldSpans(among sentences: [Range<Int>]) -> [Range<Int>] {
        if !supporting.isEmpty { return supporting.compactMap { context.utf8Range(of: $0) } }
        let bytes = Array(context.utf8)
        return sentences.first { sentence in
            let text = String(decoding: bytes[sentence], as: UTF8.self)
            return answers.contains { AnswerMatch.contains(text, answer: $0) }
        }.map { [$0] } ?? []
    }
}

/// How answers are compared: lower case, without punctuation and articles, words apart by single spaces (Rajpurkar et al.,
/// 2016).
package enum AnswerMatch {
    package static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for scalar in text.lowercased().unicodeScalars {
            let properties = scalar.properties
            if properties.isWhitespace {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else if !isPunctuation(properties.generalCategory) {
                word.unicodeScalars.append(scalar)
            }
        }
        if !word.isEmpty { words.append(word) }
        return words.filter { !["a", "an", "the"].contains($0) }
    }

    private static func isPunctuation(_ category: Unicode.GeneralCategory) -> Bool {
        switch category {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol:
            true
        default: false
        }
    }

    /// Whether the prediction is one of the answers.
    package static func exact(_ prediction: String, _ answers: [String]) -> Bool {
        let words = words(prediction)
        return answers.contains { self.words($0) == words }
    }

    /// The best harmonic mean of precision and recall of the words, over the answers.
    package static func f1(_ prediction: String, _ answers: [String]) -> Double {
        answers.map { f1(words(prediction), words($0)) }.max() ?? 0
    }

    static func f1(_ prediction: [String], _ answer: [String]) -> Double {
        if prediction.isEmpty || answer.isEmpty { return prediction == answer ? 1 : 0 }
        var left = Dictionary(answer.map { ($0, 1) }, uniquingKeysWith: +)
        var shared = 0
        for word in prediction {
            guard let count = left[word], count > 0 else { continue }
            left[word] = count - 1
            shared += 1
        }
        // 2PR / (P + R) with P = shared / |prediction| and R = shared / |answer|.
        return 2 * Double(shared) / Double(prediction.count + answer.count)
    }

    /// Whether the words of an answer stand in a text, in a row.
    package static func contains(_ text: String, answer: String) -> Bool {
        let text = words(text)
        let answer = words(answer)
        guard !answer.isEmpty, answer.count <= text.count else { return false }
        return (0...text.count - answer.count).contains { Array(text[$0..<$0 + answer.count]) == answer }
    }
}

extension String {
    /// Where another text first stands in this one, in UTF-8 bytes; nil where it doesn't or is empty.
    func utf8Range(of other: String) -> Range<Int>? {
        ByteSearch.first(Array(other.utf8), in: Array(utf8)).map { $0..<$0 + other.utf8.count }
    }
}

package enum ByteSearch {
    /// Where a run of bytes first stands in others (Knuth, Morris and Pratt), in time linear in both.
    package static func first(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard !needle.isEmpty, needle.count <= bytes.count else { return nil }
        // borders[i]: the longest proper prefix of the needle that ends needle[0...i].
        var borders = [Int](repeating: 0, count: needle.count)
        var length = 0
        for index in needle.indices.dropFirst() {
            while length > 0, needle[index] != needle[length] { length = borders[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            borders[index] = length
        }
        length = 0
        for (index, byte) in bytes.enumerated() {
            while length > 0, byte != needle[length] { length = borders[length - 1] }
            if byte == needle[length] { length += 1 }
            if length == needle.count { return index - length + 1 }
        }
        return nil
    }
}
