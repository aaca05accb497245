import Models
import Tensors

/// The precision that matrix products of a training run have; sums and parameters are f32 in both.
public enum ComputePrecision: String, Sendable, Hashable, Codable, CaseIterable {
    case f32
    /// bf16 operands, as fast as the processor multiplies. On processors without fast bf16 products it means f32.
    case bf16

    /// The form of a matrix that trains.
    public var trained: WeightForm { self == .bf16 ? .mixed : .f32 }
    /// The form of a matrix that doesn't.
    public var frozen: WeightForm { self == .bf16 ? .bf16 : .f32 }
}

/// Which numbers of a model train: all, some, or new ones beside frozen ones.
public protocol Parameterisation: Sendable {
    /// The form in which a matrix is loaded, by its Hugging Face name.
    func form(of name: String, precision: ComputePrecision) -> WeightForm

    /// Makes the numbers that train into parameters.
    ///
    /// - Parameters:
    ///   - model: loaded in the forms that `form(of:precision:)` asked for.
    ///   - seed: of starting values.
    /// - Throws: where the model has nothing that fits.
    func prepare(_ model: DecoderModel, seed: UInt64) throws -> TrainableModel
}

extension Parameterisation {
    /// Loads a model from its file in the forms this parameterisation needs, and prepares it.
    public func load(
        _ source: any WeightSource, precision: ComputePrecision, seed: UInt64
    ) throws -> TrainableModel {
        let model = try DecoderModel(source, forms: { form(of: $0, precision: precision) })
        try TrainableModel.check(model.configuration)
        return try prepare(model, seed: seed)
    }
}
