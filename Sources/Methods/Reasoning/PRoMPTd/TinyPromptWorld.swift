import Laboratory
import Text

/// Three small tasks, each in the one form that a small task model knows, and in messy prose that it doesn't.
struct TinyPrompt: Hashable, Sendable {
    enum Task: String, CaseIterable, Sendable {
        case sum = "arithmetic"
        case largest = "comparison"
        case letters = "last letters"
    }

    var task: Task
    /// The two summands, the numbers of the list, or the two names: what must survive rewriting, in the canonical order.
    var operands: [String]
    var messy: String
    /// Why the messy prompt is poor, as the rewriter is taught to say it.
    var reason: String

    /// The form that the task model was trained on.
    var canonical: String {
        switch task {
        case .sum: "compute: \(operands.joined(separator: " + ")) ; answer:"
        case .largest: "largest: \(operands.joined(separator: " ")) ; answer:"
        case .letters: "last letters: \(operands.joined(separator: " ")) ; answer:"
        }
    }

    var answer: String {
        let numbers = operands.compactMap { Int($0) }
        switch task {
        case .sum: return String(numbers.reduce(0, +))
        case .largest: return numbers.max().map(String.init) ?? ""
        case .letters: return String(operands.compactMap(\.last))
        }
    }

    func question(_ id: String) -> Question {
        Question(id: id, messy, kind: task == .letters ? .text : .number, golds: [answer], subject: task.rawValue)
    }

    /// The rewriter's right reply.
    var reply: String {
        "Reason: \(reason)\nTask Type: \(task.rawValue)\nBetter Prompt: \(canonical)"
    }
}

/// Makes tiny prompts. Names and combinations of numbers are of two sorts, one to train with and one to test with, so that nothing
/// that has to be copied was seen before; distractors are sentences without digits. No name begins with a word of the sentences.
enum TinyPromptWorld {
    private static let signs = [".", ",", ":", "?"]
    /// The syllables of names. With 70 and 60 of them the rewriter did not learn to copy in the time that a demo has.
    private static let starts = "Ba De Fi Go Ka Le Mi No Pa Ri So Ta Vi Zo".split(separator: " ").map(String.init)
    private static let ends = "bet dis dum gor kal lan lup mer nik ram ron sel tas tig vok zen".split(separator: " ")
        .map(String.init)

    /// What the task model spells words with: letters and digits, which it has to know.
    static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".map(String.init) + signs
    /// What the rewriter spells words with: it copies numbers whole and names by their syllables.
    static let syllables = (10...99).map(String.init) + starts + ends + signs

    /// All that the rewriter is told: its demonstrations are in its weights.
    static let instructions = "Clear up this prompt."

    // MARK: Prompts

    private struct Wording {
        /// One list a clue; "#" is its number, {1} or {2} the name asked about, {n} and {m} are people, {t} things.
        var clues: [[String]]
        var questions: [String]
        var reason: String
    }

    private static func wording(_ task: TinyPrompt.Task) -> Wording {
        switch task {
        case .sum:
            Wording(
                clues: [
                    ["{n} has # {t}.", "{n} counted # {t}.", "There are # {t} in the bag of {n}."],
                    ["{m} gives {n} # {t}.", "Then {n} finds # {t}.", "A friend brings # {t}."],
                ],
                questions: [
                    "How many {t} are there in all?", "What is the total?", "Tell me how many {t} that makes.",
                ], reason: "two numbers hide in a story and the question is vague.")
        case .largest:
            Wording(
                clues: Array(
                    repeating: ["{n} scored # points.", "{m} got # points.", "# points went to {n}."], count: 3),
                questions: [
                    "Which score was the best?", "How many points did the winner have?", "Tell me the highest score.",
                ], reason: "the scores stand apart and the question is vague.")
        case .letters:
            Wording(
                clues: [["One name is {1}."], ["Another name is {2}."]],
                questions: [
                    "What do the last letters of the names spell?", "Join the last letters of the names.",
                    "Look at how each name ends.",
                ], reason: "the names stand apart and the question is vague.")
        }
    }

    static func prompt(_ task: TinyPrompt.Task, isTest: Bool, using generator: inout SeededGenerator) -> TinyPrompt {
        let wording = wording(task)
        let names = (0..<4).map { _ in name(isTest: isTest, using: &generator) }
        let thing = things[generator.below(things.count)]
        let operands =
            switch task {
            case .sum: numbers(2, in: 10...49, isTest: isTest, using: &generator)
            case .largest: numbers(3, in: 10...99, isTest: isTest, using: &generator)
            case .letters: Array(names[2...])
            }
        // Clues come in any order; operands are asked for in the order in which they then stand.
        var left = operands[...]
        var sentences = generator.shuffled(wording.clues).map { texts in
            let text = texts[generator.below(texts.count)]
            let places = ["#", "{1}", "{2}"]
            return places.reduce(text) { $0.contains($1) ? $0.replacing($1, with: left.popFirst() ?? "") : $0 }
        }
        for distractor in generator.sample(1 + generator.below(3), of: distractors) {
            sentences.insert(distractor, at: generator.below(sentences.count + 1))
        }
        let question = wording.questions[generator.below(wording.questions.count)]
        sentences.insert(question, at: generator.chance(0.3) ? 0 : sentences.count)
        let messy = zip(["{n}", "{m}", "{t}"], [names[0], names[1], thing]).reduce(
            sentences.joined(separator: " ")
        ) { $0.replacing($1.0, with: $1.1) }
        return TinyPrompt(task: task, operands: operands, messy: messy, reason: wording.reason)
    }

