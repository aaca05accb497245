import Inference
import Text

/// Finds the sentences of a context that a generated text means, so that what is highlighted is in the context even when the
/// model paraphrases or invents.
///
/// A sentence that the text quotes word for word comes first. Then the most similar ones: by the cosine of sentence
/// embeddings where an encoder is there, else by the F1 of their words.
package struct SentenceMap: Sendable {
    package var encoder: (any EmbeddingModel)?
    package var topSentences = 1
    /// Sentences must be more similar than this.
    package var leastSimilarity = 0.0

    package init(encoder: (any EmbeddingModel)? = nil, topSentences: Int = 1, leastSimilarity: Double = 0) {
        self.encoder = encoder
        self.topSentences = topSentences
        self.leastSimilarity = leastSimilarity
    }

    /// How a sentence was found.
    package enum Route: String, Sendable, Hashable {
        case quoted
        case embedding
        case lexical = "word overlap"
    }

    package struct Match: Sendable, Hashable {
        /// The sentence's bytes in the context.
        package var range: Range<Int>
        package var text: String
        /// From 0 to 1; 1 for a quotation.
        package var similarity: Double
        package var route: Route
    }

    /// How sentences that aren't quoted are compared.
    package var method: String { encoder?.identity.name ?? "word overlap (no sentence encoder)" }

    /// The best sentences, at most `topSentences`, best first. Empty when nothing fits.
    package func sentences(for generated: String, in context: String) async throws -> [Match] {
        let bytes = Array(context.utf8)
        let sentences = Sentences.ranges(in: context).map { range in
            Match(range: range, text: String(decoding: bytes[range], as: UTF8.self), similarity: 0, route: .lexical)
        }
        guard !AnswerMatch.words(generated).isEmpty, !sentences.isEmpty else { return [] }
        var matches = quoted(generated, sentences)
        guard matches.count < topSentences else { return Array(matches.prefix(topSentences)) }
        let taken = Set(matches.map(\.range))
        let rest = sentences.filter { !taken.contains($0.range) }
        matches += try await similar(generated, rest).prefix(topSentences - matches.count)
        return matches
    }

    /// The sentences that stand in the generated text, or that it is a part of, in the order of the generated text.
    private func quoted(_ generated: String, _ sentences: [Match]) -> [Match] {
        let said = Self.plain(generated)
        var found: [(place: Int, match: Match)] = []
        var seen: Set<String> = []
        for sentence in sentences {
            let text = Self.plain(sentence.text)
            // A sentence that occurs twice is highlighted where it stands first.
            guard !text.isEmpty, seen.insert(text).inserted else { continue }
            let place: Int? =
                if let range = said.utf8Range(of: text) {
                    range.lowerBound
                } else if said.split(separator: " ").count >= 3, text.utf8Range(of: said) != nil {
                    0
                } else {
                    nil
                }
            guard let place else { continue }
            var match = sentence
            match.similarity = 1
            match.route = .quoted
            found.append((place, match))
        }
        return found.sorted { ($0.place, $0.match.range.lowerBound) < ($1.place, $1.match.range.lowerBound) }
            .map(\.match)
    }

    private func similar(_ generated: String, _ sentences: [Match]) async throws -> [Match] {
        guard !sentences.isEmpty else { return [] }
        var scored = sentences
        if let encoder {
            let vectors = try await encoder.embed([generated] + sentences.map(\.text))
            guard let query = vectors.first, vectors.count == sentences.count + 1 else { return [] }
            for (index, vector) in vectors.dropFirst().enumerated() {
                scored[index].similarity = Double(cosineSimilarity(query, vector))
                scored[index].route = .embedding
            }
        } else {
            let said = AnswerMatch.words(generated)
            for index in scored.indices {
                scored[index].similarity = AnswerMatch.f1(said, AnswerMatch.words(scored[index].text))
            }
        }
        return scored.filter { $0.similarity > leastSimilarity }.sorted {
            $0.similarity != $1.similarity
                ? $0.similarity > $1.similarity : $0.range.lowerBound < $1.range.lowerBound
        }
    }

    /// A text without the quotes around it and with single spaces.
    private static func plain(_ text: String) -> String {
        let quotes: Set<Character> = ["\"", "'", "“", "”", "‘", "’", "«", "»", "*", "`"]
        var part = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")[...]
        while let first = part.first, quotes.contains(first) || first == " " { part.removeFirst() }
        while let last = part.last, quotes.contains(last) || last == " " { part.removeLast() }
        return String(part)
    }
}
