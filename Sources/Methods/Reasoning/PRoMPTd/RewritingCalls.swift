import Inference
import Laboratory
import Text

/// How prompts reach the models.
public enum RewriteFrame: String, OptionChoice {
    /// As `begun`; text for models without a chat template; as `asked` where an endpoint refuses to continue a turn.
    case auto
    /// As a conversation in which the meta model's reply is begun.
    case begun
    /// As one message that ends with the reply's beginning: the reference code's form.
    case asked
    /// As text that is continued, for models without a chat template.
    case raw

    func frame(for model: any LanguageModel) -> RewriteFrame {
        guard self == .auto else { return self }
        // Of local models those with a template take tools.
        let isLocal = model.capabilities.contains(.open)
        return isLocal && !model.capabilities.contains(.tools) ? .raw : .auto
    }
}

/// The calls of the task model.
package struct TaskCall: Sendable {
    let options: PRoMPTd.Options

    package init(_ options: PRoMPTd.Options) { self.options = options }

    /// The reply to a prompt alone: zero-shot.
    package func answer(_ prompt: String, _ inquiry: Inquiry, step: String = "task") async throws -> String {
        let isRaw = options.frame.frame(for: inquiry) == .raw
        let request = CompletionRequest(
            isRaw ? .text(prompt) : .chat([.user(prompt)]), sampling: options.sampling(isRepeated: false),
            stop: StopRule(maxTokens: options.taskMaxTokens))
        return try await inquiry.complete(request, as: step).text
    }
}

/// The calls of the meta model, which may be another one than the inquiry's.
package struct MetaCall: Sendable {
    let options: PRoMPTd.Options
    let metaPrompt: MetaPrompt
    let meta: (any LanguageModel)?

    package init(_ options: PRoMPTd.Options, _ metaPrompt: MetaPrompt, _ meta: (any LanguageModel)?) {
        self.options = options
        self.metaPrompt = metaPrompt
        self.meta = meta
    }

    /// The reply to a candidate, read; nil where it can't be or was cut short.
    func reply(
        to candidate: String, output: String?, isRepeated: Bool, step: String, _ inquiry: Inquiry
    ) async throws -> RewriteReply? {
        let completion = try await ask(
            preamble: metaPrompt.preamble, metaPrompt.request(candidate, output: output), start: metaPrompt.replyStart,
            maxTokens: options.maxTokens, isRepeated: isRepeated, step: step, inquiry)
        guard completion.finish != .length else { return nil }
        return Self.read(completion.text, start: metaPrompt.replyStart, headers: metaPrompt.replyHeaders)
    }

    /// Reads a continuation of the beginning, or a reply that starts anew.
    package static func read(_ text: String, start: String, headers: [RewriteHeader]) -> RewriteReply? {
        if let whole = RewriteReply(text, headers: headers) { return whole }
        let header = "\(headers[0].rawValue):"
        // A model that was asked instead of continued may repeat the forced words.
        let repeatsWords = text.trimmingSpaces.lowercased().hasPrefix(MetaPrompt.judgement.lowercased())
        let begun = repeatsWords ? header : start
        let joint = text.first?.isWhitespace == false ? " " : ""
        return RewriteReply(begun + joint + text, headers: headers)
    }

    /// One call in the frame of the options. The trace shows it without the preamble, which is the same in every call.
    func ask(
        preamble: String, _ request: String, start: String, maxTokens: Int, isRepeated: Bool, step: String,
        _ inquiry: Inquiry
    ) async throws -> Completion {
        let model: any LanguageModel = meta ?? inquiry
        let text = preamble.isEmpty ? request : "\(preamble)\n\n\(request)"
        let frame = options.frame.frame(for: model)
        let begun = Prompt.chat([.user(text), .assistant(start)])
        let asked = Prompt.chat([.user("\(text)\n\(start)")])
        let shown = Prompt.chat([.user("…\n\n\(request)"), .assistant(start)])
        func complete(_ prompt: Prompt) async throws -> Completion {
            let call = CompletionRequest(
                prompt, sampling: options.sampling(isRepeated: isRepeated),
                stop: StopRule(maxTokens: maxTokens, strings: ["\n\(RewriteHeader.candidate.rawValue):"]))
            try check(call, preamble: preamble, inquiry)
            return try await self.complete(call, shown: shown, step: step, inquiry)
        }
        switch frame {
        case .raw: return try await complete(.text("\(text)\n\(start)"))
        case .asked: return try await complete(asked)
        case .begun: return try await complete(begun)
        case .auto:
            do {
                return try await complete(begun)
            } catch
                where !(error is CancellationError) && !(error is PRoMPTdError)
                && !model.capabilities.contains(.open)
            {
                // A failure that has nothing to do with the begun turn comes again, and then it is the error.
                let completion = try await complete(asked)
                inquiry.note("\(step), asked", "The model refused to continue a reply: \(error)")
                return completion
            }
        }
    }

    private func complete(
        _ call: CompletionRequest, shown: Prompt, step: String, _ inquiry: Inquiry
    ) async throws -> Completion {
        guard let meta else { return try await inquiry.complete(call, as: step, showing: shown) }
        var call = call
        if call.sampling.temperature > 0 { call.sampling.seed = inquiry.streamSeed(step) }
        let completion = try await meta.complete(call)
        inquiry.count(step, prompt: shown, reply: completion.text, usage: completion.usage)
        return completion
    }

    /// Refuses a request that can't fit, before it is sent. Models in this process count tokens; of others with a known limit only
    /// what is too long by any count is refused here.
    private func check(_ call: CompletionRequest, preamble: String, _ inquiry: Inquiry) throws {
        let model: any LanguageModel = meta ?? inquiry
        guard let limit = model.identity.contextLength else { return }
        let room = call.stop.maxTokens
        let whole: Int
        let own: Int
        if let open = (meta ?? inquiry.scoringModel) as? any OpenModel {
            whole = try open.tokens(of: call.prompt).count
            guard whole + room > limit else { return }
            own = try open.tokens(of: .text(preamble)).count
        } else {
            // A token of six bytes is long in any language.
            whole = call.prompt.plainText.utf8.count / 6
            guard whole + room > limit else { return }
            own = preamble.utf8.count / 6
        }
        throw PRoMPTdError.tooLong(
            question: inquiry.question.id, metaPrompt: own, candidate: max(0, whole - own), reply: room, limit: limit)
    }
}

/// Why prompts can't be rewritten.
public enum PRoMPTdError: Error, Hashable, CustomStringConvertible {
    case emptyMetaPrompt
    case unwritable(String)
    /// Counts of tokens.
    case tooLong(question: String, metaPrompt: Int, candidate: Int, reply: Int, limit: Int)

    public var description: String {
        switch self {
        case .emptyMetaPrompt:
            "The meta prompt is empty: it needs instructions or demonstrations with candidate_prompt, reason, task_type and "
                + "better_prompt."
        case .unwritable(let path):
            "--collect can't write \(path): its folder is missing or not writable."
        case .tooLong(let question, let metaPrompt, let candidate, let reply, let limit):
            "Question \(question): a meta prompt of \(metaPrompt) tokens, a prompt with its output of \(candidate) and a reply of up "
                + "to \(reply) exceed the model's context of \(limit). Give fewer demonstrations with --meta-prompt, a smaller "
                + "--max-tokens, or a model with a longer context."
        }
    }
}
