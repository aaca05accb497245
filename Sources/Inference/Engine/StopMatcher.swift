import Text

/// Finds stop strings in text that grows, also across the borders of its pieces, and holds back what may yet become one.
struct StopMatcher {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []

    init(_ stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
    }

    /// What may be shown after more bytes came, and whether a stop string was reached (then nothing may follow).
    mutating func append(_ bytes: some Sequence<UInt8>) -> (shown: [UInt8], stopped: Bool) {
        guard !stops.isEmpty else { return (Array(bytes), false) }
        held.append(contentsOf: bytes)
        // The stop string that begins first wins.
        var index = 0
        while index < held.count {
            for stop in stops where held[index...].starts(with: stop) {
                let shown = Array(held[..<index])
                held = []
                return (shown, true)
            }
            // What could still grow into a stop string is held back from here on.
            if stops.contains(where: { $0.starts(with: held[index...]) }) { break }
            index += 1
        }
        let shown = Array(held[..<index])
        held.removeFirst(index)
        return (shown, false)
    }

    /// What was held back when the text ended.
    mutating func finish() -> [UInt8] {
        defer { held = [] }
        return held
    }
}
