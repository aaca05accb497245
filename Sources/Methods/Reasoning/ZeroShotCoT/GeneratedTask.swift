import Laboratory

/// Question sets that are made, not downloaded.
public enum GeneratedTask: String, OptionChoice {
    /// Whether a coin is still heads up after some people flipped it and others did not.
    case coinFlip = "coin-flip"
    /// The last letters of several names, put together.
    case lastLetters = "last-letters"
    /// Word problems of two steps, in whole numbers.
    case arithmetic

    /// Items with their right answers.
    ///
    /// - Parameter people: k, the names of a coin-flip or last-letters item.
    package func items(_ count: Int, people: Int = 4, using generator: inout SeededGenerator) -> [ReasoningItem] {
        (0..<count).map { index in
            let example = example(people: people, using: &generator)
            return ReasoningItem(
                id: "\(rawValue)-\(index + 1)", question: example.question, kind: kind, gold: example.answer)
        }
    }

    /// The same items as questions for strategies.
    package func questions(
        _ count: Int, people: Int = 4, using generator: inout SeededGenerator
    ) -> [Question] {
        items(count, people: people, using: &generator).map { item in
            Question(id: item.id, item.question, kind: item.kind, golds: [item.gold])
        }
    }

    /// Items with a worked way to the answer, for few-shot prompts.
    package func examples(
        _ count: Int, people: Int = 4, using generator: inout SeededGenerator
    ) -> [WorkedExample] {
        (0..<count).map { _ in example(people: people, using: &generator) }
    }

    package var kind: AnswerKind {
        switch self {
        case .coinFlip: .yesNo
        case .lastLetters: .text
        case .arithmetic: .number
        }
    }

    private func example(people: Int, using generator: inout SeededGenerator) -> WorkedExample {
        switch self {
        case .coinFlip: Self.coinFlip(people: people, using: &generator)
        case .lastLetters: Self.lastLetters(people: people, using: &generator)
        case .arithmetic: Self.wordProblem(using: &generator)
        }
    }

    private static func coinFlip(people: Int, using generator: inout SeededGenerator) -> WorkedExample {
        let coin = CoinFlips(people: people, of: names, using: &generator)
        return WorkedExample(question: coin.question, rationale: coin.tally, answer: coin.answer)
    }

    private static func lastLetters(people: Int, using generator: inout SeededGenerator) -> WorkedExample {
        let words = generator.sample(people, of: names)
        let letters = words.compactMap(\.last)
        return WorkedExample(
            question: "Take the last letters of the words in \"\(words.joined(separator: " "))\" and concatenate them.",
            rationale: zip(words, letters).map { "\($0) ends in \"\($1)\"." }.joined(separator: " "),
            answer: String(letters))
    }

    private static func wordProblem(using generator: inout SeededGenerator) -> WorkedExample {
        let name = generator.pick(names) ?? ""
        let thing = generator.pick(["pencils", "apples", "stickers", "marbles", "cards", "shells"]) ?? ""
        let a = 2 + generator.below(8)
        let b = 3 + generator.below(7)
        let c = 1 + generator.below(a * b - 1)
        switch generator.below(4) {
        case 0:
            return WorkedExample(
                question: "\(name) has \(a) boxes with \(b) \(thing) in each. \(name) gives away \(c) \(thing). "
                    + "How many \(thing) does \(name) have left?",
                rationale: "The boxes hold \(a) * \(b) = \(a * b). Then \(a * b) - \(c) = \(a * b - c).",
                answer: "\(a * b - c)")
        case 1:
            return WorkedExample(
                question: "\(name) buys \(a) bags of \(b) \(thing) and finds \(c) more \(thing). "
                    + "How many \(thing) does \(name) have now?",
                rationale: "The bags hold \(a) * \(b) = \(a * b). Then \(a * b) + \(c) = \(a * b + c).",
                answer: "\(a * b + c)")
        case 2:
            return WorkedExample(
                question: "\(name) had \(a * b + c) \(thing), lost \(c) of them and shared the rest equally among "
                    + "\(a) friends. How many \(thing) did each friend get?",
                rationale: "Left were \(a * b + c) - \(c) = \(a * b). Shared: \(a * b) / \(a) = \(b).",
                answer: "\(b)")
        default:
            return WorkedExample(
                question:
                    "\(name) collects \(b) \(thing) every day for \(a) days. A friend collects \(c) \(thing) in all. "
                    + "How many \(thing) do they have together?",
                rationale: "\(name) collects \(b) * \(a) = \(a * b). Together: \(a * b) + \(c) = \(a * b + c).",
                answer: "\(a * b + c)")
        }
    }

