import Foundation
import Models
import Synchronization
import Tensors
import Text

/// A model in this process: it completes, scores, and can be opened.
public final class LocalModel: OpenModel {
    /// How a model is loaded.
    public struct Options: Sendable {
        public var precision: Precision = .standard
        /// Bytes for keys and values; memory is taken only as it is used.
        public var cacheBytes = 2 << 30
        /// Sequences that advance together.
        public var maxSequences = 256
        /// Rows of one forward pass: prompts are cut into chunks of at most this many tokens.
        public var maxRows = 512

        public init() {}
    }

    public let architecture: ArchitectureSummary
    public let tokenizer: Tokenizer
    public let configuration: ModelConfiguration
    let template: ChatTemplate?
    let engine: Engine
    private let reference: String
    private let source: any WeightSource
    private let fingerprint = Mutex<String?>(nil)
    private let adapters = Mutex<Set<String>>([])
    private let constraints: ConstraintCache

    /// Loads a GGUF file or a Hugging Face folder.
    /// - Parameter reference: what the user typed, for reports.
    public convenience init(path: String, reference: String, options: Options = Options()) throws {
        let source = try openWeights(at: path)
        try self.init(
            DecoderModel(source, precision: options.precision), from: source, reference: reference, options: options)
    }

    /// Generates from a model in memory, such as one that a trainer changes: its weights are used where they are. Call
    /// ``forgetPrefixes()`` after they have changed, and let nobody change them while requests are in flight.
    ///
    /// - Parameter source: the file that the model was loaded from, for its words.
    public init(
        _ model: DecoderModel, from source: any WeightSource, reference: String, options: Options = Options()
    ) throws {
        let files = try ModelText(source)
        let c = model.configuration
        self.source = source
        self.reference = reference
        configuration = c
        tokenizer = files.tokenizer
        template = files.template
        architecture = ArchitectureSummary(
            family: c.family.rawValue, layers: c.layers, hiddenSize: c.hiddenSize, heads: c.heads,
            keyValueHeads: c.kvHeads, headSize: c.headSize, vocabularySize: c.vocabularySize,
            parameters: source.parameterCount)
        constraints = ConstraintCache(tokenizer: files.tokenizer, vocabularySize: c.vocabularySize)
        var settings = Engine.Settings(cacheBytes: options.cacheBytes)
        settings.maxSequences = options.maxSequences
        settings.maxRows = options.maxRows
        settings.compactCache = options.precision != .f32
        engine = try Engine(model: model, tokenizer: files.tokenizer, architecture: architecture, settings: settings)
    }

    // MARK: Adapters

    /// The names of the adapters that requests may ask for.
    public var adapterNames: [String] { adapters.withLock { $0.sorted() } }

    /// Lets requests ask for an adapter by name: low-rank changes beside the layers, by module. The weights are shared, so any
    /// number of adapters stands beside one model, and requests with different ones run at the same time. An adapter of the same name is
    /// replaced; nothing that uses it may be in flight.
    ///
    /// - Throws: `AdapterError` when it doesn't fit the model.
    public func addAdapter(_ name: String, _ changes: [String: LowRankAdapter]) async throws {
        await engine.set(name, try engine.model.adding(changes))
        _ = adapters.withLock { $0.insert(name) }
    }

    public func removeAdapter(_ name: String) async {
        _ = adapters.withLock { $0.remove(name) }
        await engine.set(name, nil)
    }

    private func check(_ adapter: String?) throws {
        guard let adapter, !adapters.withLock({ $0.contains(adapter) }) else { return }
        throw EngineError.unknownAdapter(adapter)
    }

    /// Forgets the keys and values of earlier requests: they belong to the weights that they were computed with.
    public func forgetPrefixes() async { await engine.forgetPrefixes() }

    /// The fingerprint reads the whole file once, when it is first asked for.
    public var identity: ModelIdentity {
        let print = fingerprint.withLock { known in
            if let known { return known }
            let made = source.fingerprint()
            known = made
            return made
        }
        return ModelIdentity(
            reference: reference, name: source.displayName, fingerprint: print,
            contextLength: configuration.contextLength)
    }

    public var capabilities: Capabilities {
        var all: Capabilities = [.completion, .rawText, .logProbs, .scoring, .constraints, .open, .trainable]
        if template != nil { all.insert(.tools) }
        return all
    }

    // MARK: Prompts

