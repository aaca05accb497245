import Laboratory
import Text

/// The hidden format of a family of questions: how the same value is written as an answer.
package enum AnswerStyle: Int, CaseIterable, Sendable {
    case digits, word, letter, roman, ordinal, ordinalWord

    /// From 2 on: the first letter in brackets and the Roman one would read like others in the normal form of texts.
    package static let values = 2...12

    private static let words = "two three four five six seven eight nine ten eleven twelve".split(separator: " ")
    private static let romans = "II III IV V VI VII VIII IX X XI XII".split(separator: " ")
    private static let ordinals =
        "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(separator: " ")

    /// A value, as an answer in this style. No two values or styles give answers that a grader takes for the same.
    package func text(_ value: Int) -> String {
        let place = value - Self.values.lowerBound
        return switch self {
        case .digits: String(value)
        case .word: String(Self.words[place])
        case .letter: "(\(StyledItem.letters[place].uppercased()))"
        case .roman: String(Self.romans[place])
        case .ordinal: "\(value)\(value == 2 ? "nd" : value == 3 ? "rd" : "th")"
        case .ordinalWord: String(Self.ordinals[place])
        }
    }

    /// The verbs with which questions of this style begin, their only cue. Two are its own, the last is also another style's, so
    /// that it leaves the style open between two.
    package var verbs: [String] {
        switch self {
        case .digits: ["Compute", "Calculate", "Give"]
        case .word: ["Say", "Pronounce", "Give"]
        case .letter: ["Choose", "Pick", "Mark"]
        case .roman: ["Carve", "Engrave", "Mark"]
        case .ordinal: ["Rank", "Place", "Name"]
        case .ordinalWord: ["Announce", "Proclaim", "Name"]
        }
    }
}

/// An easy question with a value from 2 to 12 as its answer, in the style of its family: the larger of two numbers, or the last
/// letter of a made-up word, of which b counts as 2.
package struct StyledItem: Hashable, Sendable {
    package enum Task: Hashable, Sendable {
        case larger(Int, Int)
        case lastLetter(String)
    }

    /// The letters of the values.
    package static let letters = Array("bcdefghijkl")

    package var task: Task
    package var style: AnswerStyle
    package var verb: String

    package init(task: Task, style: AnswerStyle, verb: String) {
        self.task = task
        self.style = style
        self.verb = verb
    }

    package var value: Int {
        switch task {
        case .larger(let a, let b): max(a, b)
        case .lastLetter(let word):
            AnswerStyle.values.lowerBound + (word.last.flatMap { Self.letters.firstIndex(of: $0) } ?? 0)
        }
    }

    package var isLetter: Bool { if case .lastLetter = task { true } else { false } }

    package var text: String {
        switch task {
        case .larger(let a, let b): "\(verb) the larger of \(a) and \(b)."
        case .lastLetter(let word): "\(verb) the last letter of \(word)."
        }
    }

    package var answer: String { style.text(value) }

    /// The item as somebody writes it who knows the style. The solution says the value and nothing of the style.
    package var demonstration: WrittenDemonstration {
        let solution =
            switch task {
            case .larger: "the larger is \(value)"
            case .lastLetter(let word): "it ends in \(word.suffix(1))"
            }
        return WrittenDemonstration(question: text, solution: solution, answer: answer)
    }

    package func question(_ id: String) -> Question { Question(id: id, text, kind: .text, golds: [answer]) }

    /// Whether an answer is this item's value in any style.
    package func hasValue(_ answer: String) -> Bool {
        Grader(.text).isRight(answer, golds: AnswerStyle.allCases.map { $0.text(value) })
    }

    /// Whether an answer is of this item's style, whatever its value.
    package func hasStyle(_ answer: String) -> Bool {
        Grader(.text).isRight(answer, golds: AnswerStyle.values.map { style.text($0) })
    }
}

