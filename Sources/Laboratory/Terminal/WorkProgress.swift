import Foundation
import Synchronization

/// One piece of long work on its way: a label, how far, how fast, how long still. Safe to advance from any thread.
public final class WorkProgress: Sendable {
    typealias ID = UUID

    private struct State {
        var done = 0
        /// Items that were done before the line began: of an earlier run.
        var earlier = 0
        var lastShown: ContinuousClock.Instant?
        var note = ""
        var isFinished = false
    }

    let id = ID()
    private let label: String
    private let total: Int?
    private let console: Console
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    public init(label: String, total: Int?, console: Console) {
        self.label = label
        self.total = total
        self.console = console
    }

    /// Counts items as done that this line hasn't seen being done, nor its pace.
    public func skip(_ count: Int) {
        update {
            $0.done += count
            $0.earlier += count
        }
    }

    /// Counts `count` more items as done.
    public func advance(by count: Int = 1) { update { $0.done += count } }

    /// Shows a short text beside the numbers, as the loss of a step.
    public func note(_ text: String) { update { $0.note = text } }

    /// Ends the line. Further calls do nothing.
    public func finish() {
        let text: String? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.isFinished = true
            return line(state, isLast: true)
        }
        if let text { console.end(id, text) }
    }

    deinit { finish() }

    /// Redraws as often as the console likes.
    private func update(_ change: (inout State) -> Void) {
        guard !console.isSilent else { return }
        let text: String? = state.withLock { state in
            change(&state)
            guard !state.isFinished else { return nil }
            let now = ContinuousClock.now
            if now - (state.lastShown ?? start) < console.interval,
                console.terminal.isTerminal == false || state.lastShown != nil
            {
                return nil
            }
            state.lastShown = now
            return line(state, isLast: false)
        }
        if let text { console.show(id, text) }
    }

    private func line(_ state: State, isLast: Bool) -> String {
        let seconds = (ContinuousClock.now - start).seconds
        return Self.line(
            label: label, done: state.done, earlier: state.earlier, total: total, seconds: seconds, note: state.note,
            isLast: isLast)
    }

    /// The line as text: `profile heads  12/30 ▕████░░░░░░▏ 40 %  3.1/s  6 s left`.
    package static func line(
        label: String, done: Int, earlier: Int = 0, total: Int?, seconds: Double, note: String = "",
        isLast: Bool = false
    ) -> String {
        let rate = seconds > 0 ? Double(done - earlier) / seconds : 0
        var parts = [label]
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            let filled = Int((share * 12).rounded(.down))
            parts.append("\(done)/\(total)")
            if !isLast {
                let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 12 - filled)
                parts.append("▕\(bar)▏ \(Int(share * 100)) %")
            }
        } else {
            parts.append("\(done)")
        }
        if done > earlier { parts.append("\(NumberText.short(rate))/s") }
        if isLast {
            parts.append(seconds < 10 ? NumberText.fixed(seconds, 1) + " s" : Duration.short(seconds: seconds))
        } else if let total, done > 0, done < total, rate > 0 {
            parts.append(Duration.short(seconds: Double(total - done) / rate) + " left")
        }
        if !note.isEmpty { parts.append(note) }
        return parts.joined(separator: "  ")
    }
}
