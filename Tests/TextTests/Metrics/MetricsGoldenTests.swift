import Foundation
import Testing
import Text

/// The metrics against the values that Tests/Golden/metrics.py makes with sacrebleu, rouge-score and plain Python.
@Suite struct MetricsGoldenTests {
    private let document: JSONValue
    private let pairs: [(hypothesis: String, references: [String])]

    init() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Golden/metrics.json")
        document = try JSONValue(parsing: [UInt8](try Data(contentsOf: path)))
        pairs = (document["cases"]?.arrayValue ?? []).map { item in
            (
                item["hypothesis"]?.stringValue ?? "",
                (item["references"]?.arrayValue ?? []).compactMap(\.stringValue)
            )
        }
        try #require(pairs.count == 40)
    }

    private static let smoothings: [(String, BLEU.Smoothing)] = [
        ("exponential", .exponential), ("none", .none), ("floor", .floor(0.1)), ("addK", .addK(1)),
    ]

    private func expectEqual(_ ours: Double, _ theirs: JSONValue?, _ what: String) throws {
        let expected = try #require(theirs?.doubleValue, "\(what) is missing")
        #expect(abs(ours - expected) <= 1e-9 * max(1, expected.magnitude), "\(what): \(ours), expected \(expected)")
    }

    private func expectEqual(_ ours: BLEU, _ theirs: JSONValue?, _ what: String) throws {
        try expectEqual(ours.score, theirs?["score"], what)
        try expectEqual(ours.brevityPenalty, theirs?["penalty"], what)
        for (index, precision) in ours.precisions.enumerated() {
            try expectEqual(precision, theirs?["precisions"]?[index], "\(what), precision \(index + 1)")
        }
        #expect(
            [ours.hypothesisLength, ours.referenceLength].map { .integer($0) } == theirs?["lengths"]?.arrayValue,
            "\(what)")
    }

    @Test func textsAgree() throws {
        for (index, pair) in pairs.enumerated() {
            let item = try #require(document["cases"]?[index])
            let (text, references) = pair
            for (name, smoothing) in Self.smoothings {
                try expectEqual(
                    BLEU.sentence(text, references: references, smoothing: smoothing), item["bleu"]?[name],
                    "BLEU \(name) of \(text)")
            }
            try expectEqual(CharacterFScore().sentence(text, references: references), item["chrf"], "chrF of \(text)")
            try expectEqual(
                CharacterFScore(wordOrder: 2).sentence(text, references: references), item["chrf++"],
                "chrF++ of \(text)")
            let rouge = [
                ("rouge1", ROUGE.n(1, text, reference: references[0])),
                ("rouge2", ROUGE.n(2, text, reference: references[0])),
                ("rougeL", ROUGE.l(text, reference: references[0])),
            ]
            for (name, score) in rouge {
                for (place, value) in [score.precision, score.recall, score.f1].enumerated() {
                    try expectEqual(value, item["rouge"]?[name]?[place], "\(name) of \(text)")
                }
            }
            #expect(AnswerMatch.isExact(text, references: references) == item["exact"]?.boolValue, "\(text)")
            try expectEqual(AnswerMatch.f1(text, references: references), item["f1"], "F1 of \(text)")
            #expect(EditDistance.between(text, references[0]) == item["edits"]?.intValue, "\(text)")
            let words = [text, references[0]].map { $0.split(whereSeparator: \.isWhitespace).map { String($0) } }
            try expectEqual(
                NGrams.containment(of: words[0], in: words[1], n: 2), item["containment"], "containment of \(text)")
            try expectEqual(NGrams.resemblance(words[0], words[1], n: 2), item["resemblance"], "resemblance of \(text)")
        }
    }

    @Test func theCorpusAgrees() throws {
        let corpus = try #require(document["corpus"])
        for (name, smoothing) in Self.smoothings {
            try expectEqual(BLEU.corpus(pairs, smoothing: smoothing), corpus["bleu"]?[name], "BLEU \(name)")
        }
        try expectEqual(CharacterFScore().corpus(pairs), corpus["chrf"], "chrF")
        try expectEqual(CharacterFScore(wordOrder: 2).corpus(pairs), corpus["chrf++"], "chrF++")
        let texts = pairs.map { $0.hypothesis.split(whereSeparator: \.isWhitespace).map { String($0) } }
        for n in 1...3 {
            try expectEqual(NGrams.distinct(texts, n: n), corpus["distinct"]?["\(n)"], "distinct-\(n)")
        }
    }

    @Test func retrievalAgrees() throws {
        let queries = try #require(document["retrieval"]?.arrayValue)
        for item in queries {
            let query = try #require(item["query"]?.stringValue)
            var index = BM25Index(k1: try #require(item["k1"]?.doubleValue), b: try #require(item["b"]?.doubleValue))
            for pair in pairs { index.add(pair.hypothesis) }
            let expected = try #require(item["found"]?.arrayValue)
            let found = index.search(query, limit: pairs.count)
            #expect(found.map(\.document) == expected.map { $0[0]?.intValue ?? -1 }, "\(query)")
            for (match, score) in zip(found, expected) { try expectEqual(match.score, score[1], "BM25 of \(query)") }
            #expect(index.search(query, limit: 3) == Array(found.prefix(3)))
        }
    }
}
