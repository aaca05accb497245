import Laboratory
import Text

/// The critic's questions and how its reply to them is counted.
package struct CriticalQuestions: Sendable, Hashable {
    package let questions: [String]
    package let mode: CountMode

    package init(_ questions: [String] = Self.toulmin, mode: CountMode = .literal) {
        self.questions = questions
        self.mode = mode
    }

    /// The paper's eight in our words, in its order. They go through Toulmin's model of an argument: grounds (1, 2), warrant and
    /// backing (3, 4), rebuttal (5), claim and qualifier (6 to 8).
    package static let toulmin = [
        "Does the reasoning start from clearly defined premises?",
        "Are the premises backed by evidence or by accepted facts?",
        "Do logical connections lead from the premises to the conclusions?",
        "Are these connections valid?",
        "Are fallacies and logical errors avoided?",
        "Does the conclusion follow from the premises?",
        "Is the conclusion consistent with established knowledge or principles?",
        "Is the conclusion that is reached plausible and reasonable?",
    ]

    /// How many questions a reply answers with yes, and, where they can be told apart, which.
    package struct Verdicts: Sendable, Hashable {
        package var yes: Int
        /// A verdict a question; a missing one is no. Empty when the words were counted.
        package var each: [Bool]

        package init(yes: Int, each: [Bool] = []) {
            self.yes = yes
            self.each = each
        }

        var note: String {
            let list = each.enumerated().map { "\($0 + 1) \($1 ? "yes" : "no")" }.joined(separator: ", ")
            return "\(yes) yes" + (list.isEmpty ? ", counted as words" : ": \(list)")
        }
    }

    package func verdicts(in reply: String) -> Verdicts {
        switch mode {
        case .literal: return Verdicts(yes: reply.ranges(of: "Yes").count)
        case .perQuestion:
            let each = Self.numbered(reply, count: questions.count)
            return Verdicts(yes: each.count { $0 }, each: each)
        }
    }

    /// The first verdict behind each number at the start of a line (`3. Yes`, `Question 3: no`). Without any number the verdicts
    /// that stand alone on their lines count in order.
    private static func numbered(_ reply: String, count: Int) -> [Bool] {
        var each = [Bool?](repeating: nil, count: count)
        var unnumbered: [Bool] = []
        for line in reply.split(whereSeparator: \.isNewline) {
            var words = Words.lowercased(String(line))
            if words.first == "question" || words.first == "q" { words.removeFirst() }
            let number = words.first.flatMap { Int($0) }
            if number != nil { words.removeFirst() }
            guard let verdict = words.first(where: { $0 == "yes" || $0 == "no" }) else { continue }
            if let number {
                if each.indices.contains(number - 1), each[number - 1] == nil { each[number - 1] = verdict == "yes" }
            } else if words.count == 1 {
                unnumbered.append(verdict == "yes")
            }
        }
        if each.allSatisfy({ $0 == nil }) {
            for (place, verdict) in unnumbered.prefix(count).enumerated() { each[place] = verdict }
        }
        return each.map { $0 ?? false }
    }
}

/// How "Yes" is counted in a critic's reply.
public enum CountMode: String, OptionChoice {
    /// Every "Yes" in the reply, spelt so, as the reference code counts.
    case literal
    /// The verdict of each numbered question; a missing one is no.
    case perQuestion = "per-question"
}

/// When a plan passes: a strict bar at first, a lower one after some retries, and an end.
///
/// With Y the number of yes and c the retries so far: accepted when Y ≥ `acceptMinimum`; from retry `strictRetries` + 1 on also when
/// Y ≥ `relaxedMinimum`; retry `maximumRetries` is taken whatever its Y.
package struct PlanGate: Sendable, Hashable {
    package enum Rule: String, Sendable, Hashable { case strict, relaxed, exhausted }

    package var acceptMinimum: Int
    package var strictRetries: Int
    package var relaxedMinimum: Int
    package var maximumRetries: Int

    package init(acceptMinimum: Int = 7, strictRetries: Int = 4, relaxedMinimum: Int = 5, maximumRetries: Int = 10) {
        self.acceptMinimum = acceptMinimum
        self.strictRetries = strictRetries
        self.relaxedMinimum = relaxedMinimum
        self.maximumRetries = maximumRetries
    }

    /// The rule by which a plan passes, or nil.
    ///
    /// - Parameter retry: 0 for the first draft.
    package func rule(yes: Int, retry: Int) -> Rule? {
        if yes >= acceptMinimum { return .strict }
        if retry > strictRetries, yes >= relaxedMinimum { return .relaxed }
        return retry >= maximumRetries ? .exhausted : nil
    }
}
