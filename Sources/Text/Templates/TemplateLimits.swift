/// What a template may cost. Templates arrive inside model files, so they are treated as hostile.
public struct TemplateLimits: Sendable, Hashable {
    /// The longest template source, in bytes.
    public var sourceBytes = 1 << 20
    /// How deep blocks and brackets may nest. Reading one level takes some 5 KB of stack.
    public var nesting = 64
    /// How many operations, calls and filters may follow one another in an expression.
    public var chain = 200
    /// Evaluations of expressions and statements in one rendering, before what the conversation's size adds.
    public var steps = 2_000_000
    /// Bytes of text and values built in one rendering, before what the conversation's size adds.
    public var bytes = 16 << 20
    /// The most elements of one `range`.
    public var range = 100_000

    public init() {}
}

/// Counts what one rendering costs and stops it at its limits.
final class TemplateMeter {
    /// Bytes that one element of a list or dictionary is counted as.
    static let elementBytes = 32

    let limits: TemplateLimits
    private var stepsLeft: Int
    private var bytesLeft: Int

    /// - Parameter inputBytes: the size of the template and the conversation. Long conversations may cost more: every
    ///   byte allows 64 more bytes built and 16 more steps.
    init(limits: TemplateLimits, inputBytes: Int) {
        self.limits = limits
        stepsLeft = limits.steps &+ 16 &* inputBytes
        bytesLeft = limits.bytes &+ 64 &* inputBytes
    }

    @inline(__always)
    func step() throws {
        stepsLeft &-= 1
        if stepsLeft < 0 { throw stepsExceeded }
    }

    func steps(_ count: Int) throws {
        stepsLeft -= min(count, stepsLeft + 1)
        if stepsLeft < 0 { throw stepsExceeded }
    }

    /// Accounts for bytes before they are allocated.
    @inline(__always)
    func charge(_ count: Int) throws {
        if count > bytesLeft { throw bytesExceeded }
        bytesLeft &-= count
    }

    /// Accounts for `count` pieces of `size` bytes each.
    func charge(_ count: Int, times size: Int) throws {
        let (product, overflow) = count.multipliedReportingOverflow(by: size)
        if overflow { throw bytesExceeded }
        try charge(max(product, 0))
    }

    /// Accounts for the elements of a new list or dictionary.
    func charge(elements count: Int) throws { try charge(count, times: Self.elementBytes) }

    private var stepsExceeded: TemplateFault {
        .limit("rendering takes more than \(limits.steps) steps; the template may loop without end")
    }

    private var bytesExceeded: TemplateFault {
        .limit("rendering builds more than \(limits.bytes) bytes of text and values")
    }
}