    static func prompts(
        _ count: Int, of tasks: [TinyPrompt.Task] = TinyPrompt.Task.allCases, isTest: Bool,
        using generator: SeededGenerator
    ) -> [TinyPrompt] {
        var generator = generator
        return (0..<count).map { prompt(tasks[$0 % tasks.count], isTest: isTest, using: &generator) }
    }

    private static let things = ["apples", "stamps", "coins", "shells", "books", "cards"]

    private static let distractors = [
        "{m} likes the rain.", "The train was late again.", "{n} slept well.", "Nobody knows why.",
        "{m} and {n} are friends.", "The sky was grey over the town.", "{m} lives near the river.",
        "A dog barked in the yard.", "{n} wears a blue coat.", "It was a long day.", "{m} sings in a choir.",
        "The soup was too hot.",
    ]

    /// A name of two syllables, of which every fifth pair is for tests.
    private static func name(isTest: Bool, using generator: inout SeededGenerator) -> String {
        while true {
            let (start, end) = (generator.below(starts.count), generator.below(ends.count))
            if isForTests(start, end) == isTest { return starts[start] + ends[end] }
        }
    }

    private static func isForTests(_ start: Int, _ end: Int) -> Bool { (start + end) % 5 == 0 }

    /// Different numbers whose product decides what they are for: no single number, and no sum, is kept from training.
    private static func numbers(
        _ count: Int, in range: ClosedRange<Int>, isTest: Bool, using generator: inout SeededGenerator
    ) -> [String] {
        while true {
            let numbers = (0..<count).map { _ in range.lowerBound + generator.below(range.count) }
            guard Set(numbers).count == count else { continue }
            if (numbers.reduce(1, *) % 7 == 3) == isTest { return numbers.map(String.init) }
        }
    }

    // MARK: What is trained on it

    /// Canonical prompts with their answers: all that the task model ever sees.
    static func taskSamples(_ count: Int, using generator: SeededGenerator) -> [WordChatModel.Sample] {
        prompts(count, isTest: false, using: generator).map {
            .init([.user($0.canonical), .assistant($0.answer)])
        }
    }

    /// Numbers and made-up words of any two syllables, said again: what the rewriter learns first. None is a name for tests.
    static func copying(_ count: Int, using generator: SeededGenerator) -> [WordChatModel.Sample] {
        var generator = generator
        func word() -> String {
            if generator.chance(0.3) { return String(10 + generator.below(90)) }
            while true {
                let parts = (0..<2).map { _ in generator.pick(starts + ends) ?? "" }
                if let start = starts.firstIndex(of: parts[0]), let end = ends.firstIndex(of: parts[1]),
                    isForTests(start, end)
                {
                    continue
                }
                return parts.joined()
            }
        }
        return (0..<count).map { _ in
            .repetition(of: (0..<(3 + generator.below(6))).map { _ in word() })
        }
    }

    /// Messy prompts under the method's own meta prompt, with right replies. Every other one is of names, which are the hardest to
    /// copy. The operands weigh more than the words around them, which follow from the task alone.
    static func rewriterSamples(
        _ count: Int, _ metaPrompt: MetaPrompt, using generator: SeededGenerator
    ) -> [WordChatModel.Sample] {
        prompts(count, of: [.sum, .letters, .largest, .letters], isTest: false, using: generator).map {
            .init(
                [
                    .user("\(metaPrompt.preamble)\n\n\(metaPrompt.request($0.messy, output: nil))"),
                    .assistant($0.reply),
                ], weights: Dictionary(uniqueKeysWithValues: Set($0.operands).map { ($0, 5) }))
        }
    }

    /// All words that stand in prompts and replies as they are: of the templates, without their places and the signs behind words,
    /// which are tokens of their own. Names and numbers are spelt.
    static var words: [String] {
        let wordings = TinyPrompt.Task.allCases.map(wording)
        let forms = TinyPrompt.Task.allCases.map {
            TinyPrompt(task: $0, operands: ["+"], messy: "", reason: "").reply
        }
        let texts =
            wordings.flatMap { $0.clues.flatMap { $0 } + $0.questions + [$0.reason] } + things + distractors
            + forms + [instructions] + RewriteHeader.allCases.map { $0.rawValue + ":" }
        let words = WordChatModel.words(of: texts).map { word in
            var word = word[...]
            while let last = word.last, ".,:?".contains(last) { word.removeLast() }
            return String(word)
        }
        return Set(words).filter { !$0.isEmpty && !$0.contains { "#{}".contains($0) } }.sorted()
    }
}
