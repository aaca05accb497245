/// Why learning from step rewards can't begin.
package enum RLRewardError: Error, Sendable, Hashable, CustomStringConvertible {
    case emptySeparator
    /// A completer of another vocabulary.
    case otherWords(String)
    case tooFew(questions: Int, needed: Int)
    /// No text of the start policy is right, so no percentile of their scores exists.
    case nothingRight

    package var description: String {
        switch self {
        case .emptySeparator: "--separator is empty; it must be what ends a step, such as \\n."
        case .otherWords(let reference):
            "The completer \(reference) has another vocabulary than the subject; prefixes are continued token by token, so "
                + "give a model of the same family."
        case .tooFew(let questions, let needed):
            "There are \(questions) questions to learn from and a round takes \(needed); give more data or a smaller --questions-per-update."
        case .nothingRight:
            "The subject answers none of the questions, so the threshold can't be taken from its right answers; give one with --threshold, "
                + "or start from a model that is sometimes right."
        }
    }
}
