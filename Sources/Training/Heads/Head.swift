import Foundation
import Models
import Tensors
import Text

/// A linear layer on the hidden states behind the final norm: W h + b, such as a reward, a value, or the logits of classes.
public struct Head: Sendable {
    static let prefix = "heads."

    public let name: String
    /// W [outputs, hiddenSize]
    public let weight: Tensor
    /// b [outputs]
    public let bias: Tensor
    /// What the outputs stand for, one a name, such as classes; empty: nothing that has names.
    public let labels: [String]

    public init(name: String, weight: Tensor, bias: Tensor, labels: [String] = []) {
        precondition(
            weight.rank == 2 && bias.shape == [weight.shape[0]], "a head of \(weight.shape) with \(bias.shape)")
        precondition(labels.isEmpty || labels.count == weight.shape[0], "\(labels.count) labels of other outputs")
        self.name = name
        self.weight = weight
        self.bias = bias
        self.labels = labels
    }

    public var outputs: Int { weight.shape[0] }

    /// x [rows, hiddenSize] behind the final norm → [rows, outputs].
    public func callAsFunction(_ x: Tensor) -> Tensor { linear(x, weight, bias: bias) }

    // MARK: Files

    private static let file = "heads.safetensors"

    /// Writes heads into a folder, beside the model or adapter that they stand on.
    public static func write(_ heads: [Head], to folder: String) throws {
        try makeFolder(folder)
        var (tensors, metadata): ([String: Tensor], [String: String]) = ([:], [:])
        for head in heads {
            tensors[prefix + head.name + ".weight"] = head.weight
            tensors[prefix + head.name + ".bias"] = head.bias
            guard !head.labels.isEmpty else { continue }
            metadata[prefix + head.name + ".labels"] = JSONValue.array(head.labels.map { .string($0) }).text()
        }
        try writeTensors(tensors, to: "\(folder)/\(file)", metadata: metadata)
    }

    /// Whether a folder has heads.
    public static func isIn(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(file)")
    }

    /// Reads the heads of a folder, by name.
    public static func read(_ folder: String) throws -> [Head] {
        let file = try SafetensorsFile(path: "\(folder)/\(Self.file)")
        return try file.tensors.map(\.name).filter { $0.hasPrefix(prefix) && $0.hasSuffix(".weight") }.sorted().map {
            let name = String($0.dropFirst(prefix.count).dropLast(".weight".count))
            let bias = "\(prefix)\(name).bias"
            guard let info = file.info($0), info.shape.count == 2, info.format == .f32,
                let other = file.info(bias), other.shape == [info.shape[0]], other.format == .f32
            else {
                throw TrainingError.mismatch(
                    file: file.path, reason: "the head \(name) has no matrix and bias of one size in F32")
            }
            let labels = file.metadata["\(prefix)\(name).labels"].flatMap { try? JSONValue(parsing: $0).arrayValue }
            let names = labels?.compactMap(\.stringValue) ?? []
            guard names.isEmpty || names.count == info.shape[0] else {
                throw TrainingError.mismatch(
                    file: file.path, reason: "the head \(name) has \(names.count) labels for \(info.shape[0]) outputs")
            }
            return Head(
                name: name, weight: Tensor(try file.floats(of: $0), Shape(info.shape)),
                bias: Tensor(try file.floats(of: bias), Shape(other.shape)), labels: names)
        }
    }
}

extension Policy {
    /// The head of a name.
    /// - Throws: where the model has none.
    public func head(_ name: String) throws -> Head {
        guard let head = heads.first(where: { $0.name == name }) else {
            throw TrainingError.untrainable("it has no head named \(name.debugDescription); add one with NewHeads")
        }
        return head
    }

    /// What a head says about some rows of hidden states: [rows.count, outputs].
    public func outputs(of head: String, hidden: Tensor, rows: [Int32]) throws -> Tensor {
        try self.head(head)(model.normalised(takeRows(hidden, rows)))
    }

    /// What a head says about some places of each text, as numbers, without a gradient: [texts][places][outputs].
    public func outputs(
        of head: String, _ texts: [TokenSequence], places: [[Int]], tokensPerPass: Int = 2048
    ) throws -> [[[Float]]] {
        let width = try self.head(head).outputs
        var found = [[[Float]]](repeating: [], count: texts.count)
        try GradientMode.withoutGradients {
            for pass in passes(Array(texts.indices), tokens: { texts[$0].count }, limit: tokensPerPass) {
                let batch = PackedBatch(pass.map { texts[$0] })
                let rows = pass.enumerated().flatMap { place, text in
                    places[text].map { Int32(batch.sequences.range(place).lowerBound + $0) }
                }
                guard !rows.isEmpty else { continue }
                var values = try outputs(of: head, hidden: hiddenStates(batch), rows: rows).floats()[...]
                for text in pass {
                    found[text] = places[text].map { _ in
                        defer { values = values.dropFirst(width) }
                        return Array(values.prefix(width))
                    }
                }
            }
        }
        return found
    }
}
