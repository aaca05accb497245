import Foundation
import Synchronization

/// Where a run talks to the person at the terminal: lines and one progress line, on the standard error stream, so that the
/// standard output stays data. Safe to use from any thread.
public final class Console: Sendable {
    private struct State {
        var shown: WorkProgress.ID?
        var isLineOpen = false
    }

    /// Writes text as it stands.
    private let write: @Sendable (String) -> Void
    let terminal: Terminal
    let isSilent: Bool
    /// The least time between two redrawings of a progress line.
    let interval: Duration
    private let state = Mutex(State())

    /// - Parameter interval: between two redrawings of a progress line; nil: a tenth of a second on a terminal, ten seconds elsewhere.
    public init(
        terminal: Terminal, isSilent: Bool = false, interval: Duration? = nil,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.terminal = terminal
        self.isSilent = isSilent
        self.interval = interval ?? (terminal.isTerminal ? .milliseconds(100) : .seconds(10))
        self.write = write
    }

    /// The process's standard error stream.
    public static func standardError() -> Console {
        Console(terminal: .standardError) { text in
            FileHandle.standardError.write(Data(text.utf8))
        }
    }

    /// Says nothing.
    public static let silent = Console(terminal: .plain, isSilent: true) { _ in }

    /// Says something in a line.
    public func tell(_ line: String) {
        guard !isSilent else { return }
        state.withLock { state in
            write((state.isLineOpen ? "\r\u{1B}[K" : "") + line + "\n")
            state.isLineOpen = false
        }
    }

    /// Begins a progress line.
    public func progress(_ label: String, total: Int?) -> WorkProgress {
        WorkProgress(label: label, total: total, console: self)
    }

    /// Shows a progress line. One is shown at a time: the one that began first, until it ends.
    func show(_ id: WorkProgress.ID, _ text: String) {
        guard !isSilent else { return }
        state.withLock { state in
            if state.shown == nil { state.shown = id }
            guard state.shown == id else { return }
            if terminal.isTerminal {
                write("\r" + DisplayWidth.cut(text, to: terminal.width - 1) + "\u{1B}[K")
                state.isLineOpen = true
            } else {
                write(text + "\n")
            }
        }
    }

    /// Ends a progress line, leaving its last state to be read.
    func end(_ id: WorkProgress.ID, _ text: String) {
        guard !isSilent else { return }
        state.withLock { state in
            guard state.shown == nil || state.shown == id else { return }
            state.shown = nil
            if terminal.isTerminal {
                write("\r" + DisplayWidth.cut(text, to: terminal.width - 1) + "\u{1B}[K\n")
                state.isLineOpen = false
            } else {
                write(text + "\n")
            }
        }
    }
}
