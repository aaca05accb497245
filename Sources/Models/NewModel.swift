import Foundation
import Tensors
import Text

/// A model that has learnt nothing: sizes, words, and random weights. Written as a Hugging Face folder it is a model like any other, to
/// be trained, loaded and converted by its path.
public struct NewModel: Sendable {
    public var configuration: ModelConfiguration
    public var tokenizer: TokenizerSpecification
    /// In Jinja; nil: the model continues raw text only.
    public var chatTemplate: String?

    /// - Parameter configuration: a dense model of the Llama family. Its vocabulary is set to the tokenizer's.
    public init(_ configuration: ModelConfiguration, tokenizer: TokenizerSpecification, chatTemplate: String? = nil) {
        self.configuration = configuration
        self.configuration.vocabularySize = tokenizer.vocabulary.count
        self.tokenizer = tokenizer
        self.chatTemplate = chatTemplate
    }

    /// How many numbers the model has.
    public var parameterCount: Int { tensors.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    /// Writes the folder, which is made when it isn't there. `config.json` comes last: a folder with it is complete.
    ///
    /// Norms start at 1; matrices are normal with the deviation √(2/(5·hidden)) (Nguyen & Salazar 2019), those that write into the residual
    /// stream divided by √(2·layers) (Radford et al. 2019).
    public func write(to folder: String, seed: UInt64) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try ModelWeights.writeText(
            tokenizer, chatTemplate: chatTemplate, contextLength: configuration.contextLength,
            to: URL(fileURLWithPath: folder))
        let deviation = Float((2 / (5 * Double(configuration.hiddenSize))).squareRoot())
        let residual = 1 / Float(2 * configuration.layers).squareRoot()
        var generator = SplitMixGenerator(seed: seed)
        let writer = HuggingFaceFolderWriter(
            tensors: tensors.map { TensorDeclaration(name: $0.name, format: .f32, shape: $0.shape) },
            configuration: try configuration.huggingFaceDocument())
        try writer.write(to: folder) { declaration, sink in
            let shape = Shape(declaration.shape)
            let writesToResidual = declaration.name.contains("o_proj") || declaration.name.contains("down_proj")
            let tensor =
                declaration.shape.count == 1
                ? Tensor.ones(shape)
                : Tensor.normal(
                    shape, deviation: writesToResidual ? deviation * residual : deviation, seed: generator.next())
            try sink.write(tensor.floats())
        }
    }

    private var tensors: [(name: String, shape: [Int])] {
        let c = configuration
        var all = [("model.embed_tokens.weight", [c.vocabularySize, c.hiddenSize])]
        for layer in 0..<c.layers {
            let prefix = "model.layers.\(layer)."
            all += [
                (prefix + "input_layernorm.weight", [c.hiddenSize]),
                (prefix + "self_attn.q_proj.weight", [c.querySize, c.hiddenSize]),
                (prefix + "self_attn.k_proj.weight", [c.keyValueSize, c.hiddenSize]),
                (prefix + "self_attn.v_proj.weight", [c.keyValueSize, c.hiddenSize]),
                (prefix + "self_attn.o_proj.weight", [c.hiddenSize, c.querySize]),
                (prefix + "post_attention_layernorm.weight", [c.hiddenSize]),
                (prefix + "mlp.gate_proj.weight", [c.feedForwardSize, c.hiddenSize]),
                (prefix + "mlp.up_proj.weight", [c.feedForwardSize, c.hiddenSize]),
                (prefix + "mlp.down_proj.weight", [c.hiddenSize, c.feedForwardSize]),
            ]
        }
        all.append(("model.norm.weight", [c.hiddenSize]))
        if !c.tiesEmbeddings { all.append(("lm_head.weight", [c.vocabularySize, c.hiddenSize])) }
        return all
    }
}

extension ModelConfiguration {
    /// A dense model of the Llama family.
    ///
    /// - Parameters:
    ///   - headSize: even; the width of all heads together need not be `hiddenSize`. Nil: `hiddenSize / heads`.
    ///   - feedForwardSize: nil: 8/3 of `hiddenSize`, rounded up to a multiple of 32.
    public static func llama(
        layers: Int, hiddenSize: Int, heads: Int, kvHeads: Int? = nil, headSize: Int? = nil,
        feedForwardSize: Int? = nil, vocabularySize: Int = 0, contextLength: Int = 512, ropeTheta: Double = 10_000,
        tiesEmbeddings: Bool = true
    ) -> ModelConfiguration {
        let headSize = headSize ?? hiddenSize / heads
        precondition(headSize % 2 == 0 && heads % (kvHeads ?? heads) == 0, "heads are even and shared evenly")
        return ModelConfiguration(
            family: .llama, layers: layers, hiddenSize: hiddenSize, heads: heads, kvHeads: kvHeads ?? heads,
            headSize: headSize, feedForwardSize: feedForwardSize ?? (hiddenSize * 8 / 3 + 31) / 32 * 32,
            vocabularySize: vocabularySize, contextLength: contextLength,
            rotary: RotaryConfiguration(theta: ropeTheta, dimension: headSize, pairing: .halves),
            norm: NormConfiguration(kind: .rms, placement: .before, epsilon: 1e-5), activation: .silu, isGated: true,
            tiesEmbeddings: tiesEmbeddings, hasQueryKeyValueBias: false, hasAttentionOutputBias: false,
            hasFeedForwardBias: false, queryKeyNorm: .none, attentionScale: 1 / Double(headSize).squareRoot(),
            embeddingScale: 1, attentionSoftcap: nil, logitSoftcap: nil, slidingWindow: nil, experts: nil,
            isCausal: true, tokenTypes: 0)
    }
}
