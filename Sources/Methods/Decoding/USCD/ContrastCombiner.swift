import Inference
import Synchronization
import Text

/// Selective contrast while decoding: the standard prompt leads, the lame one is its companion in lock-step, and every chosen
/// token is appended to both. Keeps a log of the steps. One combiner serves one request.
package final class ContrastCombiner: LogitCombiner {
    private let rule: SelectiveContrast
    private let log = Mutex<[SelectiveContrast.Step]>([])

    package init(_ rule: SelectiveContrast) { self.rule = rule }

    /// What was decided so far, one entry a chosen token (the token that ended the text included).
    package var steps: [SelectiveContrast.Step] { log.withLock { $0 } }

    package func combine(
        main: UnsafeMutableBufferPointer<Float>, companions: [UnsafeBufferPointer<Float>], generated: [TokenID]
    ) {
        guard let lame = companions.first else { return }
        let step = rule.apply(to: main, lame: lame)
        log.withLock { $0.append(step) }
    }
}
