import Foundation
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
    /// a Hugging Face folder, or `model.gguf`.
    public func write(to folder: String, format: WeightFormat = .bf16) throws {
        guard weights.source is GGUFFile else { return try writeHuggingFace(to: folder, format: format) }
        try makeFolder(folder)
        let plain = folder + "/model.weights"
        defer { try? FileManager.default.removeItem(atPath: plain) }
        try writeWeights(to: plain, format: format.isQuantised ? .f32 : format)
        try ModelConversion(ModelWeights(openWeights(at: plain)), format: format).writeGGUF(
            to: folder + "/model.gguf", metadata: weights.ggufText())
    }

    /// Writes a Hugging Face folder, which is made when it isn't there: the model's words, the weights and `config.json`.
    public func writeHuggingFace(to folder: String, format: WeightFormat = .bf16) throws {
        try makeFolder(folder)
        try weights.writeText(to: folder)
        try writeWeights(to: folder, format: format)
    }

    private func writeWeights(to folder: String, format: WeightFormat) throws {
        try makeFolder(folder)
        let writer = HuggingFaceFolderWriter(
            tensors: weights.tensors.map { TensorDeclaration(name: $0.name, format: format, shape: $0.shape) },
            configuration: try weights.configuration.huggingFaceDocument(format: format))
        try writer.write(to: folder) { declaration, sink in
            guard let tensor = weights[declaration.name] else { return }
            try sink.write(numbers(of: tensor))
        }
    }

    /// A weight's numbers as Hugging Face has them, after training.
    private func numbers(of tensor: ModelWeights.Tensor) throws -> [Float] {
        let configuration = weights.configuration
        if let own = trained[tensor.name] {
            // In memory a norm has its offset added when the file doesn't, and rows have the order of the file.
            let offset = tensor.shape.count == 1 && tensor.name.contains("norm") ? configuration.norm.weightOffset : 0
            let stored = offset == 0 ? own : own - Float(offset)
            return tensor.change.undone(stored.floats(), shape: tensor.shape, configuration)
        }
        guard let adapters = changes[tensor.name] else { return try weights.floats(of: tensor) }
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
