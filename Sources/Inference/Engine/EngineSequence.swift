import Tensors
import Text

/// One stream of tokens in the engine: a prompt and what was generated after it.
final class EngineSequence {
    let id: Int
    /// Prompt, then generated tokens.
    var tokens: [TokenID]
    let promptCount: Int
    /// How many tokens have their keys and values in the cache.
    var computed = 0
    /// How many nodes of the path are known to be ready.
    var settled = 0
    /// How many prompt tokens a shared prefix spared.
    var cached = 0

    /// The path of full blocks this sequence holds in the tree, from the root on.
    var root: PrefixTree.Node?
    var path: [PrefixTree.Node] = []
    /// The block being filled; not in the tree yet.
    var tail: Int32?
    let rootKey: String?
    /// Block numbers in order, at a stable address while a forward pass runs.
    private(set) var table: UnsafeMutablePointer<Int32>
    private var tableCapacity = 16

    let edits: SequenceEdits

    init(id: Int, tokens: [TokenID], rootKey: String?, edits: SequenceEdits) {
        self.id = id
        self.tokens = tokens
        promptCount = tokens.count
        self.rootKey = rootKey
        self.edits = edits
        table = .allocate(capacity: tableCapacity)
    }

    deinit {
        table.deallocate()
    }

    /// Tokens not yet in the cache.
    var pending: Int { tokens.count - computed }

    /// Where keys and values of a position go. What a shared block already holds is computed for its logits only, and
    /// written where nobody reads.
    func place(of position: Int, scratchBlock: Int32) -> Int64 {
        let size = PagedCache.blockTokens, index = position / size
        let isShared = index < path.count && path[index].owner != id
        return Int64(isShared ? scratchBlock : table[index]) * Int64(size) + Int64(position % size)
    }

    func setTable(_ index: Int, _ block: Int32) {
        if index >= tableCapacity {
            let larger = UnsafeMutablePointer<Int32>.allocate(capacity: max(index + 1, tableCapacity * 2))
            larger.update(from: table, count: tableCapacity)
            table.deallocate()
            table = larger
            tableCapacity = max(index + 1, tableCapacity * 2)
        }
        table[index] = block
    }
}

/// What the interventions of a request mean for one of its sequences, in the form the forward pass needs.
final class SequenceEdits: @unchecked Sendable {
    // Sendable: written in `init` only.

    /// [layer: [head: additive bias for each key position]]
    private(set) var biases: [Int: [Int: UnsafeMutablePointer<Float>]] = [:]
    private(set) var ablated: [Int: [Int]] = [:]
    private(set) var hidden: [Int: [(vector: [Float], scale: Float, positions: Range<Int>?)]] = [:]
    private(set) var embeddings: [Int: [Float]] = [:]
    private(set) var processors: [any LogitProcessor] = []
    private(set) var companions: [(prompts: [Prompt], combiner: any LogitCombiner)] = []
    private var owned: [UnsafeMutablePointer<Float>] = []

    /// Whether keys and values differ from the plain model's, so that they can't be shared.
    var changesStates: Bool { !(biases.isEmpty && ablated.isEmpty && hidden.isEmpty && embeddings.isEmpty) }

    static let none = SequenceEdits()

    private init() {}

    /// Checks interventions against the model and the prompt.
    /// - Parameter length: the longest the sequence can become; biases are laid out for every position.
    init(_ interventions: [Intervention], architecture: ArchitectureSummary, promptCount: Int, length: Int) throws {
        for intervention in interventions {
            switch intervention {
            case .attentionBias(let heads, let ranges, let bias):
                try Self.check(heads, architecture)
                for range in ranges where range.lowerBound < 0 || range.upperBound > length || range.isEmpty {
                    throw EngineError.badIntervention(
                        "attention bias: the range \(range) is empty or outside the sequence of \(length) tokens")
                }
                guard bias.isFinite || bias == -.infinity else {
                    throw EngineError.badIntervention("attention bias: \(bias) is not a number")
                }
                addBias(bias, heads: heads, ranges: ranges, length: length)
            case .ablateHeads(let heads):
                try Self.check(heads, architecture)
                for head in heads { ablated[head.layer, default: []].append(head.head) }
            case .addHidden(let layer, let vector, let scale, let positions):
                guard (0...architecture.layers).contains(layer) else {
                    throw EngineError.badIntervention(
                        "hidden state: there is no layer \(layer); the model has 0 to \(architecture.layers)")
                }
                guard vector.count == architecture.hiddenSize else {
                    throw EngineError.badIntervention(
                        "hidden state: the vector has \(vector.count) entries, the model's hidden size is \(architecture.hiddenSize)"
                    )
                }
                hidden[layer, default: []].append((vector, scale, positions))
            case .replaceEmbeddings(let replacements):
                for (position, vector) in replacements {
                    guard position >= 0 && position < promptCount else {
                        throw EngineError.badIntervention(
                            "embedding: position \(position) is outside the prompt of \(promptCount) tokens")
                    }
                    guard vector.count == architecture.hiddenSize else {
                        throw EngineError.badIntervention(
                            "embedding: the vector has \(vector.count) entries, the model's hidden size is \(architecture.hiddenSize)"
                        )
                    }
                    embeddings[position] = vector
                }
            case .logits(let processor):
                processors.append(processor)
            case .companions(let prompts, let combiner):
                companions.append((prompts, combiner))
            }
        }
    }

    deinit {
        for pointer in owned { pointer.deallocate() }
    }

    private static func check(_ heads: Set<Head>, _ architecture: ArchitectureSummary) throws {
        for head in heads
        where !(0..<architecture.layers).contains(head.layer) || !(0..<architecture.heads).contains(head.head) {
            throw EngineError.badIntervention(
                "there is no head \(head); the model has layers 0..<\(architecture.layers) of \(architecture.heads) heads"
            )
        }
    }

    private func addBias(_ bias: Float, heads: Set<Head>, ranges: [Range<Int>], length: Int) {
        // Heads with the same biases so far share one array.
        var combined: [UnsafeMutablePointer<Float>?: UnsafeMutablePointer<Float>] = [:]
        for head in heads {
            let before = biases[head.layer]?[head.head]
            if combined[before] == nil {
                let array = UnsafeMutablePointer<Float>.allocate(capacity: length + PagedCache.spanTokens)
                array.initialize(repeating: 0, count: length + PagedCache.spanTokens)
                if let before { array.update(from: before, count: length) }
                var covered = [Bool](repeating: false, count: length)
                for range in ranges { for position in range { covered[position] = true } }
                for position in 0..<length where covered[position] { array[position] += bias }
                owned.append(array)
                combined[before] = array
            }
            biases[head.layer, default: [:]][head.head] = combined[before]
        }
    }
}
