/// Learns byte pairs from texts: the two neighbouring tokens that stand together most often become one token, again and again (Sennrich et al.
/// 2016, on bytes as in GPT-2). Of pairs that are equally frequent the one whose tokens are older goes first, so that the
/// merges are those of Hugging Face's `BpeTrainer`.
public struct BytePairTrainer {
    /// How texts are cut before anything is joined: pairs never reach over a cut.
    public enum Cutting: String, Sendable, Hashable, CaseIterable {
        case gpt2
        /// The same, every digit by itself.
        case digits

        var steps: [SplittingStep] {
            let bytes = SplittingStep.byteLevel(addsPrefixSpace: false, splits: true)
            return self == .gpt2 ? [bytes] : [.digits(individual: true), bytes]
        }
    }

    public let cutting: Cutting
    /// How often each piece occurs.
    private var pieces: [[UInt8]: Int] = [:]

    public init(cutting: Cutting = .digits) {
        self.cutting = cutting
    }

    /// Counts the pieces of a text.
    public mutating func add(_ text: String) {
        let scanner = GPT2Scanner(isolatesDigits: cutting == .digits)
        var text = text
        text.withUTF8 { bytes in
            guard let base = bytes.baseAddress else { return }
            var start = 0
            while start < bytes.count {
                let end = scanner.pieceEnd(base, from: start, to: bytes.count)
                pieces[Array(bytes[start..<end]), default: 0] += 1
                start = end
            }
        }
    }

    /// The tokenizer of a vocabulary of this size, special tokens included, or of a smaller one when the texts have no more pairs.
    ///
    /// - Parameters:
    ///   - special: the first ends a text.
    ///   - least: how often a pair must occur.
    /// - Complexity: each merge costs as much as the pieces that hold it are long.
    public func tokenizer(
        vocabulary size: Int, special: [String] = ["<|endoftext|>"], least: Int = 2
    ) -> TokenizerSpecification {
        var learner = Learner(pieces)
        let merges = learner.merges(vocabulary: size - special.count, least: max(1, least))
        return .bytePairs(merges, special: special, splitting: cutting.steps)
    }
}

/// The work of learning: pieces as tokens, pairs with their counts, and a queue of pairs by count.
private struct Learner {
    private struct Pair: Hashable {
        var left: Int32
        var right: Int32
    }

    private struct Entry {
        var count: Int
        var pair: Pair

        func isBefore(_ other: Entry) -> Bool {
            (other.count, pair.left, pair.right) < (count, other.pair.left, other.pair.right)
        }
    }

    private var words: [[Int32]] = []
    private var frequencies: [Int] = []
    private var counts: [Pair: Int] = [:]
    /// The words in which a pair stands, or has stood.
    private var places: [Pair: Set<Int>] = [:]
    private var queue: [Entry] = []
    /// How each token is spelled in GPT-2's alphabet, bytes first in the order of their characters.
    private var spellings: [String]

    init(_ pieces: [[UInt8]: Int]) {
        let order = (0..<256).sorted { GPT2Alphabet.scalars[$0] < GPT2Alphabet.scalars[$1] }
        spellings = order.map { GPT2Alphabet.characters[$0] }
        var rank = [Int32](repeating: 0, count: 256)
        for (place, byte) in order.enumerated() { rank[byte] = Int32(place) }
        for (piece, count) in pieces where piece.count > 1 {
            let word = piece.map { rank[Int($0)] }
            for (left, right) in zip(word, word.dropFirst()) {
                counts[Pair(left: left, right: right), default: 0] += count
                places[Pair(left: left, right: right), default: []].insert(words.count)
            }
            words.append(word)
            frequencies.append(count)
        }
        for (pair, count) in counts { push(Entry(count: count, pair: pair)) }
    }

    mutating func merges(vocabulary: Int, least: Int) -> [(left: String, right: String)] {
        var merges: [(left: String, right: String)] = []
        var tokens = Dictionary(uniqueKeysWithValues: spellings.enumerated().map { ($1, Int32($0)) })
        while spellings.count < vocabulary, var top = pop() {
            let now = counts[top.pair] ?? 0
            if top.count != now {
                top.count = now
                if now >= least { push(top) }
                continue
            }
            guard now >= least else { break }
            let (left, right) = (spellings[Int(top.pair.left)], spellings[Int(top.pair.right)])
            merges.append((left, right))
            var token = Int32(spellings.count)
            // The same word may come of other parts, too.
            if let known = tokens[left + right] {
                token = known
            } else {
                tokens[left + right] = token
                spellings.append(left + right)
            }
            var grown: Set<Pair> = []
            for word in places.removeValue(forKey: top.pair) ?? [] { join(top.pair, as: token, in: word, &grown) }
            counts[top.pair] = nil
            for pair in grown { push(Entry(count: counts[pair] ?? 0, pair: pair)) }
        }
        return merges
    }

    /// Replaces a pair in a word, and counts the pairs anew that it had part in.
    private mutating func join(_ pair: Pair, as token: Int32, in index: Int, _ grown: inout Set<Pair>) {
        let word = words[index]
        let frequency = frequencies[index]
        func count(_ word: [Int32], _ sign: Int) -> [Pair: Int] {
            zip(word, word.dropFirst()).reduce(into: [:]) { $0[Pair(left: $1.0, right: $1.1), default: 0] += sign }
        }
        var joined: [Int32] = []
        joined.reserveCapacity(word.count)
        var place = 0
        while place < word.count {
            if place + 1 < word.count, word[place] == pair.left, word[place + 1] == pair.right {
                joined.append(token)
                place += 2
            } else {
                joined.append(word[place])
                place += 1
            }
        }
        guard joined.count < word.count else { return }
        words[index] = joined
        for (changed, difference) in count(word, -1).merging(count(joined, 1), uniquingKeysWith: +)
        where difference != 0 && changed != pair {
            counts[changed, default: 0] += difference * frequency
            if difference > 0 {
                places[changed, default: []].insert(index)
                grown.insert(changed)
            }
        }
    }

    // MARK: The queue, a binary heap

    private mutating func push(_ entry: Entry) {
        queue.append(entry)
        var child = queue.count - 1
        while child > 0, queue[child].isBefore(queue[(child - 1) / 2]) {
            queue.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func pop() -> Entry? {
        guard let first = queue.first, let last = queue.popLast() else { return nil }
        guard !queue.isEmpty else { return first }
        queue[0] = last
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < queue.count }
            guard let best = children.min(by: { queue[$0].isBefore(queue[$1]) }), queue[best].isBefore(queue[parent])
            else { return first }
            queue.swapAt(parent, best)
            parent = best
        }
    }
}
