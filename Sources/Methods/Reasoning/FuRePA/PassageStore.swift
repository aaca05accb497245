import Inference
import Laboratory

/// A passage of the corpus: `id`, `title` and `text`.
package struct Passage: Sendable, Hashable, Codable {
    package var id: String
    package var title: String
    package var text: String

    package init(id: String, title: String = "", text: String) {
        self.id = id
        self.title = title
        self.text = text
    }

    /// As prompts and the index hold it.
    package var line: String { title.isEmpty ? text : "\(title): \(text)" }
}

/// The corpus behind a retriever: the top K passages for a query, by words or by meaning.
package struct PassageStore: Sendable {
    private let passages: [String: Passage]
    private let index: PassageIndex
    private let mode: RetrievalMode
    private let encoder: (any EmbeddingModel)?

    /// - Parameter encoder: needed for dense and hybrid search.
    package init(
        _ corpus: [Passage], mode: RetrievalMode = .words, encoder: (any EmbeddingModel)? = nil
    ) async throws {
        guard !corpus.isEmpty else { throw FuRePAError.emptyCorpus }
        if mode != .words, encoder == nil { throw RetrievalError.noVectors }
        self.mode = mode
        self.encoder = mode == .words ? nil : encoder
        var index = PassageIndex(model: self.encoder)
        try await index.update(
            corpus.map { PassageDocument($0.id, passages: [$0.line]) }, model: self.encoder)
        self.index = index
        passages = Dictionary(corpus.map { ($0.id, $0) }) { first, _ in first }
    }

    package struct Found: Sendable, Hashable {
        package var passage: Passage
        package var score: Double

        package init(passage: Passage, score: Double) {
            self.passage = passage
            self.score = score
        }
    }

    /// The best passages for a query, the best first.
    package func search(_ query: String, limit: Int) async throws -> [Found] {
        try await index.search(query, limit: limit, mode: mode, model: encoder).compactMap { found in
            passages[found.document].map { Found(passage: $0, score: found.score) }
        }
    }

    package subscript(id: String) -> Passage? { passages[id] }
}

/// The documents that a question's prompts hold, within a budget of words.
package struct DocumentPool: Sendable, Hashable {
    private(set) var found: [PassageStore.Found] = []
    package let budget: Int

    package init(budget: Int) { self.budget = budget }

    package var ids: [String] { found.map(\.passage.id) }
    package var passages: [Passage] { found.map(\.passage) }

    package func contains(_ id: String) -> Bool { found.contains { $0.passage.id == id } }

    /// Adds what isn't there yet, then drops the lowest-scored until the budget holds; of equal ones the older. Gives the ids
    /// that are new and stayed.
    package mutating func add(_ more: [PassageStore.Found]) throws(FuRePAError) -> [String] {
        var new: [String] = []
        for one in more where !contains(one.passage.id) {
            let words = Self.words(one)
            guard words <= budget else { throw .documentTooLong(one.passage.id, words: words, budget: budget) }
            found.append(one)
            new.append(one.passage.id)
        }
        while found.reduce(0, { $0 + Self.words($1) }) > budget {
            guard let lowest = found.indices.min(by: { (found[$0].score, $0) < (found[$1].score, $1) }) else { break }
            found.remove(at: lowest)
        }
        return new.filter(contains)
    }

    private static func words(_ one: PassageStore.Found) -> Int {
        one.passage.line.split(whereSeparator: \.isWhitespace).count
    }
}

/// Why FuRePA can't work.
public enum FuRePAError: Error, Hashable, CustomStringConvertible {
    case emptyCorpus
    case noCorpus
    case documentTooLong(String, words: Int, budget: Int)
    case noGold(question: String)
    case noSupports
    case noAssessor

    public var description: String {
        switch self {
        case .emptyCorpus: "The corpus holds no passages."
        case .noCorpus: "furepa searches a corpus: give records of id, title and text with --corpus."
        case .documentTooLong(let id, let words, let budget):
            "The passage \(id) has \(words) words, more than the \(budget) that prompts may hold; give a larger --document-words "
                + "or shorter passages."
        case .noGold(let question): "The question \(question) has no answer to be graded by."
        case .noSupports:
            "Training an assessor takes questions with \"supports\", the ids of the passages that they need."
        case .noAssessor: "There is no assessor: give --assessor-model, or train one with --train-questions."
        }
    }
}
