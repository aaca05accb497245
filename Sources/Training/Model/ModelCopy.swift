import Models
import Tensors

/// A model beside the one that trains, with the same frozen weights.
public final class ModelCopy: Sendable {
    public enum Purpose: Sendable {
        /// Stays as the model is now: nothing that trains is shared.
        case reference
        /// Follows the model: what is multiplied in bf16 is held in bf16, so that generating doesn't round it anew for every product; the rest is
        /// shared. Call ``refresh()`` after the weights have changed.
        case generation
    }

    public let model: DecoderModel
    /// Weights that train, with their copies in bf16.
    private let rounded: [(original: Tensor, copy: Tensor)]

    public init(of original: DecoderModel, for purpose: Purpose) {
        var rounded: [(original: Tensor, copy: Tensor)] = []
        func own(_ tensor: Tensor) -> Tensor {
            purpose == .reference && tensor.requiresGradient ? tensor.detached().copied() : tensor.detached()
        }
        func changed(_ weight: Weight) -> Weight {
            switch weight {
            case .packed: return weight
            case .dense(let tensor): return .dense(own(tensor))
            case .mixed(let tensor):
                guard Processor.multipliesBF16 else { return .mixed(own(tensor)) }
                let copy = tensor.detached().cast(to: .bf16)
                if purpose == .generation { rounded.append((tensor.detached(), copy)) }
                return .dense(copy)
            case .adapted(let base, let adapters):
                return .adapted(
                    changed(base),
                    adapters.map { $0.mapped(own) })
            }
        }
        model = GradientMode.withoutGradients {
            original.replacingWeights {
                changed($1)
            } vector: {
                own($1)
            }
        }
        self.rounded = rounded
    }

    /// Takes over the weights as they are now. Nobody may read the copy meanwhile.
    public func refresh() {
        GradientMode.withoutGradients {
            for (original, copy) in rounded { copy.assign(original.cast(to: .bf16)) }
        }
    }
}