    /// First names that end in many different letters.
    package static let names = [
        "Aaron", "Abigail", "Adam", "Aisha", "Albert", "Alice", "Amir", "Andrew", "Angela", "Anthony", "Arthur",
        "Astrid",
        "Barbara", "Beatrix", "Benjamin", "Bjorn", "Brandon", "Brooke", "Caleb", "Carlos", "Caroline", "Cheng", "Chloe",
        "Christopher", "Clark", "Craig", "Cynthia", "Daniel", "David", "Deborah", "Derek", "Dimitri", "Dorothy",
        "Douglas",
        "Edgar", "Edith", "Edward", "Eleanor", "Elif", "Elizabeth", "Emily", "Eric", "Esther", "Ethan", "Eugene",
        "Felix",
        "Fiona", "Frank", "Gabriel", "George", "Gerald", "Grace", "Greg", "Hannah", "Harold", "Hassan", "Heather",
        "Helen",
        "Henry", "Hugo", "Ibrahim", "Ingrid", "Isaac", "Ivan", "Jacob", "James", "Janet", "Jasmine", "Jeff", "Jessica",
        "Joan", "John", "Joseph", "Joshua", "Judith", "Julia", "Karen", "Kenji", "Kevin", "Laura", "Leo", "Leonard",
        "Liam", "Lucas", "Lucy", "Margaret", "Maria", "Mark", "Martha", "Max", "Megan", "Miguel", "Mohammed", "Monica",
        "Naomi", "Nathan", "Nora", "Oleg", "Oliver", "Omar", "Oscar", "Patrick", "Paul", "Peter", "Philip", "Priya",
        "Rachel", "Ralph", "Raymond", "Rebecca", "Richard", "Robert", "Rosa", "Ruth", "Samuel", "Sarah", "Scott",
        "Sergei",
        "Sofia", "Stephen", "Susan", "Takeshi", "Theodor", "Thomas", "Timothy", "Ursula", "Valentin", "Victor",
        "Walter",
        "William", "Yusuf", "Zoe",
    ]
}

extension WorkedExample {
    /// Eight word problems with their solutions, for few-shot prompts to data with numbers as answers.
    package static let arithmetic = [
        WorkedExample(
            question: "A shelf holds 14 books. After a delivery it holds 22. How many books were delivered?",
            rationale: "The delivery is the difference: 22 - 14 = 8.", answer: "8"),
        WorkedExample(
            question: "Nina walks 3 km to school and 3 km back, five days a week. How far does she walk in a week?",
            rationale: "A day is 3 + 3 = 6 km. Five days are 6 * 5 = 30 km.", answer: "30"),
        WorkedExample(
            question: "Tom had 45 stamps and bought 18. He then gave 20 to his sister. How many stamps are left?",
            rationale: "After buying he had 45 + 18 = 63. After the gift 63 - 20 = 43 are left.", answer: "43"),
        WorkedExample(
            question: "A baker fills 6 trays with 12 rolls each and sells 50 rolls. How many rolls remain?",
            rationale: "The trays hold 6 * 12 = 72 rolls. 72 - 50 = 22 remain.", answer: "22"),
        WorkedExample(
            question:
                "Three friends share 27 cherries equally, and each eats 4. How many cherries does each have left?",
            rationale: "Each gets 27 / 3 = 9. After eating 4, 9 - 4 = 5 are left.", answer: "5"),
        WorkedExample(
            question: "A ticket costs $7. How much change does Ravi get from $50 for four tickets?",
            rationale: "Four tickets cost 4 * 7 = 28 dollars. The change is 50 - 28 = 22 dollars.", answer: "22"),
        WorkedExample(
            question: "A tank holds 100 litres. It loses 8 litres a day for six days. How many litres are left?",
            rationale: "In six days 8 * 6 = 48 litres are lost. 100 - 48 = 52 are left.", answer: "52"),
        WorkedExample(
            question: "Mia has twice as many pens as Leo, who has 9. How many pens do they have together?",
            rationale: "Mia has 2 * 9 = 18 pens. Together they have 18 + 9 = 27.", answer: "27"),
    ]
}
