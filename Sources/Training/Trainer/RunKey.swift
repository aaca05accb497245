import Foundation
import Models

/// Fingerprints of what decides a run's numbers, each by itself, so that a refusal can say what has changed.
struct RunKey: Codable, Hashable {
    private let model: String
    private let data: String
    private let objective: String
    private let optimisation: String
    private let settings: String

    init(model: String, data: String, objective: String, optimisation: String, settings: TrainerSettings) {
        func fingerprint(_ bytes: some Sequence<UInt8>) -> String {
            var hash = Fingerprint()
            hash.add(bytes)
            return hash.hexadecimal
        }
        var decisive = TrainerSettings()
        // What is kept, how passes are cut and when held-out samples are looked at may change between a run and its continuation.
        decisive.samplesPerStep = settings.samplesPerStep
        decisive.epochs = settings.epochs
        decisive.steps = settings.steps
        decisive.seed = settings.seed
        decisive.shuffles = settings.shuffles
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        self.model = fingerprint(model.utf8)
        self.data = fingerprint(data.utf8)
        self.objective = fingerprint(objective.utf8)
        self.optimisation = fingerprint(optimisation.utf8)
        self.settings = fingerprint((try? encoder.encode(decisive)) ?? Data())
    }

    init?(text: String) {
        guard let key = try? JSONDecoder().decode(RunKey.self, from: Data(text.utf8)) else { return nil }
        self = key
    }

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The parts in which the other run is another, in words.
    func differences(from other: RunKey) -> [String] {
        [
            ("model or form of training", model != other.model), ("data", data != other.data),
            ("objective", objective != other.objective),
            ("optimiser, rate or schedule", optimisation != other.optimisation),
            ("steps, batch or seed", settings != other.settings),
        ].filter(\.1).map(\.0)
    }
}

extension Fingerprint {
    mutating func add(_ text: TokenSequence) {
        add(UInt64(text.count))
        for (token, weight) in zip(text.tokens, text.weights) {
            add(UInt64(UInt32(bitPattern: token)) << 32 | UInt64(weight.bitPattern))
        }
    }

    /// Everything that a sample is made of: its texts, and numbers, words and cases beside them.
    mutating func add(valuesOf value: Any) {
        switch value {
        case let text as TokenSequence: add(text)
        case let number as Double: add(number.bitPattern)
        case let number as Float: add(UInt64(number.bitPattern))
        case let number as any BinaryInteger: add(UInt64(truncatingIfNeeded: number))
        case let words as String: add(words.utf8)
        case let numbers as [Float]:
            add(UInt64(numbers.count))
            for number in numbers { add(UInt64(number.bitPattern)) }
        default:
            let mirror = Mirror(reflecting: value)
            // Entries of sets and dictionaries come in another order in every process.
            if mirror.displayStyle == .set || mirror.displayStyle == .dictionary {
                return add(mirror.children.map { "\($0.value)" }.sorted().joined(separator: "\n").utf8)
            }
            if mirror.children.isEmpty { return add("\(value)".utf8) }
            add(UInt64(mirror.children.count))
            for (label, child) in mirror.children {
                add((label ?? "").utf8)
                add(valuesOf: child)
            }
        }
    }
}
