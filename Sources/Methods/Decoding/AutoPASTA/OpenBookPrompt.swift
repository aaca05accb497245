import Inference
import Laboratory
import Text

/// The prompts of open-book question answering, and the tokens of a context's spans in them.
package struct OpenBookPrompt: Sendable {
    /// The tokens as they are fed.
    package let ids: [TokenID]
    /// The bytes of the prompt that each token covers.
    private let ranges: [Range<Int>]
    /// Where the context begins, in bytes of the prompt.
    private let contextStart: Int
    private let contextLength: Int

    /// How the model is asked.
    package enum Style: Sendable {
        /// In the model's chat template.
        case chat
        /// As plain text.
        case raw
    }

    /// The ordinary prompt of the answering step: the context and the question, nothing extracted.
    package static func answering(_ item: OpenBookItem, style: Style, model: any OpenModel) throws -> OpenBookPrompt {
        try OpenBookPrompt(
            before: "Context: ", item.context,
            after: "\n\nQuestion: \(item.question)" + (style == .chat ? "\n\nAnswer in a few words." : ""),
            reply: item.answerPrefix, lead: "\nAnswer:", style: style, id: item.id, model: model)
    }

    /// The prompt of the identifying step: which sentences hold the answer.
    package static func identifying(_ item: OpenBookItem, style: Style, model: any OpenModel) throws -> OpenBookPrompt {
        try OpenBookPrompt(
            before: "Context: ", item.context,
            after: "\n\nQuestion: \(item.question)\n\nWhich sentence of the context answers the question? Quote it "
                + "word for word.",
            reply: "", lead: "\nQuote:", style: style, id: item.id, model: model)
    }

    /// The iterative baseline's prompt: the answering prompt with the extracted evidence repeated.
    package static func iterating(
        _ item: OpenBookItem, evidence: String, style: Style, model: any OpenModel
    ) throws -> OpenBookPrompt {
        try OpenBookPrompt(
            before: "Context: ", item.context,
            after: "\n\nEvidence: \(evidence)\n\nQuestion: \(item.question)"
                + (style == .chat ? "\n\nAnswer in a few words." : ""),
            reply: item.answerPrefix, lead: "\nAnswer:", style: style, id: item.id, model: model)
    }

    private init(
        before: String, _ context: String, after: String, reply: String, lead: String, style: Style, id: String,
        model: any OpenModel
    ) throws {
        let request = before + context + after
        let tokenizer = model.tokenizer
        switch style {
        case .raw:
            let text = request + lead + (reply.isEmpty ? "" : " " + reply)
            let added = tokenizer.boundaryTokens.before
            let located = tokenizer.encodeWithOffsets(text)
            ids = added + located.map(\.id)
            ranges = added.map { _ in 0..<0 } + located.map(\.range)
            contextStart = before.utf8.count
        case .chat:
            var messages: [ChatMessage] = [.user(request)]
            if !reply.isEmpty { messages.append(.assistant(reply)) }
            ids = try model.tokens(of: .chat(messages))
            // A chat template's text is not at hand; the tokens' own bytes are.
            var text: [UInt8] = []
            var ranges: [Range<Int>] = []
            for id in ids {
                let start = text.count
                text += tokenizer.bytes(of: id)
                ranges.append(start..<text.count)
            }
            self.ranges = ranges
            guard let start = ByteSearch.first(Array(request.utf8), in: text) else {
                throw AutoPASTAError.contextNotFound(id: id)
            }
            contextStart = start + before.utf8.count
        }
        contextLength = context.utf8.count
    }

    /// The tokens that hold any byte of a span of the context.
    package func tokens(ofContext span: Range<Int>) throws(AutoPASTAError) -> Range<Int> {
        guard span.lowerBound >= 0, span.upperBound <= contextLength else { throw .spanOutside(span, contextLength) }
        let bytes = span.lowerBound + contextStart..<span.upperBound + contextStart
        let touched = ranges.indices.filter { ranges[$0].overlaps(bytes) }
        guard let first = touched.first, let last = touched.last else { throw .spanOutside(span, contextLength) }
        return first..<last + 1
    }

    /// All tokens of the context.
    package func contextTokens() throws(AutoPASTAError) -> Range<Int> { try tokens(ofContext: 0..<contextLength) }

    package var prompt: Prompt { .tokens(ids) }

    /// The first tokens of the answers, as they follow the prompt.
    package static func firstTokens(of item: OpenBookItem, style: Style, tokenizer: Tokenizer) -> Set<TokenID> {
        let isAtLineStart = style == .chat && item.answerPrefix.isEmpty
        return Set(item.answers.compactMap { tokenizer.encode(isAtLineStart ? $0 : " " + $0).first })
    }
}

/// Why AutoPASTA can't work on an item.
public enum AutoPASTAError: Error, Hashable, CustomStringConvertible {
    case contextNotFound(id: String)
    case spanOutside(Range<Int>, Int)
    case noSentences(id: String)
    case noAnswers(id: String)
    case nothingToProfile

    public var description: String {
        switch self {
        case .contextNotFound(let id):
            "\(id): the chat template or the tokenizer changes the context, so that its sentences can't be located in the "
                + "prompt. Use --raw."
        case .spanOutside(let span, let length):
            "The bytes \(span) are no span of the context of \(length) bytes."
        case .noSentences(let id): "\(id): the context has no sentences."
        case .noAnswers(let id):
            "\(id): profiling and evaluation need a gold answer; give the field answer or answers."
        case .nothingToProfile:
            "No profiling record has a gold answer and a sentence that holds it; give other records with --profile-data, or "
                + "leave it out to profile on made-up facts."
        }
    }
}
