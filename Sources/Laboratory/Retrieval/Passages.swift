import Text

/// A document to be searched: its name and the passages that it is cut into.
public struct PassageDocument: Sendable, Hashable {
    public var name: String
    public var passages: [String]

    public init(_ name: String, passages: [String]) {
        self.name = name
        self.passages = passages
    }

    /// Cuts a text into passages of whole sentences.
    ///
    /// - Parameter words: how many words a passage has at most, unless a single sentence has more.
    public init(_ name: String, text: String, words: Int = 100) {
        self.name = name
        passages = []
        var passage: [String] = []
        var count = 0
        for sentence in Sentences.split(text) {
            let length = Words.lowercased(sentence).count
            if count > 0, count + length > words {
                passages.append(passage.joined(separator: " "))
                passage = []
                count = 0
            }
            passage.append(sentence)
            count += length
        }
        if !passage.isEmpty { passages.append(passage.joined(separator: " ")) }
    }

    /// What tells whether a document has changed.
    var contentHash: String { SHA256.hexadecimal(of: JSONValue.array(passages.map { .string($0) }).utf8()) }
}

/// A passage that a search found.
public struct FoundPassage: Sendable, Hashable {
    public var document: String
    /// Which of the document's passages, counted from 0.
    public var position: Int
    public var text: String
    /// Higher is better; comparable within one search only.
    public var score: Double

    public init(document: String, position: Int, text: String, score: Double) {
        self.document = document
        self.position = position
        self.text = text
        self.score = score
    }
}

/// How passages are found.
public enum RetrievalMode: String, Sendable, Hashable, Codable, CaseIterable {
    /// By the words they share with the query (BM25).
    case words
    /// By the cosine of their vectors with the query's.
    case dense
    /// By both, joined by reciprocal rank fusion.
    case hybrid
}

/// Joins rankings: each gives an item 1 / (60 + rank), counted from 1, and the sums rank the items.
///
/// Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods"
/// (2009).
public enum ReciprocalRankFusion {
    /// The items of all rankings, the best first; of equal ones the smaller.
    public static func fuse(_ rankings: [[Int]], offset: Double = 60) -> [(item: Int, score: Double)] {
        var scores: [Int: Double] = [:]
        for ranking in rankings {
            for (rank, item) in ranking.enumerated() { scores[item, default: 0] += 1 / (offset + Double(rank + 1)) }
        }
        return scores.map { (item: $0.key, score: $0.value) }.sorted {
            $0.score != $1.score ? $0.score > $1.score : $0.item < $1.item
        }
    }
}
