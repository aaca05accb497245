import Laboratory

/// The sentences that make a model reason before it answers.
///
/// The fourteen of the reference code, by its numbers (Kojima et al., 2022). Instructive ones help a large model; the default
/// is the best on MultiArith.
package enum ReasoningTrigger {
    package static let all = [
        "Let's think step by step.",
        "We should think about this step by step.",
        "First,",
        "Before we dive into the answer,",
        "Proof followed by the answer.",
        "Let's think step by step in a realistic way.",
        "Let's think step by step using common sense and knowledge.",
        "Let's think like a detective step by step.",
        "Let's think about this logically.",
        "Let's think step by step. First,",
        "Let's think",
        "Let's solve this problem by splitting it into steps.",
        "The answer is after the proof.",
        "Let's be realistic and think step by step.",
    ]

    /// The trigger that a user typed: a number from the list, or the words themselves; nil for a number outside the list.
    package static func named(_ typed: String) -> String? {
        guard let number = Int(typed) else { return typed }
        return all.indices.contains(number - 1) ? all[number - 1] : nil
    }
}

/// The phrases that ask for the answer alone. They depend on nothing but the kind of answer.
package enum AnswerPhrase {
    /// e, appended to the reasoning. It starts with a line break.
    package static func afterReasoning(_ kind: AnswerKind) -> String { "\nTherefore, \(core(kind))" }

    /// e′, appended to the question where there is no reasoning: e without its first words, and with a capital.
    package static func direct(_ kind: AnswerKind) -> String {
        let phrase = core(kind)
        return phrase.prefix(1).uppercased() + phrase.dropFirst()
    }

    private static func core(_ kind: AnswerKind) -> String {
        switch kind {
        case .number: "the answer (arabic numerals) is"
        case .options: "among A through \(kind.letters.last.map(String.init) ?? "A"), the answer is"
        case .yesNo: "the answer (Yes or No) is"
        case .date: "the answer (month/day/year) is"
        case .text, .expression: "the answer is"
        case .block: "the answer is:\n```"
        }
    }
}
