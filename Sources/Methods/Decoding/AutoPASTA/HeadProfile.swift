import Foundation
import Inference
import Laboratory
import Text

/// Which heads of one model to steer, and how that was found: a file that can be used again with the same model.
struct HeadProfile: Sendable, Hashable, Codable {
    /// The fingerprint of the model's weights. The profile is of no use to another model.
    var fingerprint: String
    var model: String
    var layers: Int
    var heads: Int
    var alpha: Double
    var scalePosition: ScalePosition
    var protectsFirstToken: Bool
    /// What the profiling items were, in words.
    var task: String
    var items: Int
    /// What a score is, in words.
    var metric: String
    /// The score without steering.
    var unsteered: Double
    /// One score a layer.
    var coarse: [Double]
    var fine: [HeadProfiler.Scored]
    var candidates: [HeadProfiler.Scored]
    var selected: [Head]

    static let largestFile = 4 << 20

    /// Reads a profile and checks that it belongs to the model.
    init(path: String, fingerprint: String, architecture: ArchitectureSummary) throws(HeadProfileError) {
        self = try Self(path: path)
        guard self.fingerprint == fingerprint else {
            throw .otherModel(path: path, model: model, profile: self.fingerprint, subject: fingerprint)
        }
        for head in selected
        where !(0..<architecture.layers).contains(head.layer) || !(0..<architecture.heads).contains(head.head) {
            throw .malformed(path: path, "selected holds the head \(head), which the model doesn't have.")
        }
    }

    private init(path: String) throws(HeadProfileError) {
        let handle: FileHandle
        let data: Data
        do {
            handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: Self.largestFile + 1) ?? Data()
        } catch {
            throw .unreadable(path: path)
        }
        guard data.count <= Self.largestFile else {
            throw .malformed(path: path, "the file is larger than \(Self.largestFile >> 20) MiB.")
        }
        do {
            self = try JSONValueDecoder.decode(Self.self, from: JSONValue(parsing: Array(data)))
        } catch let DecodingError.keyNotFound(key, _) {
            throw .malformed(path: path, "the field \(key.stringValue.debugDescription) is missing.")
        } catch let DecodingError.typeMismatch(_, context) {
            let field = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw .malformed(path: path, "the field \(field.debugDescription) \(context.debugDescription).")
        } catch {
            throw .malformed(path: path, "\(error)")
        }
        guard !selected.isEmpty else { throw .malformed(path: path, "selected has no heads.") }
    }

    init(
        _ result: HeadProfiler.Result, unsteered: Double, model: any OpenModel, steering: AttentionSteering,
        task: String, items: Int, metric: String
    ) {
        let identity = model.identity
        fingerprint = identity.fingerprint
        self.model = identity.name
        layers = model.architecture.layers
        heads = model.architecture.heads
        alpha = steering.alpha
        scalePosition = steering.position
        protectsFirstToken = steering.protectsFirstToken
        self.task = task
        self.items = items
        self.metric = metric
        self.unsteered = unsteered
        coarse = result.coarse
        fine = result.fine
        candidates = result.candidates
        selected = result.selected
    }

    /// Writes the profile beside its place and moves it there.
    func write(to file: URL) throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(JSONValueEncoder.encode(self).utf8(.pretty)).write(to: file, options: .atomic)
    }

    /// The layer whose steering alone scores best.
    var bestLayer: Int { coarse.indices.max { coarse[$0] < coarse[$1] } ?? 0 }

    /// The middle score of all layers.
    var medianLayerScore: Double {
        let sorted = coarse.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// Why a head profile can't be used.
public enum HeadProfileError: Error, Hashable, CustomStringConvertible {
    case unreadable(path: String)
    case malformed(path: String, String)
    case otherModel(path: String, model: String, profile: String, subject: String)

    public var description: String {
        switch self {
        case .unreadable(let path): "The head profile \(path) can't be read."
        case .malformed(let path, let sentence): "The head profile \(path) is malformed: \(sentence)"
        case .otherModel(let path, let model, let profile, let subject):
            "The head profile \(path) was made for \(model) (\(profile)), not for this model (\(subject)). "
                + "Leave --profile out to profile this model."
        }
    }
}
