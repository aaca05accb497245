import Tensors
import Text

/// The token embeddings [vocabularySize, hiddenSize], which often are the output projection, too.
public struct EmbeddingTable: Sendable {
    let weight: Weight

    public init(_ weight: Weight) {
        self.weight = weight
    }

    public var byteCount: Int { weight.byteCount }

    /// The embeddings of tokens, [tokens.count, hiddenSize] in f32.
    public func rows(_ tokens: [TokenID]) -> Tensor {
        switch weight {
        case .dense(let tensor), .mixed(let tensor):
            return embedding(Tensor(tokens), tensor)
        case .adapted(let base, _):
            // Adapters change the product with a table, not the look-up in it.
            return EmbeddingTable(base).rows(tokens)
        case .packed(let matrix):
            let x = Tensor(unfilled: [tokens.count, matrix.columns])
            x.withMutableFloatPointer { base in
                for (row, token) in tokens.enumerated() {
                    matrix.row(Int(token), into: base + row * matrix.columns)
                }
            }
            return x
        }
    }

    /// entrance(x) · Eᵀ: the output projection of models that tie it to the embedding.
    public func logits(_ x: Tensor, entrance: Entrance) -> Tensor {
        let rows = weight.shape[0]
        return Projection([Projection.Part(weight, sizes: [rows])])(x, entrance: entrance)[0]
    }
}
