import Inference
import Laboratory
import Text

/// A multiple-choice question: `question`, `options` (or `choices`), `gold` (or `answer`: a position from 0, a letter or the
/// option's text), and where the data has them, `context` and `subject`.
package struct ChoiceItem: DataRecord, Hashable {
    package var id: String
    package var question: String
    package var context: String?
    /// What results are grouped by.
    package var subject: String?
    /// Without the never-correct ones that a prompt may append.
    package var options: [String]
    /// The position of the right option.
    package var gold: Int

    /// The most options of an item: with two more the letters A to Z are used up.
    package static let mostOptions = 24

    package init(
        id: String, question: String, context: String? = nil, subject: String? = nil, options: [String], gold: Int
    ) {
        self.id = id
        self.question = question
        self.context = context
        self.subject = subject
        self.options = options
        self.gold = gold
    }

    package init(_ record: Record) throws(DataError) {
        let fields = try QuestionRecord(record)
        id = fields.id ?? "\(record.place)"
        question = fields.question.trimmingSpaces
        context = fields.context.map(\.trimmingSpaces)
        subject = try record.stringIfPresent("subject")
        options = fields.choices.map(\.trimmingSpaces)
        guard (2...Self.mostOptions).contains(options.count) else {
            throw .wrongField(
                record.place, field: "options", expected: "2 to \(Self.mostOptions) texts", found: "\(options.count)")
        }
        guard !options.contains("") else {
            throw .wrongField(
                record.place, field: "options", expected: "texts that aren't empty", found: "an empty one")
        }
        guard let gold = fields.answerIndex else {
            throw .missingField(record.place, field: "gold (or answer)", present: record.fieldNames)
        }
        self.gold = gold
    }

    /// The item with its options in another order: place k holds the option that was at `order[k]`.
    package func reordered(_ order: [Int]) -> ChoiceItem {
        var item = self
        item.options = order.map { options[$0] }
        item.gold = order.firstIndex(of: gold) ?? gold
        return item
    }

    /// The item with its options in random order, the same for the same number.
    package func permuted(number: Int) -> ChoiceItem {
        var random = SeededGenerator(seed: UInt64(number), stream: "option order")
        return reordered(random.shuffled(options.indices))
    }

    /// The item with its options moved round by some places.
    package func rotated(by places: Int) -> ChoiceItem {
        reordered(options.indices.map { ($0 + places) % options.count })
    }
}

/// Questions that ask for no knowledge: "Which of the following options corresponds to "w"?", with w itself among random words.
package enum SyntheticChoices {
    /// Lower-case words of 5 to 9 letters in a tokenizer's vocabulary: tokens that begin a word.
    package static func words(of tokenizer: Tokenizer) -> [String] {
        (0..<tokenizer.vocabularySize).compactMap { id in
            let bytes = tokenizer.bytes(of: TokenID(id))
            guard (6...10).contains(bytes.count), bytes.first == UInt8(ascii: " "),
                bytes.dropFirst().allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
            else { return nil }
            return String(decoding: bytes.dropFirst(), as: UTF8.self)
        }
    }

    /// Items with different words, the right one at any place alike.
    package static func items(
        _ count: Int, options: Int = 4, words: [String], name: String, using random: inout SeededGenerator
    ) throws(QKScoreError) -> [ChoiceItem] {
        guard words.count >= options else { throw .tooFewWords(words.count, needed: options) }
        var items: [ChoiceItem] = []
        for index in 0..<count {
            // Drawn by position: copying the whole vocabulary for each item would cost more than the item.
            var drawn: [String] = []
            while drawn.count < options {
                let word = words[random.below(words.count)]
                if !drawn.contains(word) { drawn.append(word) }
            }
            let gold = random.below(options)
            items.append(
                ChoiceItem(
                    id: "\(name) \(index + 1)",
                    question: "Which of the following options corresponds to \"\(drawn[gold])\"?", options: drawn,
                    gold: gold))
        }
        return items
    }
}
