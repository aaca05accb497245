import Foundation
import Inference
import Laboratory
import Text
import Training

/// A question that a model is examined on, with what TOFU's measures ask for.
package struct AuditQuestion: Sendable, Hashable {
    package var question: String
    package var answer: String
    /// The question with its answer.
    package var text: TokenSequence
    /// The question with another phrasing of its answer; nil: the answer itself stands for it.
    package var paraphrased: TokenSequence?
    /// The question with wrong answers.
    package var perturbed: [TokenSequence]

    package init(
        question: String, answer: String, text: TokenSequence, paraphrased: TokenSequence? = nil,
        perturbed: [TokenSequence] = []
    ) {
        self.question = question
        self.answer = answer
        self.text = text
        self.paraphrased = paraphrased
        self.perturbed = perturbed
    }

    /// Reads a TOFU record.
    package init(_ record: TOFURecord, format: QuestionFormat) throws {
        try self.init(
            question: record.question, answer: record.answer,
            text: format.text(question: record.question, answer: record.answer),
            paraphrased: record.paraphrasedAnswer.map { try format.text(question: record.question, answer: $0) },
            perturbed: record.perturbedAnswers.map { try format.text(question: record.question, answer: $0) })
    }
}

/// What a model makes of one question.
package struct AnswerFindings: Sendable, Hashable, Codable {
    /// exp of the mean log-probability of the answer's tokens, or its share among right and wrong answers.
    package var probability: Double
    /// ROUGE-L recall of the greedy answer.
    package var rouge: Double
    /// Whether the greedy answer is the right one, word for word.
    package var isExact: Bool
    /// R = exp(mean over wrong answers of their mean token loss - the right phrasing's mean token loss): large where the model knows better. Nil without wrong
    /// answers.
    package var ratio: Double?
    package var reply: String

    package init(probability: Double, rouge: Double, isExact: Bool, ratio: Double?, reply: String) {
        self.probability = probability
        self.rouge = rouge
        self.isExact = isExact
        self.ratio = ratio
        self.reply = reply
    }
}

/// What a model makes of a set of questions.
package struct AuditFindings: Sendable, Hashable {
    package var answers: [AnswerFindings]

    package init(_ answers: [AnswerFindings]) { self.answers = answers }

    private func mean(_ value: (AnswerFindings) -> Double) -> Double {
        answers.reduce(0) { $0 + value($1) } / Double(max(1, answers.count))
    }

    package var probability: Double { mean(\.probability) }
    package var rouge: Double { mean(\.rouge) }
    package var exactMatch: Double { mean { $0.isExact ? 1 : 0 } }
    /// R of each question that has one.
    package var ratios: [Double] { answers.compactMap(\.ratio) }

    /// TOFU's truth ratio on a set to be forgotten: the mean of min(R, 1/R). Nil without R values.
    package var forgetTruthRatio: Double? {
        ratios.isEmpty ? nil : ratios.reduce(0) { $0 + min($1, 1 / $1) } / Double(ratios.count)
    }

    /// TOFU's truth ratio on a set to be kept: the mean of max(0, 1 - 1/R).
    package var retainTruthRatio: Double? {
        ratios.isEmpty ? nil : ratios.reduce(0) { $0 + max(0, 1 - 1 / $1) } / Double(ratios.count)
    }

    /// The three numbers that enter model utility; two where there are no R values.
    package var utilityParts: [Double] { [probability, rouge] + [retainTruthRatio].compactMap { $0 } }
}

/// Measures what a model knows of questions, as the TOFU benchmark does (Maini et al. 2024).
package struct AnswerAudit: Sendable {
    /// Tokens of question and reply.
    package var maxLength: Int
    /// Sets of questions with a choice of answers: the probability is p/(p + Σ p_wrong).
    package var isChoice = false

    package init(maxLength: Int = 200) { self.maxLength = maxLength }

    package func callAsFunction(
        _ questions: [AuditQuestion], of model: any ScoringModel, label: String, in lab: Lab
    ) async throws -> AuditFindings {
        AuditFindings(try await lab.forEach(label, questions) { try await findings($0, model) })
    }

    private func findings(_ question: AuditQuestion, _ model: any ScoringModel) async throws -> AnswerFindings {
        let own = try await Self.meanLogProbability(question.text, model)
        var wrong: [Double] = []
        for text in question.perturbed { wrong.append(try await Self.meanLogProbability(text, model)) }
        let right =
            if let other = question.paraphrased { try await Self.meanLogProbability(other, model) } else { own }
        let prompt = question.text.promptTokens
        let room = min(maxLength, model.identity.contextLength ?? maxLength) - prompt.count
        var request = CompletionRequest(.tokens(prompt), stop: StopRule(maxTokens: max(1, room)))
        request.sampling = .greedy
        let reply = try await model.complete(request).text.trimmingCharacters(in: .whitespacesAndNewlines)
        var probability = exp(own)
        if isChoice, !wrong.isEmpty { probability /= probability + wrong.reduce(0) { $0 + exp($1) } }
        return AnswerFindings(
            probability: probability, rouge: ROUGE.l(reply, reference: question.answer).recall,
            isExact: reply == question.answer.trimmingCharacters(in: .whitespacesAndNewlines),
            ratio: wrong.isEmpty ? nil : Self.ratio(right, wrong), reply: reply)
    }

    /// R from mean log-probabilities, kept between e^-700 and e^700 so that it and its inverse are numbers.
    package static func ratio(_ right: Double, _ wrong: [Double]) -> Double {
        exp(max(-700, min(700, right - wrong.reduce(0, +) / Double(max(1, wrong.count)))))
    }

    /// The mean of log p over the tokens that count, in nats.
    package static func meanLogProbability(_ text: TokenSequence, _ model: any ScoringModel) async throws -> Double {
        let score = try await model.score(.tokens(text.tokens))
        var (sum, weight) = (0.0, 0.0)
        for (logProbability, own) in zip(score.logProbs, text.weights) where own > 0 {
            sum += Double(logProbability ?? 0) * Double(own)
            weight += Double(own)
        }
        return sum / max(1, weight)
    }
}

/// The two numbers that TOFU grades unlearning by.
package enum ForgetGrade {
    /// The harmonic mean of all parts (probability, ROUGE and truth ratio of each set to be kept); 0 where one is 0.
    package static func utility(_ sets: [AuditFindings]) -> Double {
        let parts = sets.flatMap(\.utilityParts)
        guard !parts.isEmpty, parts.allSatisfy({ $0 > 0 }) else { return 0 }
        return Double(parts.count) / parts.reduce(0) { $0 + 1 / $1 }
    }

    /// Whether R on the questions to be forgotten is distributed as in a model that never saw them: above 0.05 counts as forgotten.
    /// - Parameter retained: R of a model trained on the retain data only; no other model stands for it.
    package static func quality(_ ratios: [Double], retained: [Double]) throws -> KolmogorovSmirnov {
        try KolmogorovSmirnov(ratios, retained)
    }
}
