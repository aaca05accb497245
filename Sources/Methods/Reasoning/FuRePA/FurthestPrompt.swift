import Laboratory
import Text

/// What a reasoning call is shown and how its reply is read.
package struct FurthestPrompt: Sendable {
    package enum Reply: Sendable, Hashable, Codable {
        case plan(thought: String, query: String)
        case answer(thought: String, text: String)
        /// Neither a plan nor an answer, or both.
        case unreadable

        /// As a reader of traces sees it.
        package var text: String {
            switch self {
            case .plan(let thought, let query): "\(thought) → search: \(query)"
            case .answer(let thought, let text): "\(thought) → answer: \(text)"
            case .unreadable: "neither a plan nor an answer"
            }
        }
    }

    /// A step that a history-visible arm shows again.
    package struct Step: Sendable, Hashable, Codable {
        package var thought: String
        package var query: String

        package init(thought: String, query: String) {
            self.thought = thought
            self.query = query
        }
    }

    /// Empty: no system message.
    package var role: String
    /// Worked examples of the format, put behind the role.
    package var examples: String
    package var instruction: String
    package var finalInstruction: String

    package init(role: String, examples: String, instruction: String, finalInstruction: String) {
        self.role = role
        self.examples = examples
        self.instruction = instruction
        self.finalInstruction = finalInstruction
    }

    package static let standard = FurthestPrompt(
        role:
            "You answer questions that take several steps, using only the knowledge given. Reason from the beginning and as far "
            + "as the knowledge allows. When it runs out, say what is missing as a search query; when it suffices, give the "
            + "answer.",
        examples: """
            Knowledge:
            - Ada Berg was born in Lund.
            Question: Which river runs through the town where Ada Berg was born?
            Thought: Ada Berg was born in Lund. Which river runs through Lund is not known.
            Plan: river that runs through Lund

            Knowledge:
            - Ada Berg was born in Lund.
            - The Höje runs through Lund.
            Question: Which river runs through the town where Ada Berg was born?
            Thought: Ada Berg was born in Lund, and the Höje runs through Lund.
            Answer: the Höje
            """,
        instruction:
            "Reply with \"Thought: …\" and then exactly one of \"Plan: <query>\" or \"Answer: <short answer>\".",
        finalInstruction:
            "There is no more searching. Reply with \"Thought: …\" and then \"Answer: <short answer>\", your best guess if need be."
    )

    /// The prompt of a round: a function of the question and the documents alone, unless a history is shown.
    ///
    /// - Parameter isFinal: asks for an answer whatever is missing.
    package func messages(
        _ question: String, documents: [Passage], history: [Step] = [], isFinal: Bool = false
    ) -> [ChatMessage] {
        let system = [role, examples].filter { !$0.isEmpty }.joined(separator: "\n\n")
        var lines: [String] = []
        if !documents.isEmpty { lines += ["Knowledge:"] + documents.map { "- \($0.line)" } }
        for step in history { lines += ["Thought: \(step.thought)", "Plan: \(step.query)"] }
        lines.append("Question: \(question)")
        let asked = isFinal ? finalInstruction : instruction
        if !asked.isEmpty { lines.append(asked) }
        return (system.isEmpty ? [] : [.system(system)]) + [.user(lines.joined(separator: "\n"))]
    }

    /// Reads "Thought: …" and one of "Plan: …" and "Answer: …". A reply with both ends at the first: what a model makes up behind
    /// its own query is no knowledge.
    package static func read(_ reply: String) -> Reply {
        let lower = reply.lowercased()
        guard lower.count == reply.count else { return .unreadable }
        func place(_ mark: String) -> (start: Int, end: Int)? {
            lower.range(of: mark).map {
                (
                    lower.distance(from: lower.startIndex, to: $0.lowerBound),
                    lower.distance(from: lower.startIndex, to: $0.upperBound)
                )
            }
        }
        let marks = [("plan:", true), ("answer:", false)].compactMap { mark, isPlan in
            place(mark).map { (place: $0, isPlan: isPlan) }
        }
        guard let first = marks.min(by: { $0.place.start < $1.place.start }) else { return .unreadable }
        let thoughtStart = place("thought:").map(\.end) ?? 0
        let thought =
            thoughtStart <= first.place.start
            ? String(reply.dropFirst(thoughtStart).prefix(first.place.start - thoughtStart)).trimmingSpaces : ""
        let behind = String(reply.dropFirst(first.place.end))
        let line = behind.split(whereSeparator: \.isNewline).map { $0.trimmingSpaces }.first { !$0.isEmpty } ?? ""
        let next = ["thought:", "plan:", "answer:"].compactMap { line.lowercased().range(of: $0)?.lowerBound }.min()
        let text =
            next.map { String(line.lowercased()[..<$0]).count }.map { String(line.prefix($0)).trimmingSpaces } ?? line
        guard !text.isEmpty else { return .unreadable }
        return first.isPlan ? .plan(thought: thought, query: text) : .answer(thought: thought, text: text)
    }
}

extension String {
    /// The first occurrence of a text.
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
