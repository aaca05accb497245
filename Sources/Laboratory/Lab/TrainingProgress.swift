import Synchronization
import Training

/// The progress line of a training run, and its notable events in lines above. Used from the thread that trains.
public final class TrainingProgress: Sendable {
    private let label: String
    private let console: Console
    private let line = Mutex<(work: WorkProgress, shown: Int)?>(nil)

    public init(_ label: String = "Training", on console: Console) {
        self.label = label
        self.console = console
    }

    public func show(_ event: TrainingEvent) {
        switch event {
        case .joined(_, let ranks, let threads):
            console.tell("\(ranks) ranks, \(threads) \(threads == 1 ? "thread" : "threads") each.")
        case .scoringReference(let done, let total):
            show("Scoring before training", done: done, of: total)
        case .resumed(let step, _):
            console.tell("Going on after step \(step).")
        case .began(let step, let total):
            if step < total { open(label, total: total, after: step) }
        case .step(let report):
            let reward = report.figures["reward"].map { "reward \(NumberStyle.decimals(3).text($0)), " } ?? ""
            show(
                label, done: report.step, of: report.totalSteps,
                note: reward + "loss \(NumberStyle.decimals(4).text(report.loss)), "
                    + "\(NumberStyle.decimals(0).text(report.tokensPerSecond)) tokens/s")
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

    private func open(_ label: String, total: Int, after done: Int = 0) {
        let fresh = console.progress(label, total: total)
        if done > 0 { fresh.skip(done) }
        line.withLock { line in
            line?.work.finish()
            line = (fresh, done)
        }
    }

    private func show(_ label: String, done: Int, of total: Int, note: String? = nil) {
        if line.withLock({ $0 == nil }) { open(label, total: total, after: note == nil ? 0 : done - 1) }
        line.withLock { line in
            guard let (work, shown) = line else { return }
            if let note { work.note(note) }
            work.advance(by: done - shown)
            line = (work, done)
        }
        if done == total { close() }
    }

    private func close() {
        line.withLock { line in
            line?.work.finish()
            line = nil
        }
    }
}
