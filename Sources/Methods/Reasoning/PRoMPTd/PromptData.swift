import Laboratory
import Text

/// What of a prompt must survive its rewriting: its numbers, the letters of its options, the options' texts, and the names of the Python
/// functions that it begins, without which no answer can be called.
package struct PromptData: Sendable, Hashable {
    private struct Number: Hashable {
        var value: Rational
        var isPercentage: Bool
    }

    private var numbers: [Number: Int] = [:]
    private var spellings: [Number: String] = [:]
    private var letters: [Character: Int] = [:]
    private var options: [String] = []
    private var functions: [String] = []

    /// - Parameter options: the texts of the options, where they are known.
    package init(_ prompt: String, options: [String] = []) {
        for found in Quantity.all(in: prompt) {
            let number = Number(value: found.quantity.value, isPercentage: found.quantity.isPercentage)
            numbers[number, default: 0] += 1
            spellings[number] = found.text
        }
        for letter in Self.letters(in: prompt) { letters[letter, default: 0] += 1 }
        self.options = options
        functions = prompt.matches(of: /\bdef\s+([A-Za-z_]\w*)\s*\(/).map { String($0.1) }
    }

    /// What another prompt lacks, each thing once for every time that it is missing. What it has beyond these data is its own matter: a
    /// rewrite may number its steps.
    package func missing(in prompt: String) -> [String] {
        let other = PromptData(prompt)
        var missing: [String] = []
        for (number, count) in numbers {
            let lacking = count - other.numbers[number, default: 0]
            if lacking > 0 { missing += Array(repeating: spellings[number] ?? "", count: lacking) }
        }
        for (letter, count) in letters {
            let lacking = count - other.letters[letter, default: 0]
            if lacking > 0 { missing += Array(repeating: "(\(letter))", count: lacking) }
        }
        // As a whole name, wherever it stands: "complete median(xs)" will do.
        let names = Set(prompt.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
        missing += functions.filter { !names.contains($0) }
        let words = " " + Words.lowercased(prompt).joined(separator: " ") + " "
        for option in options {
            let wanted = Words.lowercased(option).joined(separator: " ")
            if wanted.isEmpty ? !prompt.contains(option) : !words.contains(" \(wanted) ") {
                missing.append(option)
            }
        }
        return missing.sorted()
    }

    /// The capital letters that name options, `(A)` or `A)`.
    private static func letters(in text: String) -> [Character] {
        let characters = Array(text)
        return characters.indices.compactMap { place in
            guard ("A"..."Z").contains(characters[place]), place + 1 < characters.count, characters[place + 1] == ")"
            else { return nil }
            guard place > 0 else { return characters[place] }
            let before = characters[place - 1]
            return before == "(" || before.isWhitespace ? characters[place] : nil
        }
    }
}

/// Whether a rewrite gives the answer away: the meta model has then solved the task, which is not what is measured.
package enum AnswerLeak {
    /// Whether a right answer stands in the rewrite and not in the original. Of options, and of yes and no, only what is given as the
    /// answer counts: their names belong to every such prompt.
    package static func happened(from original: String, to rewrite: String, _ question: Question) -> Bool {
        question.golds.contains { holds(rewrite, $0, question.kind) && !holds(original, $0, question.kind) }
    }

    private static func holds(_ text: String, _ gold: String, _ kind: AnswerKind) -> Bool {
        let grader = Grader(kind)
        switch kind {
        case .number: return Quantity.all(in: text).contains { grader.isSame($0.text, gold) }
        case .date: return CalendarDate.all(in: text).contains { grader.isSame("\($0)", gold) }
        case .options, .yesNo:
            let lower = text.lowercased()
            return ["answer is", "answer:"].contains { phrase in
                lower.ranges(of: phrase).contains { range in
                    // A letter's case tells it from an article, so the text itself is read.
                    guard lower.count == text.count else { return false }
                    let behind = String(text.suffix(lower[range.upperBound...].count).prefix(12))
                    let found = AnswerExtractor(kind, letters: .standalone).candidates(in: behind)
                    return Set(found).count == 1 && grader.isSame(found[0], gold)
                }
            }
        case .text, .expression, .block:
            let wanted = Words.lowercased(gold).joined(separator: " ")
            guard !wanted.isEmpty else { return text.contains(gold) }
            return (" " + Words.lowercased(text).joined(separator: " ") + " ").contains(" \(wanted) ")
        }
    }
}
