import Models
import Tensors
import Text

/// Runs a model for everybody at once: whatever requests are in flight advance together, one token each and prompts in chunks, over
/// one tree of key-value blocks.
///
/// The engine owns the cache. Its work runs on a thread of its own; each step ends in a suspension, so that new requests and
/// cancellations come in between any two tokens.
actor Engine {
    /// The limits that a user may set.
    struct Settings: Sendable {
        /// Bytes for keys and values.
        var cacheBytes: Int
        /// Sequences that advance together.
        var maxSequences = 256
        /// Rows of one forward pass; prompts are cut into chunks that fit beside the running streams.
        var maxRows = 512
        /// Keys and values as integers of 13 bits with a scale for each vector instead of f32.
        var compactCache = true
    }

    let model: DecoderModel
    /// The model with an adapter each, by name; they share its weights.
    private var adapted: [String: DecoderModel] = [:]
    let tokenizer: Tokenizer
    let architecture: ArchitectureSummary
    private let settings: Settings
    private let executor: EngineThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var tree: PrefixTree
    private let cache: PagedCache
    /// Where rows write that recompute what a shared block already holds.
    private let scratchBlock: Int32
    private var waiting: [EngineRequest] = []
    private var running: [EngineRequest] = []
    private var nextID = 0
    private var isStepping = false
    /// Ids of requests that are on their way.
    private var announced: Set<Int> = []
    /// Groups of which not all requests have come.
    private var gathering: [Int: Gathering] = [:]

    /// Requests that start together, in the order of their places, so that their passes are the same whichever came first.
    private struct Gathering {
        var missing: Int
        var arrived: [(place: Int, request: EngineRequest)] = []
    }

    /// Where a request stands in a group.
    struct GroupPlace: Sendable {
        var group: Int
        var place: Int
    }

    init(model: DecoderModel, tokenizer: Tokenizer, architecture: ArchitectureSummary, settings: Settings) throws {
        self.model = model
        self.tokenizer = tokenizer
        self.architecture = architecture
        self.settings = settings
        executor = EngineThread(name: "lyceum.engine")
        let blockBytes = model.attentionShape.blockBytes(compact: settings.compactCache) * model.layerCount
        let capacity = max(8, settings.cacheBytes / blockBytes)
        guard
            let cache = PagedCache(
                layers: model.layerCount, shape: model.attentionShape, capacity: capacity,
                compact: settings.compactCache)
        else { throw EngineError.cacheTooSmall(tokens: capacity * PagedCache.blockTokens, limit: 0) }
        self.cache = cache
        tree = PrefixTree(capacity: capacity)
        scratchBlock = tree.takeBlock() ?? 0
    }

    /// Tokens that the cache can hold.
    var cacheTokens: Int { (tree.capacity - 1) * PagedCache.blockTokens }
    /// Blocks that requests in flight hold. For tests: 1 when idle (the scratch block).
    var heldBlocks: Int { tree.heldBlocks }

    /// The first of a run of ids: a request's own, and one for each of its sequences.
    func makeIDs() -> Int {
        nextID += 1 << 16
        announced.insert(nextID)
        return nextID
    }

    /// Awaits so many requests, which start when the last of them has been submitted.
    func makeGroup(of count: Int) -> Int {
        nextID += 1 << 16
        gathering[nextID] = Gathering(missing: count)
        return nextID
    }

    /// Takes a request in. Its `finish` is called exactly once.
    func submit(_ request: sending EngineRequest, at place: GroupPlace? = nil) {
        let isAccepted = accept(request)
        guard let place, var group = gathering.removeValue(forKey: place.group) else {
            if isAccepted { waiting.append(request) }
            return startStepping()
        }
        group.missing -= 1
        if isAccepted { group.arrived.append((place.place, request)) }
        guard group.missing == 0 else {
            gathering[place.group] = group
            return
        }
        waiting += group.arrived.sorted { $0.place < $1.place }.map(\.request)
        startStepping()
    }

    /// Whether a request can be worked on; ends it where not.
    private func accept(_ request: EngineRequest) -> Bool {
        guard announced.remove(request.id) != nil else {
            request.finish(.failure(CancellationError()))
            return false
        }
        let tokens = request.sequences.reduce(0) { $0 + $1.tokens.count + blockTokens }
        guard tokens <= cacheTokens else {
            request.finish(.failure(EngineError.cacheTooSmall(tokens: tokens, limit: cacheTokens)))
            return false
        }
        return true
    }

    /// Ends a request and frees what it held. A cancellation may overtake its request, which then ends on arrival.
    func cancel(_ id: Int) {
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index).finish(.failure(CancellationError()))
        } else if let index = running.firstIndex(where: { $0.id == id }) {
            let request = running.remove(at: index)
            release(request)
            request.finish(.failure(CancellationError()))
        } else if let group = gathering.first(where: { $0.value.arrived.contains { $0.request.id == id } })?.key {
            gathering[group]?.arrived.removeAll {
                guard $0.request.id == id else { return false }
                $0.request.finish(.failure(CancellationError()))
                return true
            }
        } else {
            announced.remove(id)
        }
    }

    /// Adds a model with an adapter under its name, or takes it away.
    func set(_ adapter: String, _ model: DecoderModel?) {
        adapted[adapter] = model
        forgetPrefixes()
    }

    /// The model that a request asks for.
    private func model(with adapter: String?) -> DecoderModel { adapter.flatMap { adapted[$0] } ?? model }

    /// Forgets cached prefixes: after the weights have changed.
    func forgetPrefixes() {
        tree.forgetIdle()
        if running.isEmpty { cache.discard() }
    }

    private func startStepping() {
        guard !isStepping else { return }
        isStepping = true
        Task { await self.stepUntilIdle() }
    }

    private func stepUntilIdle() async {
        while !(waiting.isEmpty && running.isEmpty) {
            // The weights may be a trainer's; what the engine computes is never gone back through.
            GradientMode.withoutGradients { step() }
            await Task.yield()
        }
        isStepping = false
    }

    // MARK: One step

    private let blockTokens = PagedCache.blockTokens

    private func step() {
        admit()
        // Requests with the same adapter go through the model together; each group has a pass of its own.
        var seen: Set<String?> = []
        for adapter in running.map(\.adapter) where seen.insert(adapter).inserted {
            pass(with: adapter)
        }
    }

    private func pass(with adapter: String?) {
        let model = model(with: adapter)
        let batch = assemble(adapter)
        guard batch.rowCount > 0 else { return }
        let hidden = model.forward(
            tokens: batch.tokens, positions: batch.positions, attention: batch, observer: batch.observer)
        for share in batch.shares { share.sequence.computed += share.count }
        for request in running { request.sequences.forEach(settle) }
        chooseTokens(batch, hidden: hidden, of: model)
        scoreRows(batch, hidden: hidden, of: model)
    }

    /// Starts waiting requests, in order, while there is room.
    private func admit() {
        var sequences = running.reduce(0) { $0 + $1.sequences.count }
        while let request = waiting.first,
            sequences + request.sequences.count <= max(settings.maxSequences, 1)
                || running.isEmpty
        {
            guard start(request) else { return }
            waiting.removeFirst()
            request.isRunning = true
            running.append(request)
            sequences += request.sequences.count
        }
    }

    /// Holds the shared prefixes of a request's sequences and takes blocks for the rest of their full blocks.
    private func start(_ request: EngineRequest) -> Bool {
        let needed = request.sequences.reduce(0) { $0 + $1.tokens.count / blockTokens + 1 }
        guard running.isEmpty || tree.freeBlocks >= needed else { return false }
        for sequence in request.sequences {
            var node = tree.root(sequence.rootKey)
            sequence.root = node
            for index in 0..<sequence.tokens.count / blockTokens {
                let tokens = sequence.tokens[index * blockTokens..<(index + 1) * blockTokens]
                if let child = tree.child(of: node, tokens: tokens) {
                    tree.hold(child)
                    node = child
                } else {
                    guard let block = tree.takeBlock() else {
                        release(request)
                        return false
                    }
                    node = tree.insert(tokens, block: block, under: node, owner: sequence.id, isReady: false)
                }
                sequence.path.append(node)
                sequence.setTable(index, node.block)
            }
        }
        return true
    }

    /// Lets go of all blocks of a request; it can be started again.
    private func release(_ request: EngineRequest) {
        for sequence in request.sequences {
            for node in sequence.path.reversed() {
                if node.owner == sequence.id { node.owner = nil }
                tree.release(node)
            }
            if let tail = sequence.tail { tree.giveBack(tail) }
            sequence.path = []
            sequence.tail = nil
            sequence.root = nil
            sequence.computed = 0
            sequence.settled = 0
        }
        request.isRunning = false
    }

    /// Chooses the rows of the next forward pass with an adapter: one for each running stream, then chunks of prompts.
    private func assemble(_ adapter: String?) -> EngineBatch {
        let batch = EngineBatch(cache: cache, shape: model.attentionShape, scratchBlock: scratchBlock)
        var room = settings.maxRows
        var prompts: [EngineRequest] = []
        for request in running where request.adapter == adapter {
            let left = request.sequences.map { advanceOverCached($0, of: request) }
            if left.allSatisfy({ $0 == 1 }) {
                room -= add(request, whole: true, room: room, to: batch)
            } else {
                prompts.append(request)
            }
        }
        for request in prompts where room > 0 && request.isRunning {
            room -= add(request, whole: false, room: room, to: batch)
        }
        batch.seal()
        return batch
    }

    /// Skips tokens whose keys and values are already there. Returns how many are left.
    private func advanceOverCached(_ sequence: EngineSequence, of request: EngineRequest) -> Int {
        let limit: Int
        switch request.work {
        case .generate: limit = sequence.tokens.count - 1
        case .score: limit = request.firstNeededRow
        }
        while sequence.computed < limit, sequence.computed / blockTokens < sequence.path.count {
            let node = sequence.path[sequence.computed / blockTokens]
            guard node.isReady else { break }
            let end = min(limit, (sequence.computed / blockTokens + 1) * blockTokens)
            sequence.cached += end - sequence.computed
            sequence.computed = end
        }
        return sequence.pending
    }

    /// Adds what a request can compute now. Sequences of a request wait for one another before their last token, so that
    /// all their logits come in the same pass.
    private func add(_ request: EngineRequest, whole: Bool, room: Int, to batch: EngineBatch) -> Int {
        var used = 0
        let holdsBack = !request.companions.isEmpty && !whole
        if !request.isRunning || whole && request.sequences.count > room && batch.rowCount > 0 { return 0 }
        for sequence in request.sequences {
            var count = sequence.pending - (holdsBack ? 1 : 0)
            if !whole { count = min(count, room - used) }
            count = min(count, computable(sequence))
            guard count > 0 else { continue }
            guard reserve(sequence, count: count, for: request) else { return used }
            batch.add(sequence, count: count, of: request, wantsLogits: wantedRows(sequence, count: count, of: request))
            used += count
        }
        return used
    }

    /// How many tokens can be computed before a block that another sequence is computing.
    private func computable(_ sequence: EngineSequence) -> Int {
        var end = sequence.computed
        while end < sequence.tokens.count {
            let index = end / blockTokens
            guard index < sequence.path.count else { return sequence.pending }
            let node = sequence.path[index]
            if !node.isReady && node.owner == nil { node.owner = sequence.id }
            guard node.isReady || node.owner == sequence.id else { break }
            end = (index + 1) * blockTokens
        }
        return min(end, sequence.tokens.count) - sequence.computed
    }

    /// Takes the blocks that `count` more tokens need, putting later requests aside when memory is short.
    private func reserve(_ sequence: EngineSequence, count: Int, for request: EngineRequest) -> Bool {
        let last = (sequence.computed + count - 1) / blockTokens
        guard last >= sequence.path.count, sequence.tail == nil else { return true }
        while true {
            if let block = tree.takeBlock() {
                sequence.tail = block
                sequence.setTable(sequence.path.count, block)
                return true
            }
            guard let victim = running.last, victim !== request else { break }
            running.removeLast()
            release(victim)
            waiting.insert(victim, at: 0)
        }
        if running.count == 1 {
            running.removeAll()
            release(request)
            request.finish(
                .failure(EngineError.cacheTooSmall(tokens: sequence.tokens.count, limit: cacheTokens)))
        } else if let index = running.firstIndex(where: { $0 === request }) {
            running.remove(at: index)
            release(request)
            waiting.insert(request, at: 0)
        }
        return false
    }

    /// Rows of this pass, counted from the sequence's first one, whose logits are wanted.
    private func wantedRows(_ sequence: EngineSequence, count: Int, of request: EngineRequest) -> Range<Int> {
        switch request.work {
        case .generate:
            return count == sequence.pending ? count - 1..<count : 0..<0
        case .score(let from, _):
            let first = max(from - 1, sequence.computed) - sequence.computed
            let last = min(sequence.computed + count, sequence.tokens.count - 1) - sequence.computed
            return first < last ? first..<last : 0..<0
        }
    }

    /// After a pass: marks finished blocks as ready and hands a full tail to the tree.
    private func settle(_ sequence: EngineSequence) {
        while sequence.settled < min(sequence.computed / blockTokens, sequence.path.count) {
            let node = sequence.path[sequence.settled]
            if node.owner == sequence.id {
                node.isReady = true
                node.owner = nil
            }
            sequence.settled += 1
        }
        let index = sequence.path.count
        guard let tail = sequence.tail, sequence.computed >= (index + 1) * blockTokens else { return }
        sequence.tail = nil
        guard let parent = sequence.path.last ?? sequence.root else { return }
        let tokens = sequence.tokens[index * blockTokens..<(index + 1) * blockTokens]
        if let same = tree.child(of: parent, tokens: tokens), same.isReady {
            tree.giveBack(tail)
            tree.hold(same)
            sequence.path.append(same)
            sequence.setTable(index, same.block)
        } else {
            sequence.path.append(tree.insert(tokens, block: tail, under: parent, owner: nil, isReady: true))
        }
    }

    // MARK: Traces

    /// One forward pass over a whole prompt, for itself.
    func trace(_ request: TraceRequest, tokens: [TokenID], edits: SequenceEdits) throws -> Trace {
        let probe = try TraceProbe(request, tokens: tokens)
        nextID += 1 << 16
        let sequence = EngineSequence(id: nextID, tokens: tokens, rootKey: nil, edits: edits)
        var blocks: [Int32] = []
        defer { for block in blocks { tree.giveBack(block) } }
        for index in 0..<(tokens.count + blockTokens - 1) / blockTokens {
            guard let block = tree.takeBlock() else {
                throw EngineError.cacheTooSmall(tokens: tokens.count, limit: cacheTokens)
            }
            blocks.append(block)
            sequence.setTable(index, block)
        }
        let batch = EngineBatch(cache: cache, shape: model.attentionShape, scratchBlock: scratchBlock)
        batch.probe = probe
        batch.add(sequence, count: tokens.count)
        batch.seal()
        let model = model(with: request.adapter)
        let hidden = GradientMode.withoutGradients {
            model.forward(
                tokens: batch.tokens, positions: batch.positions, attention: batch, observer: batch.observer)
        }
        let lens = probe.lens.map(\.rows)
        return probe.finish(
            logits: logitRows(of: hidden, probe.logits, model),
            lens: lens.isEmpty
                ? [] : logitRows(of: concatenate(lens), Array(0..<lens.count * probe.logits.count), model))
    }

    /// The logits of some rows of hidden states.
    private func logitRows(of hidden: Tensor, _ rows: [Int], _ model: DecoderModel) -> [[Float]] {
        guard !rows.isEmpty else { return [] }
        let all = model.logits(of: hidden, rows: rows).floats()
        let vocabulary = architecture.vocabularySize
        return rows.indices.map { Array(all[$0 * vocabulary..<($0 + 1) * vocabulary]) }
    }

    // MARK: Logits

    /// Samples the next token of every stream that is ready.
    private func chooseTokens(_ batch: EngineBatch, hidden: Tensor, of model: DecoderModel) {
        let ready = batch.generating
        guard !ready.isEmpty else { return }
        let vocabulary = architecture.vocabularySize
        let rows = ready.flatMap(\.rows)
        let logits = model.logits(of: hidden, rows: rows)
        let base = logits.withMutableFloatPointer { $0 }
        defer { withExtendedLifetime(logits) {} }

        var offsets: [Int] = []
        var offset = 0
        for stream in ready {
            offsets.append(offset)
            offset += stream.rows.count
        }
        var choices = [Choice?](repeating: nil, count: ready.count)
        let tokenizer = tokenizer
        choices.withUnsafeMutableBufferPointer { choices in
            // Each chunk touches its own request, rows and slot.
            let slots = choices.baseAddress.unsafelyUnwrapped
            parallel(ready.count) { index in
                let rows = (0..<ready[index].rows.count).map { row in
                    UnsafeMutableBufferPointer(start: base + (offsets[index] + row) * vocabulary, count: vocabulary)
                }
                slots[index] = Choice(ready[index].request, rows: rows, tokenizer: tokenizer)
            }
        }
        for (stream, choice) in zip(ready, choices) {
            guard let choice else { continue }
            finishChoice(choice, for: stream.request)
        }
    }

    private func finishChoice(_ choice: Choice, for request: EngineRequest) {
        guard case .generate(let generation) = request.work else { return }
        switch choice.outcome {
        case .failed(let error):
            end(request, with: .failure(error))
        case .token(let token, let logProbs):
            if let logProbs { generation.logProbs.append(logProbs) }
            let before = generation.ids.count
            generation.accept(token)
            if generation.ids.count == before, logProbs != nil { generation.logProbs.removeLast() }
            if let reason = generation.finish {
                let usage = Usage(
                    promptTokens: request.main.promptCount,
                    cachedTokens: min(request.main.cached, request.main.promptCount),
                    completionTokens: generation.ids.count)
                end(
                    request,
                    with: .success(
                        .completion(
                            Completion(
                                text: generation.text, ids: generation.ids, finish: reason, usage: usage,
                                logProbs: generation.topLogProbs == nil ? nil : generation.logProbs))))
            } else {
                for sequence in request.sequences { sequence.tokens.append(token) }
            }
        }
    }

    private func end(_ request: EngineRequest, with result: Result<EngineResult, any Error>) {
        if let index = running.firstIndex(where: { $0 === request }) { running.remove(at: index) }
        release(request)
        request.finish(result)
    }

    /// Reads the log-probabilities that scoring requests want, 64 rows at a time.
    private func scoreRows(_ batch: EngineBatch, hidden: Tensor, of model: DecoderModel) {
        let vocabulary = architecture.vocabularySize
        var targets = batch.scoring[...]
        while !targets.isEmpty {
            let part = targets.prefix(64)
            targets = targets.dropFirst(64)
            let logits = model.logits(of: hidden, rows: part.map(\.row))
            let base = logits.withMutableFloatPointer { $0 }
            defer { withExtendedLifetime(logits) {} }
            var found = [Float](repeating: 0, count: part.count)
            found.withUnsafeMutableBufferPointer { found in
                let values = found.baseAddress.unsafelyUnwrapped
                parallel(part.count) { index in
                    let target = part[part.startIndex + index]
                    let row = UnsafeBufferPointer(start: base + index * vocabulary, count: vocabulary)
                    values[index] = row[Int(target.token)] - logSumExp(row)
                }
            }
            for (target, value) in zip(part, found) {
                guard case .score(let from, var logProbs) = target.request.work else { continue }
                logProbs[target.position] = value
                target.request.work = .score(from: from, found: logProbs)
            }
        }
        for request in running {
            guard case .score(_, let found) = request.work, request.main.pending == 0 else { continue }
            if let bad = found.firstIndex(where: { $0.map { !$0.isFinite } ?? false }) {
                end(request, with: .failure(EngineError.notFinite(position: bad)))
            } else {
                end(request, with: .success(.score(Score(ids: request.main.tokens, logProbs: found))))
            }
        }
    }
}
