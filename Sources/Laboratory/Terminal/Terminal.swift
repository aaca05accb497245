import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a stream of this process can show.
public struct Terminal: Sendable, Hashable {
    public var isTerminal: Bool
    /// Columns; 80 where the stream is no terminal and `$COLUMNS` says nothing.
    public var width: Int
    /// Whether colours may be written: a terminal that isn't `dumb`, and `$NO_COLOR` is not set.
    public var hasColour: Bool

    public init(isTerminal: Bool, width: Int, hasColour: Bool) {
        self.isTerminal = isTerminal
        self.width = width
        self.hasColour = hasColour
    }

    /// No terminal: 100 columns of plain text.
    public static let plain = Terminal(isTerminal: false, width: 100, hasColour: false)

    public static var standardOutput: Terminal { Terminal(descriptor: STDOUT_FILENO) }
    public static var standardError: Terminal { Terminal(descriptor: STDERR_FILENO) }

    private init(descriptor: Int32) {
        let environment = ProcessInfo.processInfo.environment
        isTerminal = isatty(descriptor) == 1
        var size = winsize()
        let columns = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
        let fallback = environment["COLUMNS"].flatMap { Int($0) } ?? (isTerminal ? 80 : 100)
        width = max(40, min(columns > 0 ? columns : fallback, 1_000))
        hasColour = isTerminal && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
    }
}

/// The few text styles that reports use.
enum TextStyle: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"

    func apply(_ text: String, _ terminal: Terminal) -> String {
        terminal.hasColour && !text.isEmpty ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}
