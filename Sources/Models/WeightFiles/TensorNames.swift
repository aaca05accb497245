/// Whose names a file's tensors bear.
public enum TensorNaming: String, Sendable, Hashable, Codable {
    case gguf
    case huggingFace
}

/// The two names of every tensor of a model family, one table read in both directions.
///
/// Hugging Face names are meant in their canonical form: see ``canonical(_:)``.
public struct TensorNames: Sendable {
    /// Where a tensor is, under the other naming.
    public struct Place: Sendable, Hashable {
        public var name: String
        /// Which slice along the outermost extent, where GGUF stacks all experts of a layer in one tensor.
        public var expert: Int?
        public var change: StorageChange

        public init(name: String, expert: Int? = nil, change: StorageChange = .none) {
            self.name = name
            self.expert = expert
            self.change = change
        }
    }

    public let family: ModelFamily
    private let byHuggingFace: [String: TensorNameRow]
    private let byGGUF: [String: TensorNameRow]

    public init(family: ModelFamily) {
        self.family = family
        let rows = TensorNameRow.rows(of: family)
        byHuggingFace = Dictionary(rows.map { ($0.huggingFace, $0) }, uniquingKeysWith: { first, _ in first })
        byGGUF = Dictionary(rows.map { ($0.gguf, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The GGUF tensor that holds a Hugging Face tensor, or nil when the family has none of this name.
    public func gguf(for huggingFace: String) -> Place? {
        let parts = NameParts(canonical(huggingFace))
        guard let row = byHuggingFace[parts.stem], row.stacksExperts == (parts.numbers.count == 2) else { return nil }
        return Place(
            name: parts.filled(row.gguf, numbers: parts.numbers.prefix(1)),
            expert: parts.numbers.count == 2 ? parts.numbers[1] : nil, change: row.change(suffix: parts.suffix))
    }

    /// The Hugging Face tensor that a GGUF tensor holds, or nil when the family has none of this name.
    ///
    /// - Parameter expert: which of the stacked experts, for the tensors that are stacked.
    public func huggingFace(for gguf: String, expert: Int? = nil) -> Place? {
        let parts = NameParts(gguf)
        guard let row = byGGUF[parts.stem], row.stacksExperts == (expert != nil) else { return nil }
        return Place(
            name: parts.filled(row.huggingFace, numbers: parts.numbers + (expert.map { [$0] } ?? [])), expert: expert,
            change: row.change(suffix: parts.suffix))
    }

    /// Whether a GGUF tensor stacks the experts of a layer.
    public func stacksExperts(gguf: String) -> Bool { byGGUF[NameParts(gguf).stem]?.stacksExperts ?? false }

    /// A Hugging Face name as this family's causal language model writes it: without the wrapper's prefix that models of
    /// images and text, or BERT with a head, put before it, and with the `model.` that bare decoders leave out.
    public func canonical(_ name: String) -> String {
        var name = name[...]
        switch family {
        case .bert:
            if name.hasPrefix("bert.") { name = name.dropFirst(5) }
            if name.hasSuffix(".gamma") { name = name.dropLast(6) + ".weight" }
            if name.hasSuffix(".beta") { name = name.dropLast(5) + ".bias" }
        case .gpt2:
            if name.hasPrefix("transformer.") { name = name.dropFirst(12) }
        default:
            if name.hasPrefix("language_model.") { name = name.dropFirst(15) }
            if name.hasPrefix("model.language_model.") { name = "model." + name.dropFirst(21) }
            if name.hasPrefix("layers.") || name.hasPrefix("embed_tokens.") || name.hasPrefix("norm.") {
                name = "model." + name
            }
        }
        return String(name)
    }
}

/// A name cut into what the table is keyed by: `blk.7.attn_q.weight` is the stem `blk.#.attn_q`, the number 7 and the
/// suffix `weight`.
private struct NameParts {
    var stem: String
    var numbers: [Int]
    var suffix: String?

    init(_ name: String) {
        var components = name.split(separator: ".", omittingEmptySubsequences: false)
        suffix = components.last == "weight" || components.last == "bias" ? String(components.removeLast()) : nil
        let found = components.map { Self.number($0) }
        numbers = found.compactMap(\.self)
        stem = zip(components, found).map { $1 == nil ? $0 : "#" }.joined(separator: ".")
    }

    private static func number(_ component: Substring) -> Int? {
        component.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ? Int(component) : nil
    }

    func filled(_ pattern: String, numbers: some Sequence<Int>) -> String {
        var rest = numbers.makeIterator()
        var result = ""
        for character in pattern {
            if character == "#", let number = rest.next() {
                result += String(number)
            } else {
                result.append(character)
            }
        }
        return suffix.map { "\(result).\($0)" } ?? result
    }
}

/// One line of the table. `#` stands for the layer; a second one, on the Hugging Face side alone, for the expert.
private struct TensorNameRow: Sendable {
    var huggingFace: String
    var gguf: String
    var weightChange: StorageChange = .none
    var biasChange: StorageChange = .none

    init(_ huggingFace: String, _ gguf: String, _ change: StorageChange = .none) {
        self.huggingFace = huggingFace
        self.gguf = gguf
        weightChange = change
        // A bias has no second extent to transpose.
        biasChange = change == .transposed ? .none : change
    }

    var stacksExperts: Bool { huggingFace.count { $0 == "#" } == 2 }

    func change(suffix: String?) -> StorageChange { suffix == "bias" ? biasChange : weightChange }

    static func rows(of family: ModelFamily) -> [TensorNameRow] {
        switch family {
        case .llama, .mistral, .qwen2, .qwen3, .gemma3: decoder(family) + denseFeedForward
        case .mixtral: decoder(family) + denseFeedForward + mixtralExperts
        case .qwen2MoE, .qwen3MoE, .olmoe: decoder(family) + denseFeedForward + experts
        case .bert: bert
        case .gpt2: gpt2
        }
    }

    private static func decoder(_ family: ModelFamily) -> [TensorNameRow] {
        let pairsNeighbours = family.ggufArchitecture == "llama"
        let isGemma = family == .gemma3
        let norm: StorageChange = isGemma ? .plusOne : .none
        let layer = "model.layers.#."
        let block = "blk.#."
        var rows = [
            TensorNameRow("model.embed_tokens", "token_embd"),
            TensorNameRow("model.norm", "output_norm", norm),
            TensorNameRow("lm_head", "output"),
            TensorNameRow(layer + "input_layernorm", block + "attn_norm", norm),
            TensorNameRow(
                layer + "self_attn.q_proj", block + "attn_q", pairsNeighbours ? .neighbouringQueryRows : .none),
            TensorNameRow(
                layer + "self_attn.k_proj", block + "attn_k", pairsNeighbours ? .neighbouringKeyRows : .none),
            TensorNameRow(layer + "self_attn.v_proj", block + "attn_v"),
            TensorNameRow(layer + "self_attn.o_proj", block + "attn_output"),
            TensorNameRow(layer + "self_attn.q_norm", block + "attn_q_norm", norm),
            TensorNameRow(layer + "self_attn.k_norm", block + "attn_k_norm", norm),
        ]
        if isGemma {
            rows += [
                TensorNameRow(layer + "post_attention_layernorm", block + "post_attention_norm", norm),
                TensorNameRow(layer + "pre_feedforward_layernorm", block + "ffn_norm", norm),
                TensorNameRow(layer + "post_feedforward_layernorm", block + "post_ffw_norm", norm),
            ]
        } else {
            rows.append(TensorNameRow(layer + "post_attention_layernorm", block + "ffn_norm"))
        }
        return rows
    }

    private static let denseFeedForward = [
        TensorNameRow("model.layers.#.mlp.gate_proj", "blk.#.ffn_gate"),
        TensorNameRow("model.layers.#.mlp.up_proj", "blk.#.ffn_up"),
        TensorNameRow("model.layers.#.mlp.down_proj", "blk.#.ffn_down"),
    ]

    private static let mixtralExperts = [
        TensorNameRow("model.layers.#.block_sparse_moe.gate", "blk.#.ffn_gate_inp"),
        TensorNameRow("model.layers.#.block_sparse_moe.experts.#.w1", "blk.#.ffn_gate_exps"),
        TensorNameRow("model.layers.#.block_sparse_moe.experts.#.w3", "blk.#.ffn_up_exps"),
        TensorNameRow("model.layers.#.block_sparse_moe.experts.#.w2", "blk.#.ffn_down_exps"),
    ]

    private static let experts = [
        TensorNameRow("model.layers.#.mlp.gate", "blk.#.ffn_gate_inp"),
        TensorNameRow("model.layers.#.mlp.experts.#.gate_proj", "blk.#.ffn_gate_exps"),
        TensorNameRow("model.layers.#.mlp.experts.#.up_proj", "blk.#.ffn_up_exps"),
        TensorNameRow("model.layers.#.mlp.experts.#.down_proj", "blk.#.ffn_down_exps"),
        TensorNameRow("model.layers.#.mlp.shared_expert_gate", "blk.#.ffn_gate_inp_shexp"),
        TensorNameRow("model.layers.#.mlp.shared_expert.gate_proj", "blk.#.ffn_gate_shexp"),
        TensorNameRow("model.layers.#.mlp.shared_expert.up_proj", "blk.#.ffn_up_shexp"),
        TensorNameRow("model.layers.#.mlp.shared_expert.down_proj", "blk.#.ffn_down_shexp"),
    ]

    private static let bert = [
        TensorNameRow("embeddings.word_embeddings", "token_embd"),
        TensorNameRow("embeddings.position_embeddings", "position_embd"),
        TensorNameRow("embeddings.token_type_embeddings", "token_types"),
        TensorNameRow("embeddings.LayerNorm", "token_embd_norm"),
        TensorNameRow("encoder.layer.#.attention.self.query", "blk.#.attn_q"),
        TensorNameRow("encoder.layer.#.attention.self.key", "blk.#.attn_k"),
        TensorNameRow("encoder.layer.#.attention.self.value", "blk.#.attn_v"),
        TensorNameRow("encoder.layer.#.attention.output.dense", "blk.#.attn_output"),
        TensorNameRow("encoder.layer.#.attention.output.LayerNorm", "blk.#.attn_output_norm"),
        TensorNameRow("encoder.layer.#.intermediate.dense", "blk.#.ffn_up"),
        TensorNameRow("encoder.layer.#.output.dense", "blk.#.ffn_down"),
        TensorNameRow("encoder.layer.#.output.LayerNorm", "blk.#.layer_output_norm"),
    ]

    private static let gpt2 = [
        TensorNameRow("wte", "token_embd"),
        TensorNameRow("wpe", "position_embd"),
        TensorNameRow("ln_f", "output_norm"),
        TensorNameRow("lm_head", "output"),
        TensorNameRow("h.#.ln_1", "blk.#.attn_norm"),
        TensorNameRow("h.#.attn.c_attn", "blk.#.attn_qkv", .transposed),
        TensorNameRow("h.#.attn.c_proj", "blk.#.attn_output", .transposed),
        TensorNameRow("h.#.ln_2", "blk.#.ffn_norm"),
        TensorNameRow("h.#.mlp.c_fc", "blk.#.ffn_up", .transposed),
        TensorNameRow("h.#.mlp.c_proj", "blk.#.ffn_down", .transposed),
    ]
}
