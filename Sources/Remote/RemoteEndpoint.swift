import Inference
import Text

/// Where a model is served and how it is asked there.
///
/// Plain `http` is allowed to any host, and then prompts and answers cross the network readable. A key is not sent that way
/// except to this machine itself, unless ``sendsKeyOverPlainHTTP`` says so.
public struct RemoteEndpoint: Sendable {
    public var url: EndpointURL
    /// The model's name at the endpoint.
    public var name: String
    public var dialect: Dialect
    public var key: KeySource
    /// Permits a key over plain HTTP to another machine.
    public var sendsKeyOverPlainHTTP = false
    /// Headers added to every request. Their values are never shown.
    public var headers: [(name: String, value: String)] = []
    public var timeouts = RemoteTimeouts()
    public var retries = RetryPolicy()
    /// How many requests may be under way at once; the others wait their turn in order.
    public var concurrency = 32
    /// The folder of the response cache; nil: none. See ``ResponseCache``.
    public var cacheFolder: String?
    /// The longest response taken, in bytes.
    public var maxResponseBytes = 32 << 20
    /// Fields added to the body of every request, over those of this package; null removes a field.
    public var extraBody: [JSONValue.Member] = []
    public var vllmConstraints = VLLMConstraintFields.both
    /// How given text is scored; nil: as the dialect does. Say `echo` for a hosted service that gives log-probabilities of an
    /// echoed prompt.
    public var scoring: PromptScoring?
    /// The longest sequence in tokens, where known.
    public var contextLength: Int?

    public init(url: EndpointURL, name: String, dialect: Dialect = .auto, key: KeySource = .environment) {
        self.url = url
        self.name = name
        self.dialect = dialect
        self.key = key
    }

    var traits: DialectTraits { DialectTraits(dialect.resolved(for: url)) }
    var promptScoring: PromptScoring { scoring ?? traits.scoring }

    /// What this endpoint's model can be asked for.
    public var capabilities: Capabilities {
        var capabilities: Capabilities = [.completion, .rawText, .logProbs, .constraints, .tools]
        if promptScoring != .none { capabilities.insert(.scoring) }
        return capabilities
    }

    /// - Throws: ``RemoteError`` naming the setting that can't be used.
    func validate() throws {
        func require(_ isRight: Bool, _ problem: @autoclosure () -> String) throws {
            if !isRight { throw RemoteError(.invalidEndpoint(problem())) }
        }
        try require(!name.isEmpty, "The endpoint \(url) needs a model's name, as in openai:NAME@\(url).")
        try require(name.utf8.count <= 512, "The model's name is \(name.utf8.count) bytes long; 512 is the limit.")
        try require(concurrency >= 1, "concurrency is \(concurrency); at least 1 is needed.")
        try require(maxResponseBytes >= 1024, "maxResponseBytes is \(maxResponseBytes); at least 1024 is needed.")
        try require(retries.maxRetries >= 0, "maxRetries is \(retries.maxRetries); at least 0 is needed.")
        let durations = [
            ("connect", timeouts.connect), ("firstByte", timeouts.firstByte), ("betweenBytes", timeouts.betweenBytes),
            ("total", timeouts.total),
        ]
        for (field, duration) in durations {
            try require(duration > .zero, "The time-out \(field) is \(duration); it must be positive.")
        }
        for header in headers {
            let isToken = header.name.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                    || "-_.!#$%&'*+^`|~".utf8.contains(byte)
            }
            try require(isToken && !header.name.isEmpty, "A header's name holds characters that no header may.")
            try require(
                header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 },
                "The value of the header '\(header.name)' holds control characters.")
        }
    }
}

/// How long each part of a call may take.
public struct RemoteTimeouts: Sendable, Hashable {
    /// Until the connection stands.
    public var connect: Duration = .seconds(10)
    /// From sending a request to the first byte of the answer's body. Without streaming that is the whole generation.
    public var firstByte: Duration = .seconds(600)
    /// Between two pieces of an answer.
    public var betweenBytes: Duration = .seconds(120)
    /// The whole call with all its retries, counted from when its turn came.
    public var total: Duration = .seconds(1800)

    public init() {}
}
