import Inference

/// The families that the methods are sorted into, in the order in which they are listed.
public enum Family: String, Sendable, Hashable, Codable, CaseIterable {
    case reasoning, decoding, selftrain, agents, alignment, honesty, security, unlearning, privacy, efficiency
    case serving, multimodal, formal, evaluation

    /// The heading of lists and pages.
    public var title: String {
        switch self {
        case .selftrain: "Self-training"
        default: rawValue.prefix(1).uppercased() + rawValue.dropFirst()
        }
    }
}

/// What sort of thing a method is. Many are several at once.
public enum MethodKind: String, Sendable, Hashable, Codable, CaseIterable {
    case inference, training, data, evaluation, attack, defence, serving, survey

    public var title: String { self == .inference ? "inference-time" : rawValue }
}

/// Where a method comes from.
public struct Paper: Sendable, Hashable, Codable {
    public var title: String
    /// The authors as they are cited: `Zhang et al.`
    public var authors: String
    public var year: Int
    /// The arXiv identifier, `2409.10790`; nil where there is none.
    public var arXiv: String?

    public init(_ title: String, _ authors: String, _ year: Int, arXiv: String? = nil) {
        self.title = title
        self.authors = authors
        self.year = year
        self.arXiv = arXiv
    }

    /// `Zhang et al. (2024), Model Tells Itself Where to Attend. arXiv:2409.10790`.
    public var citation: String { "\(authors) (\(year)). \(title)." + (arXiv.map { " arXiv:\($0)" } ?? "") }
    public var address: String? { arXiv.map { "https://arxiv.org/abs/\($0)" } }
}

/// What a method is, before any of it runs: the catalogue, the help texts, the reports and the pages are made from cards.
public struct MethodCard: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable, Codable {
        /// Runs.
        case ready
        /// Stands in the catalogue and is not built yet.
        case planned
    }

    /// The name that commands take: `autopasta`.
    public var slug: String
    public var family: Family
    /// The method's own name: `AutoPASTA`.
    public var name: String
    public var kinds: [MethodKind]
    /// What it does and when to reach for it, in one line.
    public var summary: String
    public var paper: Paper
    /// What the subject model must be able to do.
    public var needs: Capabilities
    /// What data `run` takes, field by field; empty where it takes none.
    public var data: String
    /// The paper's claim that the demo puts to the test; empty while the method is planned.
    public var claim: String
    public var status: Status

    public init(
        _ slug: String, _ family: Family, name: String, _ kinds: [MethodKind], _ summary: String, paper: Paper,
        needs: Capabilities = .completion, data: String = "", claim: String = "", status: Status = .ready
    ) {
        self.slug = slug
        self.family = family
        self.name = name
        self.kinds = kinds
        self.summary = summary
        self.paper = paper
        self.needs = needs
        self.data = data
        self.claim = claim
        self.status = status
    }
}
