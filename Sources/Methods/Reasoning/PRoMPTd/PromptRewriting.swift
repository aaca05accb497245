import Inference
import Laboratory
import Synchronization
import Text

/// How the answer of a question came about.
package enum RewriteStop: String, Sendable, Hashable {
    /// The better prompt was answered: the end of every one-shot run.
    case rewritten
    /// The meta model declared the output right.
    case declaredRight = "declared right"
    case budget = "attempts used up"
    /// No reply could be read: the prompt as it was is answered.
    case unreadable = "no readable rewrite"
    /// Every rewrite lost data: the prompt as it was is answered.
    case kept = "rewrites lost data"
}

/// One reply of the meta model that could be read and what became of it.
package struct RewriteAttempt: Sendable, Hashable {
    /// The prompt that was rewritten.
    package var prompt: String
    /// What the task model had made of it; nil in the one-shot mode.
    package var output: String?
    package var reply: RewriteReply
    /// Numbers and options of the original prompt that the better prompt lacks.
    package var lost: [String]
    package var declaresSuccess: Bool
    /// Whether its better prompt was put to the task model.
    package var isUsed = false
}

/// Everything that happened to one question.
package struct RewriteTrace: Sendable, Hashable {
    package var original: String
    package var attempts: [RewriteAttempt] = []
    /// Replies without the headers, or cut short.
    package var malformed = 0
    package var prompt: String
    package var output = ""
    package var stop = RewriteStop.rewritten

    package init(_ original: String) {
        self.original = original
        prompt = original
    }
}

/// Prompts rewritten one by one before they are answered, as a strategy.
///
/// ```
/// one_shot:  (r, t, p′) ← M(meta, p);   answer ← T(p′)
/// loop:      y₀ ← T(p₀);  for i = 0 … max_attempts − 1:
///                (r, t, p′) ← M(meta, pᵢ, yᵢ, "Reason: The output is")
///                r declares success → answer ← yᵢ, end
///                pᵢ₊₁ ← p′;  yᵢ₊₁ ← T(pᵢ₊₁)
///            answer ← y_{max_attempts}
/// ```
///
/// A reply without its headers is asked for again, and so is one whose better prompt lacks numbers or options of the original; where that
/// doesn't help the previous prompt stays.
package struct PromptRewriting: ReasoningStrategy {
    package var name = "promptd"
    package var options: PRoMPTd.Options
    package var metaPrompt: MetaPrompt
    /// The model that rewrites; nil: the one that is asked.
    package var meta: (any LanguageModel)?
    package var journal: RewriteJournal?
    /// Waits before a reply is asked for again.
    package var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    package init(_ options: PRoMPTd.Options, metaPrompt: MetaPrompt, meta: (any LanguageModel)? = nil) {
        self.options = options
        self.metaPrompt = metaPrompt
        self.meta = meta
    }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let trace = try await trace(inquiry)
        journal?.keep(trace, of: inquiry.question)
        return Solution(
            answer: Grader(inquiry.question.kind).answer(in: trace.output), text: trace.output,
            outcome: trace.stop.rawValue)
    }

    package func trace(_ inquiry: Inquiry) async throws -> RewriteTrace {
        var trace = RewriteTrace(inquiry.question.prompt)
        switch options.mode {
        case .oneShot:
            _ = try await rewrite(1, inquiry, &trace)
            trace.output = try await TaskCall(options).answer(trace.prompt, inquiry)
        case .loop:
            trace.output = try await TaskCall(options).answer(trace.prompt, inquiry)
            for attempt in 1...options.maxAttempts {
                guard try await rewrite(attempt, inquiry, &trace) else { return trace }
                trace.output = try await TaskCall(options).answer(trace.prompt, inquiry)
            }
            trace.stop = .budget
        }
        return trace
    }

    /// Asks the meta model until there is a rewrite that can be used, and takes it. False where the output at hand is the answer.
    private func rewrite(_ number: Int, _ inquiry: Inquiry, _ trace: inout RewriteTrace) async throws -> Bool {
        let data = PromptData(trace.original, options: inquiry.question.options)
        let words = SuccessWords(anywhere: options.stopContains, atStart: options.stopStarts)
        let asking = MetaCall(options, metaPrompt, meta)
        let output = options.mode == .loop ? trace.output : nil
        var hasLoss = false
        for retry in 0...options.parseRetries {
            if retry > 0, options.retryDelay > 0, !(meta ?? inquiry).capabilities.contains(.open) {
                // Exponential back-off, for endpoints that are busy; a model in this process is not better for the wait.
                try await pause(.seconds(options.retryDelay) * (1 << min(retry - 1, 16)))
            }
            let step = "rewrite \(number)" + (retry == 0 ? "" : ", asked again \(retry)")
            guard
                let reply = try await asking.reply(
                    to: trace.prompt, output: output, isRepeated: retry > 0, step: step, inquiry)
            else {
                trace.malformed += 1
                inquiry.note("\(step), unread", "The headers are missing, empty or cut short.")
                continue
            }
            var attempt = RewriteAttempt(
                prompt: trace.prompt, output: output, reply: reply, lost: data.missing(in: reply.betterPrompt),
                declaresSuccess: options.mode == .loop && words.declare(reply.reason))
            if attempt.declaresSuccess {
                trace.attempts.append(attempt)
                trace.stop = .declaredRight
                return false
            }
            if options.preserveCheck, !attempt.lost.isEmpty {
                trace.attempts.append(attempt)
                inquiry.note("\(step), lost", attempt.lost.joined(separator: ", "))
                hasLoss = true
                continue
            }
            attempt.isUsed = true
            trace.attempts.append(attempt)
            trace.prompt = reply.betterPrompt
            trace.stop = .rewritten
            return true
        }
        trace.stop = hasLoss ? .kept : .unreadable
        // A prompt that was judged poor is put to the task model again; without any judgement there is nothing to go on by.
        return hasLoss
    }
}

/// Keeps the traces of questions while strategies run side by side.
package final class RewriteJournal: Sendable {
    private let kept = Mutex<[Question: RewriteTrace]>([:])

    package init() {}

    package func keep(_ trace: RewriteTrace, of question: Question) { kept.withLock { $0[question] = trace } }
    package subscript(question: Question) -> RewriteTrace? { kept.withLock { $0[question] } }
}
