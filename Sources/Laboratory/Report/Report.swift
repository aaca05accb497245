import Text

/// What a run has to say: an ordered list of blocks that every renderer knows how to show.
public struct Report: Sendable, Hashable {
    public var title: String
    /// The finding in one or two sentences, for a reader who stops there.
    public var summary: String
    public var blocks: [Block]
    /// What ran; set by the laboratory.
    public var run: RunSummary?
    /// What a demo concluded; set by the laboratory.
    public var verdict: Verdict?

    public init(_ title: String, summary: String = "") {
        self.title = title
        self.summary = summary
        blocks = []
    }

    /// One part of a report.
    public enum Block: Sendable, Hashable {
        /// A heading over what follows.
        case section(String)
        /// A paragraph. Plain text.
        case note(String)
        case metrics([Metric])
        case comparison(Comparison)
        case table(Table)
        case plot(Plot)
        case samples([SampleTrace])
    }

    public mutating func section(_ heading: String) { blocks.append(.section(heading)) }
    public mutating func note(_ text: String) { blocks.append(.note(text)) }
    public mutating func add(_ metrics: [Metric]) { if !metrics.isEmpty { blocks.append(.metrics(metrics)) } }
    public mutating func add(_ comparison: Comparison) { blocks.append(.comparison(comparison)) }
    public mutating func add(_ table: Table) { blocks.append(.table(table)) }
    public mutating func add(_ plot: Plot) { blocks.append(.plot(plot)) }
    public mutating func add(_ samples: [SampleTrace]) { if !samples.isEmpty { blocks.append(.samples(samples)) } }

    /// All metrics of the report, those of comparisons included: what the run store keeps.
    public var metrics: [Metric] {
        blocks.flatMap { block -> [Metric] in
            switch block {
            case .metrics(let metrics): metrics
            case .comparison(let comparison): comparison.metrics
            default: []
            }
        }
    }
}

/// What ran, as a report's header shows it.
public struct RunSummary: Sendable, Hashable, Codable {
    public var id: String
    public var slug: String
    public var model: String
    public var modelReference: String
    public var fingerprint: String
    public var options: JSONValue
    public var data: String?
    public var seed: UInt64
    /// Seconds since 1970.
    public var started: Double
    public var seconds: Double
    public var version: String

    public init(
        id: String, slug: String, model: String, modelReference: String, fingerprint: String, options: JSONValue,
        data: String?, seed: UInt64, started: Double, seconds: Double, version: String
    ) {
        self.id = id
        self.slug = slug
        self.model = model
        self.modelReference = modelReference
        self.fingerprint = fingerprint
        self.options = options
        self.data = data
        self.seed = seed
        self.started = started
        self.seconds = seconds
        self.version = version
    }
}
