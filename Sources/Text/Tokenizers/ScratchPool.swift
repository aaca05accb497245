import Synchronization

/// Keeps scratches for the next encoding.
final class ScratchPool: Sendable {
    private let kept = Mutex<[EncodingScratch]>([])
    private let most = 8

    /// Runs `body` with a scratch that nobody else has.
    func withScratch<Result>(_ body: (EncodingScratch) -> Result) -> Result {
        let scratch = kept.withLock { $0.popLast() } ?? EncodingScratch()
        defer {
            scratch.trim()
            kept.withLock { if $0.count < most { $0.append(scratch) } }
        }
        return body(scratch)
    }
}
