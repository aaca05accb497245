/// The working memory of one encoding: the tokens so far, the symbols of the word at hand, and the cache of recent words.
///
/// Scratches are kept and used again, so that steady encoding allocates nothing and finds its cache warm.
// Unchecked: a scratch is owned by one call at a time; `ScratchPool` hands it over under its lock.
final class EncodingScratch: @unchecked Sendable {
    /// A stretch of a word that is one token for now.
    struct Symbol: BitwiseCopyable {
        var id: TokenID
        /// The rank of the merge with the symbol to the right.
        var rank: UInt32
        /// What that merge gives.
        var result: TokenID
        /// Where the stretch ends, in bytes from the start of the word.
        var end: UInt32
    }

    private(set) var ids: UnsafeMutablePointer<TokenID>
    private var capacity = 1024
    private(set) var count = 0

    /// Whether the encoding records where each token ends in the text.
    var recordsRanges = false
    private(set) var ranges: [Range<Int>] = []

    private(set) var symbols: UnsafeMutablePointer<Symbol>
    private var symbolCapacity = 256
    /// Neighbours of symbols and the queue of merges, for long words only.
    var previous: [Int32] = []
    var next: [Int32] = []
    var queue: [UInt64] = []

    let cache = WordCache()

    init() {
        ids = .allocate(capacity: capacity)
        symbols = .allocate(capacity: symbolCapacity)
    }

    deinit {
        ids.deallocate()
        symbols.deallocate()
    }

    func start(recordingRanges: Bool) {
        count = 0
        recordsRanges = recordingRanges
        ranges.removeAll(keepingCapacity: true)
    }

    /// Makes room for `extra` more tokens.
    @inline(__always)
    func reserve(_ extra: Int) {
        if count + extra > capacity { grow(extra) }
    }

    @inline(never)
    private func grow(_ extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let memory = UnsafeMutablePointer<TokenID>.allocate(capacity: larger)
        memory.update(from: ids, count: count)
        ids.deallocate()
        ids = memory
        capacity = larger
    }

    /// Adds a token; there must be room.
    @inline(__always)
    func put(_ id: TokenID) {
        ids[count] = id
        count += 1
    }

    /// Takes the last token back.
    @inline(__always)
    func takeBack() { count -= 1 }

    func put(_ id: TokenID, range: @autoclosure () -> Range<Int>) {
        reserve(1)
        put(id)
        if recordsRanges { ranges.append(range()) }
    }

    /// Takes all tokens from `first` on back.
    func removeTokens(from first: Int) {
        count = first
        if recordsRanges { ranges.removeSubrange(first...) }
    }

    /// Translates the recorded ranges of the tokens from `first` on.
    func mapRanges(from first: Int, _ translate: (Range<Int>) -> Range<Int>) {
        guard recordsRanges else { return }
        for index in first..<ranges.count { ranges[index] = translate(ranges[index]) }
    }

    /// Makes room for the symbols of a word of `length` bytes.
    @inline(__always)
    func reserveSymbols(_ length: Int) {
        if length > symbolCapacity {
            symbols.deallocate()
            symbolCapacity = length + length / 2
            symbols = .allocate(capacity: symbolCapacity)
        }
    }

    /// Gives back what only very long texts need.
    func trim() {
        let most = 1 << 20
        if capacity > most {
            ids.deallocate()
            capacity = 1024
            ids = .allocate(capacity: capacity)
        }
        if symbolCapacity > most {
            symbols.deallocate()
            symbolCapacity = 256
            symbols = .allocate(capacity: symbolCapacity)
        }
        if next.capacity > most {
            previous = []
            next = []
            queue = []
        }
        if ranges.capacity > most { ranges = [] }
    }
}
