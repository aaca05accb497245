import Inference
import Laboratory
import Models
import Text
import Training

/// Questions that are answered in steps, the last of which holds the answer.
package struct StepTask: Sendable {
    package var questions: [Question]
    package let prompts: [[TokenID]]
    package let splitter: StepSplitter
    /// The most tokens of a response.
    package let longest: Int

    package init(_ questions: [Question], words: ModelText, separator: String, longest: Int) throws {
        self.questions = questions
        self.longest = longest
        prompts = try questions.map { try words.prompt(asking: $0.prompt) }
        splitter = try StepSplitter(words.tokenizer, separator: separator)
    }

    package func response(_ text: WrittenText) -> StepResponse {
        let prompt = prompts[text.promptIndex]
        // What was asked for may have been the end of a response whose beginning stood in the prompt.
        let completion = Array((text.prompt + text.completion).dropFirst(prompt.count))
        let steps = splitter.steps(completion, isFinished: text.isFinished)
        let question = questions[text.promptIndex]
        var isRight = false
        if text.isFinished, let last = steps.last {
            isRight = question.accepts(Grader(question.kind).answer(in: last.text))
        }
        return StepResponse(
            question: text.promptIndex, prompt: prompt, completion: completion, isFinished: text.isFinished,
            steps: steps, isRight: isRight)
    }

    /// What a model answers, questions one after another.
    ///
    /// - Parameters:
    ///   - samples: responses a question.
    ///   - temperature: 0: the model's most likely response.
    package func responses(
        of model: LocalModel, samples: Int = 1, temperature: Double = 1, label: String, in lab: Lab
    ) async throws -> [[StepResponse]] {
        let seed = lab.seed(label)
        return try await lab.forEach(label, prompts.indices) { index in
            try await model.texts(
                RolloutRequest.samples(
                    samples, promptIndex: index, prompt: prompts[index], limit: longest, seed: seed, place: index),
                temperature: temperature
            ).map(response)
        }
    }
}

/// A response with its steps, graded.
package struct StepResponse: Sendable, Hashable {
    /// Which of the task's questions it answers.
    package var question: Int
    package var prompt: [TokenID]
    /// With the token that ended it, where one did.
    package var completion: [TokenID]
    package var isFinished: Bool
    /// The closed ones.
    package var steps: [StepSplitter.Step]
    /// Never where the text was cut short.
    package var isRight: Bool

    package var ends: [Int] { steps.map(\.end) }
    package var text: TokenSequence { TokenSequence(prompt: prompt, completion: completion) }
    /// The steps' ends, counted from the start of the prompt.
    package var places: [Int] { ends.map { prompt.count + $0 } }
}
