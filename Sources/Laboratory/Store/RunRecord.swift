import Text

/// How a run stands.
public enum RunStatus: String, Sendable, Hashable, Codable, CaseIterable {
    case running, finished, failed
    /// Ended before its time, by Ctrl-C or because its process is gone; what it had is kept.
    case interrupted
}

/// One run as the store keeps it.
public struct RunRecord: Sendable, Hashable, Codable {
    public var id: String
    public var slug: String
    /// `run`, `demo` or `train`.
    public var kind: String
    public var model: String
    public var modelReference: String
    public var fingerprint: String
    public var options: JSONValue
    public var data: String?
    public var dataHash: String?
    public var seed: UInt64
    public var version: String
    public var status: RunStatus
    /// Seconds since 1970.
    public var started: Double
    public var ended: Double?
    /// Why it failed.
    public var error: String?

    public var seconds: Double? { ended.map { $0 - started } }
}

/// What the store keeps of a run from its beginning.
public struct RunEntry: Sendable, Hashable {
    public var slug: String
    /// `run`, `demo` or `train`.
    public var kind: String
    public var model: String
    public var modelReference: String
    public var fingerprint: String
    public var options: JSONValue
    public var data: String?
    public var dataHash: String?
    public var seed: UInt64

    public init(
        slug: String, kind: String, model: String, modelReference: String, fingerprint: String, options: JSONValue,
        data: String? = nil, dataHash: String? = nil, seed: UInt64
    ) {
        self.slug = slug
        self.kind = kind
        self.model = model
        self.modelReference = modelReference
        self.fingerprint = fingerprint
        self.options = options
        self.data = data
        self.dataHash = dataHash
        self.seed = seed
    }
}

/// A file that a run left.
public struct Artifact: Sendable, Hashable, Codable {
    /// What it is: `adapter`, `head profile`, `report`.
    public var kind: String
    public var path: String

    public init(kind: String, path: String) {
        self.kind = kind
        self.path = path
    }
}

/// How long a phase of a run took.
public struct Timing: Sendable, Hashable, Codable {
    public var phase: String
    public var seconds: Double

    public init(phase: String, seconds: Double) {
        self.phase = phase
        self.seconds = seconds
    }
}
