import Laboratory
import Models
import Text
import Training

/// How a question and its answer become the tokens of a text, the answer's and its end counting: the same for training and for grading.
package struct QuestionFormat: Sendable {
    /// Whether the model's chat template frames the question; else the answer stands in the line below it.
    package let usesTemplate: Bool
    /// The most tokens of question and answer.
    package let limit: Int
    private let words: ModelText

    /// - Parameter usesTemplate: nil: where the model has one.
    package init(_ words: ModelText, usesTemplate: Bool? = nil, limit: Int) {
        self.words = words
        self.usesTemplate = usesTemplate ?? (words.template != nil)
        self.limit = limit
    }

    /// - Throws: where the answer is empty, or the limit would cut it.
    package func text(question: String, answer: String) throws -> TokenSequence {
        guard answer.contains(where: { !$0.isWhitespace }) else { throw UnlearningError.emptyAnswer(question) }
        var encoder = try SampleEncoder(words, limit: limit)
        let text =
            usesTemplate
            ? try encoder.conversation([.user(question), .assistant(answer)])
            : encoder.completion(prompt: question + "\n", completion: answer)
        guard encoder.cutCount == 0 else { throw UnlearningError.tooLong(question, limit: limit) }
        return text
    }
}

/// Why unlearning can't begin.
public enum UnlearningError: Error, Sendable, Hashable, CustomStringConvertible {
    case emptyAnswer(String)
    case tooLong(String, limit: Int)
    /// The same question and answer are to be forgotten and kept.
    case overlap(String)
    /// The model runs elsewhere.
    case notLocal(String)
    case missing(String)
    /// A file of R values.
    case badValues(file: String, reason: String)

    public var description: String {
        switch self {
        case .emptyAnswer(let question):
            "The answer to \(question.debugDescription) is empty; there is nothing to learn or forget."
        case .tooLong(let question, let limit):
            "\(question.debugDescription) with its answer is longer than \(limit) tokens; raise --max-length or leave it out."
        case .overlap(let question):
            "\(question.debugDescription) with the same answer is both to be forgotten and to be kept; remove it from one of the files."
        case .notLocal(let reference):
            "\(reference) runs behind an endpoint; only a local model's weights can be changed."
        case .missing(let sentence): sentence
        case .badValues(let file, let reason): "\(file): \(reason)."
        }
    }
}

extension TokenSequence {
    /// What stands before the first token that counts.
    package var promptTokens: [TokenID] { Array(tokens.prefix(weights.firstIndex { $0 > 0 } ?? tokens.count)) }
}