    public func tokens(of prompt: Prompt) throws -> [TokenID] {
        let ids = try encoded(prompt)
        // A tokenizer may know tokens that the embedding has no row for.
        if let bad = ids.first(where: { $0 < 0 || Int($0) >= configuration.vocabularySize }) {
            throw EngineError.badRequest(
                "the token \(bad) is outside the vocabulary of \(configuration.vocabularySize)")
        }
        return ids
    }

    private func encoded(_ prompt: Prompt) throws -> [TokenID] {
        switch prompt {
        case .tokens(let ids):
            return ids
        case .text(let text, let special):
            return tokenizer.boundaryTokens.before
                + tokenizer.encode(text, special: special ? .recognised : .asText)
        case .chat(let messages, let tools):
            guard let template else {
                throw EngineError.badRequest("the model has no chat template; use raw text (--raw)")
            }
            let continues = messages.last?.role == .assistant
            let segments = try template.renderSegments(
                messages: messages, tools: tools, addGenerationPrompt: !continues, continueFinalMessage: continues)
            return tokenizer.encode(segments: segments)
        }
    }

    /// The tokens of a prompt, with room for what may be generated.
    private func checkedTokens(of prompt: Prompt, generating: Int) throws -> [TokenID] {
        let ids = try tokens(of: prompt)
        guard !ids.isEmpty else { throw EngineError.emptyPrompt }
        guard ids.count + generating <= configuration.contextLength else {
            throw EngineError.contextTooLong(
                prompt: ids.count, generation: generating, limit: configuration.contextLength)
        }
        return ids
    }

    // MARK: Completion

    public func complete(_ request: CompletionRequest) async throws -> Completion {
        try await complete(request, onText: nil)
    }

    public func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let completion = try await self.complete(request) { continuation.yield(.text($0)) }
                    continuation.yield(.done(completion))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func complete(
        _ request: CompletionRequest, onText: (@Sendable (String) -> Void)?
    ) async throws -> Completion {
        try await Self.completion(run(prepared(request, onText: onText)))
    }

    /// Completions that start together, in order. On a model that does nothing else and remembers no prefixes, the same requests give the same
    /// results to the bit, also where products depend on how many rows go through them at once.
    public func completions(_ requests: [CompletionRequest]) async throws -> [Completion] {
        guard !requests.isEmpty else { return [] }
        let makers = try requests.map { try prepared($0, onText: nil) }
        let group = await engine.makeGroup(of: requests.count)
        return try await withThrowingTaskGroup(of: (Int, Completion).self) { tasks in
            for (place, make) in makers.enumerated() {
                // Each goes into a task of its own, and is used nowhere else.
                nonisolated(unsafe) let make = make
                tasks.addTask {
                    (place, try await Self.completion(self.run(make, at: .init(group: group, place: place))))
                }
            }
            var found = [Completion?](repeating: nil, count: requests.count)
            for try await (place, completion) in tasks { found[place] = completion }
            return found.compactMap { $0 }
        }
    }

    private static func completion(_ result: EngineResult) throws -> Completion {
        guard case .completion(let completion) = result else {
            throw EngineError.badRequest("a completion was asked for, a score came")
        }
        return completion
    }

    /// Builds a request of an id that tells its end.
    private typealias MakeRequest = (Int, @escaping @Sendable (Result<EngineResult, any Error>) -> Void) ->
        EngineRequest

    private func prepared(
        _ request: CompletionRequest, onText: (@Sendable (String) -> Void)?
    ) throws -> MakeRequest {
        try check(request.adapter)
        guard request.stop.maxTokens > 0 else {
            throw EngineError.badRequest(
                "the most tokens to generate must be at least 1, not \(request.stop.maxTokens)")
        }
        let ids = try checkedTokens(of: request.prompt, generating: request.stop.maxTokens)
        let edits = try edits(request.interventions, promptCount: ids.count, generating: request.stop.maxTokens)
        let companions = try edits.companions.map { group in
            try group.prompts.map { try checkedTokens(of: $0, generating: request.stop.maxTokens) }
        }
        let constraint = try request.constraint.map { try constraints.start($0) }
        // Keys and values of one adapter are nothing to another.
        let prefixKey = request.adapter.map { "adapter \($0)" } ?? ""
        return { [tokenizer] id, finish in
            var sequences: [EngineSequence] = []
            var combiners: [(range: Range<Int>, combiner: any LogitCombiner)] = []
            for (group, prompts) in zip(edits.companions, companions) {
                let start = sequences.count
                for (offset, prompt) in prompts.enumerated() {
                    sequences.append(
                        EngineSequence(id: id + 1 + start + offset, tokens: prompt, rootKey: prefixKey, edits: .none))
                }
                combiners.append((start..<sequences.count, group.combiner))
            }
            let generation = Generation(
                sampler: Sampler(request.sampling, prompt: ids), stop: request.stop,
                topLogProbs: request.topLogProbs, constraint: constraint, tokenizer: tokenizer, onText: onText)
            return EngineRequest(
                id: id,
                main: EngineSequence(
                    id: id, tokens: ids, rootKey: edits.changesStates ? nil : prefixKey, edits: edits),
                companions: sequences, combiners: combiners, adapter: request.adapter, work: .generate(generation),
                finish: finish)
        }
    }

