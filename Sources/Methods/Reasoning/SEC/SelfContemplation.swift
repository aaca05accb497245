import Inference
import Laboratory
import Text

/// SEC as a strategy: write demonstrations for this question, then answer with them as few-shot context.
package struct SelfContemplation: ReasoningStrategy {
    package var options: SEC.Options

    package init(_ options: SEC.Options) { self.options = options }

    package var name: String {
        (options.scenario == .van ? "sec" : "sec-cot")
            + (options.ablation == .none ? "" : ", \(options.ablation.rawValue)")
    }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let question = inquiry.question
        let template = DemonstrationTemplate(question.kind, options.scenario)
        guard let written = try await contemplate(template, inquiry) else { return try await fallback(inquiry) }
        let copies = written.demonstrations.count { $0.isCopy(of: question) }
        if copies > 0 { inquiry.note("copies of the question", String(copies)) }
        let shown = options.ablation.apply(to: written.demonstrations, kind: question.kind)
        let answer = try await FewShotChat(options).answer(with: shown, to: inquiry)
        return Solution(
            answer: answer.answer, text: answer.text,
            outcome: "\(copies > 0 ? "copied, " : "")attempt \(written.attempt + 1)")
    }

    /// Stages 1 and 2: attempt r asks with paraphrase r mod 6, greedily for r < 6 and sampled from then on, until there are k
    /// demonstrations.
    private func contemplate(
        _ template: DemonstrationTemplate, _ inquiry: Inquiry
    ) async throws -> (demonstrations: [WrittenDemonstration], attempt: Int)? {
        for attempt in 0..<options.maxRetries {
            let temperature = attempt < DemonstrationTemplate.paraphrases.count ? options.tempFirst : options.tempLate
            let completion = try await inquiry.ask(
                Self.step,
                template.messages(for: inquiry.question, count: options.nGenerate, attempt: attempt),
                maxTokens: options.genMaxTokens,
                sampling: temperature > 0 ? .random(temperature: temperature) : .greedy,
                stop: [template.stop(after: options.nGenerate)])
            let found = template.demonstrations(in: completion.text)
            inquiry.note("parsed", "\(found.count) complete demonstrations, \(options.k) needed")
            if found.count >= options.k { return (Array(found.prefix(options.k)), attempt) }
        }
        return nil
    }

    /// The demonstrations that an attempt was answered with, read from its trace; none where no reply had enough.
    package func demonstrations(of attempt: Attempt, kind: AnswerKind) -> [WrittenDemonstration] {
        let replies = attempt.steps.filter { $0.name.hasPrefix(Self.step) && !$0.name.hasSuffix(": prompt") }
        let found = DemonstrationTemplate(kind, options.scenario).demonstrations(in: replies.last?.text ?? "")
        return found.count >= options.k ? Array(found.prefix(options.k)) : []
    }

    /// The name of stage 1 in traces.
    private static let step = "demonstrations"

    private func fallback(_ inquiry: Inquiry) async throws -> Solution {
        switch options.onFailure {
        case .error:
            throw SECError.noDemonstrations(question: inquiry.question.id, attempts: options.maxRetries, k: options.k)
        case .skip:
            return Solution(answer: "", text: "", outcome: "no demonstrations, skipped")
        case .zeroShot:
            let answer = try await FewShotChat(options).answer(with: [], to: inquiry)
            return Solution(answer: answer.answer, text: answer.text, outcome: "no demonstrations, zero-shot")
        }
    }
}

/// Stages 3 and 4, shared by all arms: a chat of demonstrations, then the question, answered and read.
package struct FewShotChat: Sendable {
    let options: SEC.Options

    package init(_ options: SEC.Options) { self.options = options }

    /// A user's and an assistant's turn a demonstration, in order; in the vanilla scenario without their solutions.
    package func messages(_ demonstrations: [WrittenDemonstration], _ question: Question) -> [ChatMessage] {
        var messages: [ChatMessage] = [
            .system(
                "You solve questions\(question.subject.map { " about \($0)" } ?? ""). "
                    + "Give the answer as \(question.kind.request): \"\(Self.form("…", question.kind))\"")
        ]
        for demonstration in demonstrations {
            messages.append(.user(Question.prompt(demonstration.question, options: demonstration.options)))
            let answer = Self.form(demonstration.answer, question.kind)
            let isWorked = options.scenario == .cot && !demonstration.solution.isEmpty
            messages.append(.assistant(isWorked ? "Solution: \(demonstration.solution) \(answer)" : answer))
        }
        messages.append(.user(question.prompt))
        return messages
    }

    /// "Answer: B" for options and expressions, "The answer is 7." for the rest.
    static func form(_ answer: String, _ kind: AnswerKind) -> String {
        switch kind {
        case .options: "Answer: \(answer)"
        case .expression: "Answer: \(answer.hasPrefix("$") || answer == "…" ? answer : "$\(answer)$")"
        case .block: "The answer is:\n```\n\(answer)\n```"
        default: "The answer is \(answer)."
        }
    }

    package func answer(
        with demonstrations: [WrittenDemonstration], to inquiry: Inquiry
    ) async throws -> (answer: String, text: String) {
        let completion = try await inquiry.ask(
            "answer", messages(demonstrations, inquiry.question), maxTokens: options.ansMaxTokens,
            sampling: options.answerTemperature > 0 ? .random(temperature: options.answerTemperature) : .greedy)
        return (extract(completion.text, inquiry.question.kind), completion.text)
    }

    /// Step 4: of numbers the only one, else the first behind "The answer is", else the last; of options the only letter, else
    /// the one behind "Answer:", else none (or, as the reference code has it, the first letter).
    package func extract(_ reply: String, _ kind: AnswerKind) -> String {
        let grader = Grader(kind)
        guard case .options = kind else { return grader.answer(in: reply) }
        let letters = Set(AnswerExtractor(kind, letters: .standalone).candidates(in: reply))
        if letters.count == 1, let only = letters.first { return only }
        if let behind = reply.ranges(of: "Answer:").last {
            let letter = AnswerExtractor(kind, letters: .standalone).answer(in: String(reply[behind.upperBound...]))
            if !letter.isEmpty { return letter }
        }
        return options.guessesFirstOption ? "A" : ""
    }
}

/// Few-shot answering with given worked examples, or with none: the arms that SEC is compared with.
package struct HumanDemonstrations: ReasoningStrategy {
    package let options: SEC.Options
    package let name: String
    let demonstrations: @Sendable (Question) -> [WrittenDemonstration]

    /// The same examples for every question.
    package init(_ demonstrations: [WrittenDemonstration], name: String, options: SEC.Options) {
        self.init(name: name, options: options) { _ in demonstrations }
    }

    /// - Parameter demonstrations: the examples of each question.
    package init(
        name: String, options: SEC.Options, demonstrations: @escaping @Sendable (Question) -> [WrittenDemonstration]
    ) {
        self.demonstrations = demonstrations
        self.name = name
        self.options = options
    }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let shown = demonstrations(inquiry.question)
        let answer = try await FewShotChat(options).answer(with: shown, to: inquiry)
        return Solution(answer: answer.answer, text: answer.text)
    }
}

/// Why SEC gives up.
public enum SECError: Error, Hashable, CustomStringConvertible {
    case noDemonstrations(question: String, attempts: Int, k: Int)

    public var description: String {
        switch self {
        case .noDemonstrations(let question, let attempts, let k):
            "Question \(question): \(attempts) attempts gave no \(k) complete demonstrations. A larger model writes them more "
                + "surely; --on-failure skip or zero-shot goes on without, and the report counts such questions."
        }
    }
}
