import Laboratory
import Text

/// Which fields a demonstration has.
public enum DemonstrationScenario: String, OptionChoice {
    /// Question and answer.
    case van
    /// With a solution in steps.
    case cot
}

/// How a model is to write its own demonstrations: numbered records of marked fields, by the kind of answer.
package struct DemonstrationTemplate: Sendable, Hashable {
    package let kind: AnswerKind
    package let scenario: DemonstrationScenario

    package init(_ kind: AnswerKind, _ scenario: DemonstrationScenario) {
        self.kind = kind
        self.scenario = scenario
    }

    /// The verbs by which the instruction asks; attempt r takes the one at r mod 6.
    package static let paraphrases = [
        "please generate", "generate", "please create", "create", "please output", "output",
    ]

    enum Part: Hashable { case question, labels, texts, solution, answer }

    /// The marks of the fields in their order. Free answers always ask for a solution, shown or not; competition mathematics
    /// and options only where a solution is shown.
    var marks: [(part: Part, mark: String)] {
        switch kind {
        case .options:
            let solution: [(Part, String)] = scenario == .cot ? [(.solution, "Sol")] : []
            return [(.question, "Question"), (.labels, "Label"), (.texts, "Text")] + solution + [(.answer, "Ans")]
        case .expression:
            let solution: [(Part, String)] = scenario == .cot ? [(.solution, "Sol")] : []
            return [(.question, "Question")] + solution + [(.answer, "Ans")]
        case .number, .yesNo, .text, .date, .block:
            return [(.question, "Q"), (.solution, "S"), (.answer, "A")]
        }
    }

    /// The message that asks for demonstrations.
    package func messages(for question: Question, count: Int, attempt: Int) -> [ChatMessage] {
        let verb = Self.paraphrases[attempt % Self.paraphrases.count]
        let isChoice = !question.options.isEmpty
        let subject = question.subject.map { " about \($0)" } ?? ""
        let system =
            "You are an assistant that writes few-shot \(isChoice ? "multiple-choice examples" : "examples")\(subject)."
        var lines = [question.prompt, ""]
        lines.append(
            "Following the question above, \(verb) \(count) similar questions"
                + (marks.contains { $0.part == .solution }
                    ? ", each with a solution in steps and its answer, in this form:"
                    : ", each with its answer, in this form:"))
        for number in 1...2 { lines += marks.map { "\($0.mark)\(number): \(placeholder($0.part, question))" } }
        lines.append("… and so on to \(marks[0].mark)\(count). \(rule)")
        return [.system(system), .user(lines.joined(separator: "\n"))]
    }

    private func placeholder(_ part: Part, _ question: Question) -> String {
        switch part {
        case .question: "{question}"
        case .labels: "[" + question.kind.letters.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        case .texts: "[" + question.options.indices.map { "\"option \($0 + 1)\"" }.joined(separator: ", ") + "]"
        case .solution: "{solution}"
        case .answer: "{answer}"
        }
    }

    private var rule: String {
        switch kind {
        case .number: "Every answer is a whole number."
        case .options: "Every answer is the label of the right text."
        case .expression: "Write formulas in LaTeX and every answer simplified, between dollar signs."
        case .yesNo, .text, .date, .block: "Every answer is \(kind.request)."
        }
    }

    /// The mark behind the last demonstration asked for, where a model that goes on is stopped.
    package func stop(after count: Int) -> String { "\(marks[0].mark)\(count + 1):" }

    /// Demonstrations as a model should write them. Read back they are the same.
    package func text(of demonstrations: [WrittenDemonstration]) -> String {
        demonstrations.enumerated().flatMap { index, demonstration in
            marks.map { part, mark in "\(mark)\(index + 1): \(field(part, of: demonstration))" }
        }.joined(separator: "\n")
    }

    private func field(_ part: Part, of demonstration: WrittenDemonstration) -> String {
        func list(_ texts: [String]) -> String {
            "["
                + texts.map { "\"\($0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
                .joined(separator: ", ") + "]"
        }
        return switch part {
        case .question: demonstration.question
        case .labels: list(AnswerKind.options(demonstration.options.count).letters.map(String.init))
        case .texts: list(demonstration.options)
        case .solution: demonstration.solution
        case .answer: demonstration.answer
        }
    }

    // MARK: Reading

    /// The complete and well-formed demonstrations of a reply, in its order.
    ///
    /// Fields run from their mark at the start of a line to the next mark, over as many lines as they have. A demonstration
    /// with a field missing, empty or of the wrong form is left out.
    package func demonstrations(in reply: String) -> [WrittenDemonstration] {
        let fields = fields(in: reply)
        let numbers = Set(fields.keys.map(\.number)).sorted()
        return numbers.compactMap { number in
            var texts: [Part: String] = [:]
            for (part, _) in marks {
                guard let text = fields[Place(number: number, part: part)], !text.isEmpty else { return nil }
                texts[part] = text
            }
            return written(texts)
        }
    }

    private struct Place: Hashable {
        var number: Int
        var part: Part
    }

    private func fields(in reply: String) -> [Place: String] {
        var fields: [Place: String] = [:]
        var current: Place?
        for line in reply.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if let (place, rest) = mark(at: line) {
                // A number used twice keeps its first text.
                current = fields[place] == nil ? place : nil
                if let current { fields[current] = rest }
            } else if let current {
                fields[current, default: ""] += "\n" + line
            }
        }
        return fields.mapValues(\.trimmingSpaces)
    }

    private func mark(at line: Substring) -> (Place, String)? {
        let text = line.trimmingSpaces
        for (part, mark) in marks where text.hasPrefix(mark) {
            let behind = text.dropFirst(mark.count).drop { $0 == " " }
            let digits = behind.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int(digits), behind.dropFirst(digits.count).hasPrefix(":") else { continue }
            return (Place(number: number, part: part), String(behind.dropFirst(digits.count + 1)))
        }
        return nil
    }

    private func written(_ texts: [Part: String]) -> WrittenDemonstration? {
        guard let question = texts[.question], var answer = texts[.answer] else { return nil }
        var options: [String] = []
        switch kind {
        case .options:
            guard let labels = StrictList.read(texts[.labels] ?? ""), let listed = StrictList.read(texts[.texts] ?? ""),
                labels.count == listed.count, (2...26).contains(labels.count),
                labels == AnswerKind.options(labels.count).letters.map(String.init),
                let letter = AnswerExtractor(.options(labels.count)).gold(answer)
            else { return nil }
            options = listed
            answer = letter
        case .text, .block:
            break
        case .number, .yesNo, .date, .expression:
            let grader = Grader(kind)
            let read = grader.reads(gold: answer) ? answer : grader.answer(in: answer)
            guard !read.isEmpty else { return nil }
            answer = read
        }
        return WrittenDemonstration(
            question: question, options: options, solution: texts[.solution] ?? "", answer: answer.trimmingSpaces)
    }
}