    private func edits(_ interventions: [Intervention], promptCount: Int, generating: Int) throws -> SequenceEdits {
        guard !interventions.isEmpty else { return .none }
        return try SequenceEdits(
            interventions, architecture: architecture, promptCount: promptCount, length: promptCount + generating)
    }

    // MARK: Scoring

    public func score(_ prompt: Prompt) async throws -> Score {
        try await score(ids: try checkedTokens(of: prompt, generating: 0), from: 1)
    }

    public func score(continuations: [String], after prompt: Prompt) async throws -> [Score] {
        let before = try checkedTokens(of: prompt, generating: 0)
        return try await withThrowingTaskGroup(of: (Int, Score).self) { group in
            for (index, text) in continuations.enumerated() {
                let continuation = tokenizer.encode(text)
                guard !continuation.isEmpty else {
                    throw EngineError.badRequest("continuation \(index + 1) has no tokens")
                }
                group.addTask {
                    let whole = try await self.score(
                        ids: try self.checkedTokens(of: .tokens(before + continuation), generating: 0),
                        from: before.count)
                    return (
                        index,
                        Score(ids: continuation, logProbs: Array(whole.logProbs[before.count...]))
                    )
                }
            }
            var scores = [Score](repeating: Score(ids: [], logProbs: []), count: continuations.count)
            for try await (index, score) in group { scores[index] = score }
            return scores
        }
    }

    private func score(ids: [TokenID], from: Int) async throws -> Score {
        guard ids.count > from else { return Score(ids: ids, logProbs: ids.map { _ in nil }) }
        let result = try await run { id, finish in
            EngineRequest(
                id: id, main: EngineSequence(id: id, tokens: ids, rootKey: "", edits: .none),
                work: .score(from: from, found: [Float?](repeating: nil, count: ids.count)), finish: finish)
        }
        guard case .score(let score) = result else {
            throw EngineError.badRequest("a score was asked for, a completion came")
        }
        return score
    }

    // MARK: Looking inside

    public func trace(_ request: TraceRequest) async throws -> Trace {
        try check(request.adapter)
        let ids = try checkedTokens(of: request.prompt, generating: 0)
        let edits = try edits(request.interventions, promptCount: ids.count, generating: 0)
        guard edits.companions.isEmpty, edits.processors.isEmpty else {
            throw EngineError.badIntervention(
                "a trace shows one forward pass; logit interventions belong to completions")
        }
        return try await engine.trace(request, tokens: ids, edits: edits)
    }

    public func queryKeyWeights(layer: Int) throws -> QueryKeyWeights {
        try source.queryKeyWeights(layer: layer)
    }

    // MARK: The engine

    /// Blocks of the key-value cache that requests in flight hold.
    package var heldCacheBlocks: Int { get async { await engine.heldBlocks - 1 } }

    /// Submits what `make` builds and waits for its end. Cancelling the task cancels the request.
    /// - Parameter place: in a group, which awaits every one of its requests, also those that were cancelled.
    private func run(
        _ make: sending @escaping MakeRequest, at place: Engine.GroupPlace? = nil
    ) async throws -> EngineResult {
        if place == nil { try Task.checkCancellation() }
        let id = await engine.makeIDs()
        let engine = engine
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                nonisolated(unsafe) let request = make(id) { continuation.resume(with: $0) }
                // The request is built here and lives in the engine from now on.
                Task { await engine.submit(request, at: place) }
            }
        } onCancel: {
            Task { await engine.cancel(id) }
        }
    }
}
