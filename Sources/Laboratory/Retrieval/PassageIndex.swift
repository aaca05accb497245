import Inference
import Text

/// Passages of documents, found by words (BM25), by meaning (an embedding model's vectors) or by both.
///
/// It grows and shrinks document by document: a document whose passages have not changed costs nothing, and of a changed
/// one only the passages that are new are embedded. A value like any other; `write(to:)` and `init(contentsOf:)` keep it on disk.
public struct PassageIndex: Sendable {
    /// A document as the index holds it.
    struct Entry: Sendable, Hashable {
        var document: PassageDocument
        var hash: String
        /// The passages' vectors of length 1, one after another; empty in an index without a model.
        var vectors: [Float]
    }

    /// The model whose vectors the index holds.
    public struct Embedder: Sendable, Hashable {
        public var reference: String
        public var fingerprint: String
        public var width: Int
    }

    /// What an update did.
    public struct Change: Sendable, Hashable {
        public var added = 0
        public var replaced = 0
        public var unchanged = 0
        /// Passages that the model was asked about.
        public var embedded = 0

        public init(added: Int = 0, replaced: Int = 0, unchanged: Int = 0, embedded: Int = 0) {
            self.added = added
            self.replaced = replaced
            self.unchanged = unchanged
            self.embedded = embedded
        }
    }

    /// nil in an index that is searched by words alone.
    public let embedder: Embedder?
    private(set) var entries: [Entry]
    private var words = BM25Index()
    /// The document and position of each passage, in the order of the word index.
    private var places: [(entry: Int, position: Int)] = []

    /// An empty index.
    ///
    /// - Parameter model: what embeds passages and queries; nil: searched by words alone.
    public init(model: (any EmbeddingModel)? = nil) {
        embedder = model.map {
            Embedder(
                reference: $0.identity.reference, fingerprint: $0.identity.fingerprint, width: $0.embeddingWidth)
        }
        entries = []
    }

    init(embedder: Embedder?, entries: [Entry]) {
        self.embedder = embedder
        self.entries = entries
        indexWords()
    }

    /// The names of the documents, in the order in which they were added.
    public var documents: [String] { entries.map(\.document.name) }
    public var passageCount: Int { places.count }

    // MARK: Changing

