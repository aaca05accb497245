import Foundation
import Models
import Tensors

extension Trainer {
    /// Scores all texts by the model before training, or reads what an earlier run with the same model and texts found.
    /// - Returns: false: a stop was requested before the end.
    func prepareReference(_ stop: TrainingStop, _ onEvent: (TrainingEvent) throws -> Void) throws -> Bool {
        // Samples that are made as the run goes hold their own scores.
        guard objective.usesReference, source == nil, referenceSums.isEmpty else { return true }
        let all = samples + heldOut
        let counts = all.map { objective.texts(of: $0).count }
        let key = "\(modelKey) \(textsKey)"
        var sums =
            try ranks.isFirst
            ? checkpoints.flatMap { try Self.storedReference($0.reference, key: key, counts: counts) } : nil
        sums = try ranks.fromFirst(sums)
        if sums == nil {
            guard let found = try scoreReference(all, stop, onEvent) else { return false }
            if let checkpoints, ranks.isFirst {
                try writeTensors(
                    ["sums": Tensor(found.flatMap { $0 })], to: checkpoints.reference, metadata: ["key": key])
            }
            sums = found
        }
        referenceSums = Array((sums ?? []).prefix(samples.count))
        heldOutReferenceSums = Array((sums ?? []).dropFirst(samples.count))
        return true
    }

    /// Scores each text once, however many samples have it. nil: a stop was requested before the end.
    private func scoreReference(
        _ all: [Training.Sample], _ stop: TrainingStop, _ onEvent: (TrainingEvent) throws -> Void
    ) throws -> [[Float]]? {
        let texts = all.map { objective.texts(of: $0) }
        var places: [TokenSequence: Int] = [:]
        var distinct: [TokenSequence] = []
        for text in texts.joined() where places[text] == nil {
            places[text] = distinct.count
            distinct.append(text)
        }
        var sums = [Double](repeating: 0, count: distinct.count)
        let policy = Policy(model)
        let own = cut(Array(distinct.indices), tokens: { distinct[$0].count }, whole: false)
        let total = own.reduce(0) { $0 + $1.samples.count }
        var done = 0
        for pass in own {
            if stop.isRequested { break }
            let found = GradientMode.withoutGradients {
                policy.logProbabilities(pass.samples.map { distinct[$0] }).sums.floats()
            }
            for (text, sum) in zip(pass.samples, found) { sums[text] = Double(sum) }
            done += pass.samples.count
            try onEvent(.scoringReference(done: done, of: total))
        }
        // Every rank comes here, whether it was stopped or not.
        guard try !ranks.any(done < total) else { return nil }
        // Each text is one rank's.
        sums = try ranks.sum(sums)
        return texts.map { $0.map { text in places[text].map { Float(sums[$0]) } ?? 0 } }
    }

    private static func storedReference(_ path: String, key: String, counts: [Int]) throws -> [[Float]]? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let file = try SafetensorsFile(path: path)
        guard file.metadata["key"] == key, file.info("sums")?.elementCount == counts.reduce(0, +) else { return nil }
        var values = try file.floats(of: "sums")[...]
        return counts.map { count in
            defer { values = values.dropFirst(count) }
            return Array(values.prefix(count))
        }
    }
}
