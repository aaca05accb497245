import Synchronization
import Training

/// The progress line of a training run, and its notable events in lines above. Used from the thread that trains.
public final class TrainingProgress: Sendable {
    private let label: String
    private let console: Console
    private let line = Mutex<WorkProgress?>(nil)

    public init(_ label: String = "Training", on console: Console) {
        self.label = label
        self.console = console
    }

    public func show(_ event: TrainingEvent) {
        switch event {
        case .joined(_, let ranks, let threads):
            console.tell("\(ranks) ranks, \(threads) \(threads == 1 ? "thread" : "threads") each.")
        case .scoringReference(let done, let total):
            open("Scoring before training", total: total).advance()
            if done == total { close() }
        case .resumed(let step, _):
            console.tell("Going on after step \(step).")
        case .step(let report):
            let line = open(label, total: report.totalSteps, done: report.step - 1)
            let reward = report.figures["reward"].map { "reward \(NumberStyle.decimals(3).text($0)), " } ?? ""
            line.note(
                reward + "loss \(NumberStyle.decimals(4).text(report.loss)), "
                    + "\(NumberStyle.decimals(0).text(report.tokensPerSecond)) tokens/s")
            line.advance()
            if report.step == report.totalSteps { close() }
        case .evaluated(let report):
            console.tell(
                "Step \(report.step): held-out loss \(NumberStyle.decimals(4).text(report.loss))"
                    + (report.isBest ? ", the best so far" : ""))
        case .checkpointed:
            break
        case .finished:
            close()
        }
    }

    private func open(_ label: String, total: Int, done: Int = 0) -> WorkProgress {
        line.withLock { line in
            if let line { return line }
            let fresh = console.progress(label, total: total)
            fresh.advance(by: done)
            line = fresh
            return fresh
        }
    }

    private func close() {
        line.withLock { line in
            line?.finish()
            line = nil
        }
    }
}
