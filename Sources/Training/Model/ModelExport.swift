import Models
import Tensors

/// Writes a trained model: the file it came from, with trained weights in place of its own and adapters merged in.
public struct ModelExport {
    private let weights: ModelWeights
    private let trained: [String: Tensor]
    private let changes: [String: [LowRankAdapter]]

    /// - Parameters:
    ///   - source: the file that the model was loaded from.
    ///   - trained: parameters that replace weights of the same names.
    ///   - adapters: changes that are added to weights, in this order.
    public init(_ source: any WeightSource, trained: [Parameter] = [], adapters: [AdapterSet] = []) throws {
        weights = try ModelWeights(source)
        self.trained = Dictionary(trained.map { ($0.name, $0.tensor.detached()) }, uniquingKeysWith: { $1 })
        var changes: [String: [LowRankAdapter]] = [:]
        for member in adapters.flatMap(\.members) {
            changes[member.module + ".weight", default: []].append(member.adapter)
        }
        self.changes = changes
        let names = Set(weights.tensors.map(\.name))
        let wanted = Set(self.trained.keys).union(changes.keys)
        if let missing = wanted.subtracting(names).min() {
            throw TrainingError.mismatch(file: source.path, reason: "has no weight \(missing), which was trained")
        }
    }

    /// Writes the model into a folder in the kind of file it came from, tokenizer and template included, so that it loads as that did:
    /// a Hugging Face folder, or `model.gguf`. Nothing is made when the format can't be stored there.
    @discardableResult
    public func write(to folder: String, format: WeightFormat = .bf16) throws -> ModelConversion.Outcome {
        guard weights.source is GGUFFile else { return try writeHuggingFace(to: folder, format: format) }
        let conversion = try ModelConversion(weights, format: format)
        try makeFolder(folder)
        return try conversion.writeGGUF(to: folder + "/model.gguf", newNumbers: newNumbers)
    }

    /// Writes a Hugging Face folder, which is made when it isn't there: the model's words, the weights and `config.json`.
    @discardableResult
    public func writeHuggingFace(to folder: String, format: WeightFormat = .bf16) throws -> ModelConversion.Outcome {
        let conversion = try ModelConversion(weights, format: format)
        if !format.isQuantised { try makeFolder(folder) }
        return try conversion.writeHuggingFace(to: folder, newNumbers: newNumbers)
    }

    /// A weight's numbers after training, as Hugging Face has them; nil when they are the source's.
    private func newNumbers(of tensor: ModelWeights.Tensor) throws -> [Float]? {
        let configuration = weights.configuration
        if let own = trained[tensor.name] {
            // In memory a norm has its offset added when the file doesn't, and rows have the order of the file.
            let offset = tensor.shape.count == 1 && tensor.name.contains("norm") ? configuration.norm.weightOffset : 0
            let stored = offset == 0 ? own : own - Float(offset)
            return tensor.change.undone(stored.floats(), shape: tensor.shape, configuration)
        }
        guard let adapters = changes[tensor.name] else { return nil }
        let values = Tensor(try weights.floats(of: tensor), Shape(tensor.shape))
        // Every change is one of the weight as it stands in the file.
        return try adapters.reduce(values) { sum, adapter in
            guard [adapter.up.shape[0], adapter.down.shape[1]] == tensor.shape else {
                throw TrainingError.mismatch(
                    file: weights.source.path, reason: "\(tensor.name) is \(tensor.shape), its adapter is not")
            }
            func ordered(_ rows: Tensor) -> Tensor {
                Tensor(tensor.change.undone(rows.floats(), shape: rows.shape.dimensions, configuration), rows.shape)
            }
            var own = adapter
            own.up = ordered(adapter.up.detached())
            if let old = adapter.magnitude?.values.detached() {
                own.magnitude?.values = ordered(old)
            }
            return sum + own.change(of: values)
        }.floats()
    }
}
