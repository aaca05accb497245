#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finds the texts that a query's words say most about. Okapi BM25 over an inverted index that grows text by text:
///
///     score(D, Q) = Σ_{q ∈ Q} idf(q) · f(q, D) · (k₁ + 1) / (f(q, D) + k₁ · (1 − b + b · |D| / avgdl))
///     idf(q) = ln(1 + (N − n(q) + ½) / (n(q) + ½))
///
/// f(q, D) counts the word q in the text D, |D| is its length in words, avgdl the mean length, N the number of texts and n(q) of
/// those that have q. The 1 inside the logarithm keeps the weight of frequent words above 0.
///
/// Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), equation 3.15; the weight
/// as Lucene has it.
public struct BM25Index: Sendable {
    /// A text found, by the number it was added under.
    public struct Match: Sendable, Hashable {
        public var document: Int
        public var score: Double

        public init(document: Int, score: Double) {
            self.document = document
            self.score = score
        }
    }

    private struct Posting {
        var document: Int32
        var frequency: Int32
    }

    /// How soon repetitions of a word stop to count.
    public let k1: Double
    /// How much longer texts are held back, from 0 to 1.
    public let b: Double
    private var terms: [String: Int] = [:]
    private var postings: [[Posting]] = []
    private var lengths: [Int32] = []
    private var totalLength = 0

    public init(k1: Double = 1.2, b: Double = 0.75) {
        self.k1 = k1
        self.b = b
    }

    /// The number of texts.
    public var count: Int { lengths.count }

    /// Adds a text by its words in lower case (`Words.lowercased`). Gives its number, counted from 0.
    @discardableResult
    public mutating func add(_ text: String) -> Int { add(words: Words.lowercased(text)) }

    /// Adds a text that is split into words already.
    @discardableResult
    public mutating func add(words: [String]) -> Int {
        let document = lengths.count
        var frequencies: [String: Int32] = [:]
        for word in words { frequencies[word, default: 0] += 1 }
        for (word, frequency) in frequencies {
            let posting = Posting(document: Int32(document), frequency: frequency)
            if let term = terms[word] {
                postings[term].append(posting)
            } else {
                terms[word] = postings.count
                postings.append([posting])
            }
        }
        lengths.append(Int32(words.count))
        totalLength += words.count
        return document
    }

    /// The best texts for a query, the best first; of equal ones the first added. Texts without any word of the query are left
    /// out. A word that the query repeats counts as often.
    public func search(_ query: String, limit: Int) -> [Match] { search(words: Words.lowercased(query), limit: limit) }

    /// The best texts for a query that is split into words already. Time the postings of its words.
    public func search(words: [String], limit: Int) -> [Match] {
        guard limit > 0, totalLength > 0 else { return [] }
        let averageLength = Double(totalLength) / Double(count)
        var scores: [Int32: Double] = [:]
        for word in words {
            guard let term = terms[word] else { continue }
            let found = Double(postings[term].count)
            let weight = log(1 + (Double(count) - found + 0.5) / (found + 0.5))
            for posting in postings[term] {
                let frequency = Double(posting.frequency)
                let length = Double(lengths[Int(posting.document)])
                let norm = k1 * (1 - b + b * length / averageLength)
                scores[posting.document, default: 0] += weight * frequency * (k1 + 1) / (frequency + norm)
            }
        }
        return Self.best(scores, limit: limit)
    }

    private static func best(_ scores: [Int32: Double], limit: Int) -> [Match] {
        func precedes(_ left: Match, _ right: Match) -> Bool {
            left.score != right.score ? left.score > right.score : left.document < right.document
        }
        var best: [Match] = []
        best.reserveCapacity(min(limit, scores.count) + 1)
        for (document, score) in scores {
            let match = Match(document: Int(document), score: score)
            if best.count == limit, let last = best.last, !precedes(match, last) { continue }
            var (low, high) = (0, best.count)
            while low < high {
                let middle = (low + high) / 2
                if precedes(best[middle], match) { low = middle + 1 } else { high = middle }
            }
            best.insert(match, at: low)
            if best.count > limit { best.removeLast() }
        }
        return best
    }
}