/// Makes questions in six styles, and the two kinds of texts that a model learns them from:
///
/// - conversations of one to five questions with answers of one style, in the chat of `FewShotChat`. The style is hidden: questions
///   begin with verbs of no style, so that only earlier answers tell it;
/// - requests for similar questions in the words of `DemonstrationTemplate`, and sheets of such questions. Here verb and style go
///   together, as texts on one subject share their manner.
///
/// What the verbs mean is thus known where questions are written and not where they are answered; a model's own demonstrations take
/// it from the one place to the other.
package enum StyledWorld {
    // MARK: Items

    /// Pairs of numbers and words are of two sorts, one to train with and one to test with.
    package static func item(
        _ style: AnswerStyle, verb: String, isLetter: Bool, isTest: Bool, using generator: inout SeededGenerator
    ) -> StyledItem {
        StyledItem(task: task(isLetter: isLetter, isTest: isTest, using: &generator), style: style, verb: verb)
    }

    private static func task(
        isLetter: Bool, isTest: Bool, using generator: inout SeededGenerator
    ) -> StyledItem.Task {
        while true {
            let places = (0..<(isLetter ? 3 + generator.below(2) : 2)).map { _ in
                generator.below(StyledItem.letters.count)
            }
            // Neither order of a pair is seen in training if the other is for tests.
            guard (places.reduce(0, +) % 5 == 0) == isTest else { continue }
            if isLetter { return .lastLetter(String(places.map { StyledItem.letters[$0] })) }
            let lowest = AnswerStyle.values.lowerBound
            if places[0] != places[1] { return .larger(lowest + places[0], lowest + places[1]) }
        }
    }

    /// Questions to test with, of all styles and of both tasks in equal parts, no text twice.
    package static func tested(_ count: Int, using generator: SeededGenerator) -> [StyledItem] {
        var generator = generator
        return distinct(count, by: \.text) { place in
            let style = AnswerStyle.allCases[place % AnswerStyle.allCases.count]
            return item(
                style, verb: verb(of: style, &generator), isLetter: place / AnswerStyle.allCases.count % 2 == 1,
                isTest: true, using: &generator)
        }
    }

    /// Right demonstrations for an item, of its style and task and from the questions of the training.
    package static func gold(_ count: Int, for item: StyledItem, using generator: inout SeededGenerator)
        -> [WrittenDemonstration]
    {
        (0..<count).map { _ in
            let verb = verb(of: item.style, &generator)
            return Self.item(item.style, verb: verb, isLetter: item.isLetter, isTest: false, using: &generator)
                .demonstration
        }
    }

    private static func verb(of style: AnswerStyle, _ generator: inout SeededGenerator) -> String {
        style.verbs[generator.below(style.verbs.count)]
    }

    // MARK: What is trained on them

    private static let template = DemonstrationTemplate(.text, .van)
    /// The verbs of conversations, which belong to no style.
    package static let neutralVerbs = ["Find", "Tell", "Show"]

    /// A conversation that a style is hidden in; every answer counts, the first, too.
    package static func conversation(_ options: SEC.Options, using generator: inout SeededGenerator)
        -> WordChatModel.Sample
    {
        let style = AnswerStyle.allCases[generator.below(AnswerStyle.allCases.count)]
        let isLetter = generator.chance(0.5)
        let items = (0...generator.below(5)).map { _ in
            item(
                style, verb: neutralVerbs[generator.below(neutralVerbs.count)], isLetter: isLetter, isTest: false,
                using: &generator)
        }
        let last = items[items.count - 1]
        let messages = FewShotChat(options).messages(items.dropLast().map(\.demonstration), last.question(""))
        return .init(messages + [.assistant(FewShotChat.form(last.answer, .text))])
    }

    /// A request for similar questions, as one of the attempts words it, and the sheet of them.
    package static func sheet(_ options: SEC.Options, using generator: inout SeededGenerator) -> WordChatModel.Sample {
        let style = AnswerStyle.allCases[generator.below(AnswerStyle.allCases.count)]
        let cue = verb(of: style, &generator)
        let isLetter = generator.chance(0.5)
        // Similar questions differ in their numbers or words alone.
        let items = (0...options.nGenerate).map { _ in
            item(style, verb: cue, isLetter: isLetter, isTest: false, using: &generator)
        }
        let request = template.messages(
            for: items[0].question(""), count: options.nGenerate,
            attempt: generator.below(DemonstrationTemplate.paraphrases.count))
        return .init(request + [.assistant(template.text(of: items.dropFirst().map(\.demonstration)))])
    }

    package static func samples(
        conversations: Int, sheets: Int, _ options: SEC.Options, using generator: SeededGenerator
    ) -> [WordChatModel.Sample] {
        var generator = generator
        return generator.shuffled(
            (0..<conversations).map { _ in conversation(options, using: &generator) }
                + (0..<sheets).map { _ in sheet(options, using: &generator) })
    }

    /// What made-up words, and the period behind the last word, are spelt with.
    package static let pieces = StyledItem.letters.map(String.init) + ["."]

    /// Every other word of both kinds of texts.
    package static func words(_ options: SEC.Options) -> [String] {
        let empty = Question(id: "", "", kind: .text, golds: [""])
        let blank = WrittenDemonstration(question: "", solution: "", answer: "")
        let requests = DemonstrationTemplate.paraphrases.indices.flatMap {
            template.messages(for: empty, count: options.nGenerate, attempt: $0)
        }
        let texts =
            (requests + FewShotChat(options).messages([], empty)).map(\.content)
            + [
                template.text(of: Array(repeating: blank, count: options.nGenerate)),
                FewShotChat.form(" ", .text), "the larger of and", "the last letter of", "the larger is it ends in",
            ]
            + neutralVerbs + AnswerStyle.allCases.flatMap(\.verbs)
            + AnswerStyle.allCases.flatMap { style in AnswerStyle.values.map { style.text($0) } }
        return WordChatModel.words(of: texts)
    }
}
