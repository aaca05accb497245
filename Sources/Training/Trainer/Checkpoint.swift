import Foundation
import Models
import Tensors
import Text

/// All that a run needs to go on as if it had never stopped, in one safetensors file: parameters, the optimiser's state, the step (from
/// which the data order and all random numbers follow) and the curves so far. A file is written beside its place, brought to the
/// disk and renamed, so a checkpoint is whole or not there.
struct Checkpoint: Codable {
    var step: Int
    var history: TrainingHistory
    /// Evaluations in a row without a new best.
    var evaluationsWithoutBest: Int

    private static let parameterPrefix = "parameter/"
    private static let statePrefix = "state/"

    /// What the checkpoint belongs to; another run's is refused.
    let runKey: RunKey

    func write(
        parameters: [Parameter], states: [String: ParameterState], to path: String
    ) throws {
        var tensors: [String: Tensor] = [:]
        for parameter in parameters { tensors[Self.parameterPrefix + parameter.name] = parameter.tensor }
        for (name, state) in states {
            for (part, tensor) in state.tensors { tensors["\(Self.statePrefix)\(name)/\(part)"] = tensor }
        }
        let history = try JSONEncoder().encode(self.history)
        try writeTensors(
            tensors, to: path,
            metadata: [
                "step": String(step), "run": runKey.text, "history": String(decoding: history, as: UTF8.self),
                "evaluationsWithoutBest": String(evaluationsWithoutBest),
            ])
    }

    /// Reads a checkpoint's header, fills the parameters in place and gives the optimiser's state.
    static func read(
        _ path: String, runKey: RunKey, parameters: [Parameter]
    ) throws -> (checkpoint: Checkpoint, states: [String: ParameterState]) {
        let file = try SafetensorsFile(path: path)
        let stored = file.metadata["run"].flatMap { RunKey(text: $0) }
        guard stored == runKey else {
            let found = stored.map { runKey.differences(from: $0).joined(separator: "; another ") }
            throw TrainingError.mismatch(
                file: path,
                reason:
                    "belongs to a run with another \(found ?? "model, data, objective or settings"); choose another "
                    + "output folder, or remove the checkpoints in this one to begin anew")
        }
        guard let step = file.metadata["step"].flatMap({ Int($0) }), let text = file.metadata["history"],
            let history = try? JSONDecoder().decode(TrainingHistory.self, from: Data(text.utf8)),
            let waited = file.metadata["evaluationsWithoutBest"].flatMap({ Int($0) })
        else { throw TrainingError.mismatch(file: path, reason: "its header lacks the step or the curves") }
        try fill(parameters, from: file, prefix: parameterPrefix)
        var states: [String: ParameterState] = [:]
        for info in file.tensors where info.name.hasPrefix(statePrefix) {
            let rest = info.name.dropFirst(statePrefix.count)
            guard let slash = rest.lastIndex(of: "/") else { continue }
            let tensor = Tensor(unfilled: Shape(info.shape))
            try copy(file, info.name, to: tensor)
            states[String(rest[..<slash]), default: ParameterState()].tensors[
                String(rest[rest.index(after: slash)...])] =
                tensor
        }
        return (
            Checkpoint(step: step, history: history, evaluationsWithoutBest: waited, runKey: runKey), states
        )
    }

    /// Overwrites parameters with the numbers of a file.
    static func fill(_ parameters: [Parameter], from file: SafetensorsFile, prefix: String = "") throws {
        for parameter in parameters {
            guard let info = file.info(prefix + parameter.name), info.format == .f32,
                info.shape == parameter.tensor.shape.dimensions
            else {
                throw TrainingError.mismatch(
                    file: file.path, reason: "has no \(parameter.name) of the shape \(parameter.tensor.shape) in F32")
            }
            try copy(file, info.name, to: parameter.tensor.detached())
        }
    }

    private static func copy(_ file: SafetensorsFile, _ name: String, to tensor: Tensor) throws {
        try file.withBytes(of: name) { bytes in
            tensor.withMutableBytes { $0.copyMemory(from: bytes) }
        }
    }
}

/// The checkpoints of one run in a folder.
struct CheckpointFolder {
    let path: String
    let kept: Int

    func file(step: Int) -> String {
        let digits = String(step)
        return "\(path)/checkpoint-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).safetensors"
    }

    var best: String { path + "/best.safetensors" }
    var reference: String { path + "/reference.safetensors" }

    /// The files of checkpoints, the latest first.
    var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasPrefix("checkpoint-") && $0.hasSuffix(".safetensors") }.sorted(by: >)
            .map { path + "/" + $0 }
    }

    /// Removes all checkpoints but the latest ones, and what a killed run left half-written.
    func prune() {
        for file in files.dropFirst(kept) { try? FileManager.default.removeItem(atPath: file) }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where name.contains(".safetensors.partial-") {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }
}
