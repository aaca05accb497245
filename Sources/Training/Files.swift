import Foundation
import Models
import Tensors
import Text

/// Makes a folder and those above it.
func makeFolder(_ path: String) throws {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw TrainingError.unwritable(file: path, reason: "the folder can't be made: \(error.localizedDescription)")
    }
}

/// Writes a file beside its place and renames it there, so that it is whole or not there.
func writeFile(_ bytes: [UInt8], to path: String) throws {
    do {
        try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
        throw TrainingError.unwritable(file: path, reason: "can't be written: \(error.localizedDescription)")
    }
}

/// Reads a JSON document.
func readJSONFile(_ path: String) throws -> JSONValue {
    let file = try MappedFile(path: path)
    do {
        return try file.withUnsafeBytes { bytes throws(JSONError) in try JSONValue(parsing: bytes) }
    } catch {
        throw TrainingError.mismatch(file: path, reason: "is not JSON: \(error)")
    }
}

/// Writes f32 tensors into one safetensors file, by name.
func writeTensors(
    _ tensors: [String: Tensor], to path: String, metadata: [String: String] = ["format": "pt"]
) throws {
    let declarations = tensors.sorted { $0.key < $1.key }.map {
        TensorDeclaration(name: $0.key, format: .f32, shape: $0.value.shape.dimensions)
    }
    try SafetensorsWriter(declarations, metadata: metadata).write(to: path) { declaration, sink in
        guard let tensor = tensors[declaration.name]?.detached().contiguous() else { return }
        try tensor.withBytes { bytes throws(WeightFileError) in try sink.write(bytes) }
    }
}