    /// Adds documents, and replaces those that are there under the same names. Nothing changes when it throws.
    ///
    /// - Parameter model: the model that the index was made with; not needed for an index without one.
    @discardableResult
    public mutating func update(
        _ documents: [PassageDocument], model: (any EmbeddingModel)? = nil
    ) async throws -> Change {
        try check(model)
        if embedder != nil, model == nil, !documents.isEmpty { throw RetrievalError.noVectors }
        var change = Change()
        var positions = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].document.name, $0) })
        var updated = entries
        var seen: Set<String> = []
        for document in documents {
            guard seen.insert(document.name).inserted else { throw RetrievalError.repeatedName(document.name) }
            let hash = document.contentHash
            let position = positions[document.name]
            if let position, updated[position].hash == hash {
                change.unchanged += 1
                continue
            }
            let known = position.map { knownVectors(of: updated[$0]) } ?? [:]
            let (vectors, embedded) = try await passageVectors(document.passages, known: known, model: model)
            change.embedded += embedded
            let entry = Entry(document: document, hash: hash, vectors: vectors)
            if let position {
                updated[position] = entry
                change.replaced += 1
            } else {
                positions[document.name] = updated.count
                updated.append(entry)
                change.added += 1
            }
        }
        entries = updated
        if change.added + change.replaced > 0 { indexWords() }
        return change
    }

    /// Removes documents; names that aren't there are passed over. Returns how many went.
    @discardableResult
    public mutating func remove(_ names: [String]) -> Int {
        let gone = Set(names)
        let before = entries.count
        entries.removeAll { gone.contains($0.document.name) }
        if entries.count < before { indexWords() }
        return before - entries.count
    }

    private mutating func indexWords() {
        words = BM25Index()
        places = []
        for (number, entry) in entries.enumerated() {
            for (position, passage) in entry.document.passages.enumerated() {
                words.add(passage)
                places.append((number, position))
            }
        }
    }

    private func check(_ model: (any EmbeddingModel)?) throws(RetrievalError) {
        guard let model, let embedder else { return }
        guard model.identity.fingerprint == embedder.fingerprint, model.embeddingWidth == embedder.width else {
            throw .otherModel(index: embedder.reference, given: model.identity.reference)
        }
    }

    /// What is known of an entry's passages, by their texts.
    private func knownVectors(of entry: Entry) -> [String: ArraySlice<Float>] {
        guard let width = embedder?.width else { return [:] }
        let pairs = entry.document.passages.enumerated().map { position, passage in
            (passage, entry.vectors[position * width..<(position + 1) * width])
        }
        return Dictionary(pairs) { first, _ in first }
    }

    private func passageVectors(
        _ passages: [String], known: [String: ArraySlice<Float>], model: (any EmbeddingModel)?
    ) async throws -> (vectors: [Float], embedded: Int) {
        guard embedder != nil, let model else { return ([], 0) }
        let new = passages.filter { known[$0] == nil }
        let made = new.isEmpty ? [] : try await embed(new, model)
        let fresh = Dictionary(zip(new, made)) { first, _ in first }
        let vectors = passages.flatMap { known[$0] ?? ArraySlice(fresh[$0] ?? []) }
        return (vectors, new.count)
    }

    /// Vectors of length 1. A zero vector stays one; its cosine with anything is 0.
    private func embed(_ texts: [String], _ model: any EmbeddingModel) async throws -> [[Float]] {
        let vectors = try await model.embed(texts)
        let width = model.embeddingWidth
        return try vectors.map { vector in
            guard vector.count == width, vector.allSatisfy(\.isFinite) else {
                throw RetrievalError.wrongWidth(
                    model: model.identity.reference, expected: width, found: vector.count)
            }
            let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            return length > 0 ? vector.map { Float(Double($0) / length) } : vector
        }
    }

    // MARK: Searching

    /// The best passages for a query, the best first.
    ///
    /// Words take the time of the query's postings; dense and hybrid search compare the query with every vector.
    ///
    /// - Parameters:
    ///   - mode: nil: hybrid in an index with vectors, else by words.
    ///   - model: the model that the index was made with; for words it isn't needed.
    /// - Throws: `RetrievalError`, and what the model throws.
    public func search(
        _ query: String, limit: Int, mode: RetrievalMode? = nil, model: (any EmbeddingModel)? = nil
    ) async throws -> [FoundPassage] {
        guard limit > 0 else { return [] }
        let mode = mode ?? (embedder != nil && model != nil ? .hybrid : .words)
        let ranking: [(item: Int, score: Double)]
        switch mode {
        case .words: ranking = words.search(query, limit: limit).map { ($0.document, $0.score) }
        case .dense: ranking = try await nearest(query, limit: limit, model: model)
        case .hybrid:
            // Deeper than asked: what both find in the middle may come first together.
            let depth = max(100, limit)
            let byWords = words.search(query, limit: depth).map(\.document)
            let byVector = try await nearest(query, limit: depth, model: model).map(\.item)
            ranking = ReciprocalRankFusion.fuse([byWords, byVector])
        }
        return ranking.prefix(limit).map { item, score in
            let place = places[item]
            let document = entries[place.entry].document
            return FoundPassage(
                document: document.name, position: place.position, text: document.passages[place.position],
                score: score)
        }
    }

    private func nearest(
        _ query: String, limit: Int, model: (any EmbeddingModel)?
    ) async throws -> [(item: Int, score: Double)] {
        guard let embedder, let model else { throw RetrievalError.noVectors }
        try check(model)
        guard let vector = try await embed([query], model).first else { return [] }
        let width = embedder.width
        var scores: [(item: Int, score: Double)] = []
        scores.reserveCapacity(places.count)
        for entry in entries {
            entry.vectors.withUnsafeBufferPointer { vectors in
                for position in entry.document.passages.indices {
                    var sum: Float = 0
                    for column in 0..<width { sum += vectors[position * width + column] * vector[column] }
                    scores.append((scores.count, Double(sum)))
                }
            }
        }
        scores.sort { $0.score != $1.score ? $0.score > $1.score : $0.item < $1.item }
        return Array(scores.prefix(limit))
    }
}
