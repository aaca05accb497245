import Inference
import Synchronization
import Text

/// One question while a strategy works on it: the strategy asks the model through it, and it keeps the trace and the cost.
///
/// It is a language model itself, so that code written for one is accounted for, too. Each call draws from a random stream of
/// its own, named by the question, the branch and the step: results repeat whatever else runs at the same time.
public final class Inquiry: LanguageModel {
    public let question: Question
    private let model: any LanguageModel
    private let seed: UInt64
    /// Where in a tree of branches this one stands: `path 2/persona`.
    private let path: String
    /// The temperature at which calls that would be greedy are sampled; nil: they stay greedy.
    private let resampling: Double?
    /// Put in front of every conversation and raw prompt: a role, say. Nil: nothing.
    private let preamble: String?
    private let state = Mutex(State())

    private struct State {
        var steps: [SampleTrace.Step] = []
        var cost = InquiryCost()
        var names: [String: Int] = [:]
    }

    public convenience init(_ question: Question, asking model: any LanguageModel, seed: UInt64) {
        self.init(question, model, seed: seed, path: "", resampling: nil, preamble: nil)
    }

    private init(
        _ question: Question, _ model: any LanguageModel, seed: UInt64, path: String, resampling: Double?,
        preamble: String?
    ) {
        self.question = question
        self.model = model
        self.seed = seed
        self.path = path
        self.resampling = resampling
        self.preamble = preamble
    }

    public var identity: ModelIdentity { model.identity }
    public var capabilities: Capabilities { model.capabilities }

    /// The model as one that scores given text, or nil where it can't.
    public var scoringModel: (any ScoringModel)? {
        model.capabilities.contains(.scoring) ? model as? any ScoringModel : nil
    }

    /// What happened so far: prompts, replies and notes in order.
    public var steps: [SampleTrace.Step] { state.withLock { $0.steps } }
    /// What all calls cost so far.
    public var cost: InquiryCost { state.withLock { $0.cost } }

    // MARK: Asking

    /// Asks in a conversation, as a named step of the trace. A last message of the assistant's is continued.
    public func ask(
        _ step: String, _ messages: [ChatMessage], maxTokens: Int, sampling: Sampling = .greedy, stop: [String] = []
    ) async throws -> Completion {
        try await complete(
            CompletionRequest(
                .chat(messages), sampling: sampling, stop: StopRule(maxTokens: maxTokens, strings: stop)), as: step)
    }

    public func complete(_ request: CompletionRequest) async throws -> Completion {
        try await complete(request, as: "call")
    }

    /// Completes a request as a named step of the trace.
    ///
    /// - Parameter shown: what the trace shows in the prompt's place, where every prompt begins with the same long text.
    public func complete(
        _ request: CompletionRequest, as step: String, showing shown: Prompt? = nil
    ) async throws -> Completion {
        var request = request
        if let preamble { request.prompt = request.prompt.after(preamble) }
        let name = unique(step)
        if let resampling, request.sampling.temperature == 0 { request.sampling.temperature = resampling }
        if request.sampling.temperature > 0 {
            request.sampling.seed = streamSeed(name)
        }
        let completion = try await model.complete(request)
        state.withLock { state in
            state.steps.append(.init("\(name): prompt", (shown ?? request.prompt).transcript))
            state.steps.append(.init(name, completion.text))
            state.cost.calls += 1
            state.cost.usage = state.cost.usage + completion.usage
            if completion.finish == .length { state.cost.cutShort += 1 }
        }
        return completion
    }

    /// Streams are answered in one piece: a strategy needs whole replies.
    public func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        wholeStream(request)
    }

    /// Notes in the trace what was decided between calls.
    public func note(_ name: String, _ text: String) {
        state.withLock { $0.steps.append(.init(name, text)) }
    }

    /// Counts a call that went to the model past this inquiry (a scored text), with its trace.
    public func count(_ name: String, prompt: Prompt, reply: String, usage: Usage) {
        state.withLock { state in
            state.steps.append(.init("\(name): prompt", prompt.transcript))
            state.steps.append(.init(name, reply))
            state.cost.calls += 1
            state.cost.usage = state.cost.usage + usage
        }
    }

    /// The seed of a named stream of this question and branch, for chance that is no model's.
    public func streamSeed(_ name: String) -> UInt64 {
        SeededGenerator.derive(seed, "\(question.id)/\(path)/\(name)")
    }

    // MARK: Branches

    /// Works in several branches at once, each with random streams of its own. Their traces follow one another in the order
    /// of the names, however the work was interleaved.
    ///
    /// - Parameters:
    ///   - temperature: samples the branches' greedy calls at this temperature, so that they differ.
    ///   - preambles: what each branch puts in front of all its prompts: a role, before any system message.
    public func branches<Result: Sendable>(
        _ names: [String], temperature: Double? = nil, preambles: [String?] = [],
        _ body: @escaping @Sendable (Inquiry, Int) async throws -> Result
    ) async throws -> [Result] {
        let children = names.enumerated().map { index, name in
            let own = preambles.indices.contains(index) ? preambles[index] : nil
            let roles = [preamble, own].compactMap { $0 }
            return Inquiry(
                question, model, seed: seed, path: path.isEmpty ? name : "\(path)/\(name)",
                resampling: temperature ?? resampling,
                preamble: roles.isEmpty ? nil : roles.joined(separator: " "))
        }
        let results = try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            for (index, child) in children.enumerated() {
                group.addTask { (index, try await body(child, index)) }
            }
            var results: [(Int, Result)] = []
            for try await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
        for (name, child) in zip(names, children) {
            let (steps, cost) = (child.steps, child.cost)
            state.withLock { state in
                state.steps += steps.map { .init("\(name), \($0.name)", $0.text) }
                state.cost = state.cost + cost
            }
        }
        return results
    }

    /// A step's name, numbered from its second use on.
    private func unique(_ step: String) -> String {
        state.withLock { state in
            let count = state.names[step, default: 0] + 1
            state.names[step] = count
            return count == 1 ? step : "\(step) \(count)"
        }
    }
}

/// What the calls of an inquiry cost.
public struct InquiryCost: Sendable, Hashable {
    public var calls = 0
    public var usage = Usage()
    /// Replies that their token cap ended.
    public var cutShort = 0

    public init() {}

    /// Tokens read and written.
    public var tokens: Int { usage.promptTokens + usage.completionTokens }

    public static func + (a: InquiryCost, b: InquiryCost) -> InquiryCost {
        var sum = InquiryCost()
        sum.calls = a.calls + b.calls
        sum.usage = a.usage + b.usage
        sum.cutShort = a.cutShort + b.cutShort
        return sum
    }
}

extension Prompt {
    /// The prompt with a role in front: of a conversation in its system message, of a raw text as a paragraph. Tokens stay as
    /// they are.
    fileprivate func after(_ preamble: String) -> Prompt {
        switch self {
        case .text(let text, let special): return .text("\(preamble)\n\n\(text)", special: special)
        case .chat(var messages, let tools):
            if messages.first?.role == .system {
                messages[0].content = "\(preamble) \(messages[0].content)"
            } else {
                messages.insert(.system(preamble), at: 0)
            }
            return .chat(messages, tools: tools)
        case .tokens: return self
        }
    }

    /// The prompt as a reader of a trace sees it, roles in brackets.
    public var transcript: String {
        switch self {
        case .text(let text, _): text
        case .chat(let messages, _): messages.map { "[\($0.role)] \($0.content)" }.joined(separator: "\n")
        case .tokens(let ids): "\(ids.count) tokens"
        }
    }
}