/// A worked example as a model wrote it.
package struct WrittenDemonstration: Sendable, Hashable {
    package var question: String
    package var options: [String]
    /// Empty where none was asked for.
    package var solution: String
    package var answer: String

    package init(question: String, options: [String] = [], solution: String = "", answer: String) {
        self.question = question
        self.options = options
        self.solution = solution
        self.answer = answer
    }

    /// Whether this is the question that is to be answered, letters and digits compared alone: such a copy puts the model's own
    /// answer into the prompt.
    package func isCopy(of other: Question) -> Bool {
        Words.lowercased(question) == Words.lowercased(other.text)
    }
}

/// A list of quoted texts, `["A", 'B']`, read strictly: nothing in it is ever evaluated.
package enum StrictList {
    package static func read(_ text: String) -> [String]? {
        var rest = text.trimmingSpaces[...]
        guard rest.first == "[", rest.last == "]" else { return nil }
        rest = rest.dropFirst().dropLast()
        var texts: [String] = []
        while true {
            rest = rest.drop(while: \.isWhitespace)
            guard let quote = rest.first, quote == "\"" || quote == "'" else { return nil }
            rest.removeFirst()
            var item = ""
            var isClosed = false
            while let character = rest.first {
                rest.removeFirst()
                if character == "\\", let next = rest.first {
                    item.append(next)
                    rest.removeFirst()
                } else if character == quote {
                    isClosed = true
                    break
                } else {
                    item.append(character)
                }
            }
            guard isClosed, !item.trimmingSpaces.isEmpty else { return nil }
            texts.append(item)
            rest = rest.drop(while: \.isWhitespace)
            guard let separator = rest.first else { return texts }
            guard separator == "," else { return nil }
            rest.removeFirst()
        }
    }
}
