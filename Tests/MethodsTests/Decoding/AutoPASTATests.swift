import Decoding
import Foundation
import Inference
import Laboratory
import Testing
import Text

@Suite struct AutoPASTATests {
    private let architecture = ArchitectureSummary(
        family: "llama", layers: 4, hiddenSize: 8, heads: 2, keyValueHeads: 1, headSize: 4, vocabularySize: 10,
        parameters: 100)

    // MARK: The operator

    private func bias(
        _ position: ScalePosition, _ spans: [Range<Int>], protects: Bool = false, alpha: Double = 0.01
    ) throws -> (ranges: [Range<Int>], bias: Float) {
        let steering = try AttentionSteering(
            heads: [Head(1, 0)], alpha: alpha, position: position, protectsFirstToken: protects)
        let intervention = try steering.intervention(highlighting: spans, promptCount: 10, architecture: architecture)
        guard case .attentionBias(let heads, let ranges, let bias) = intervention else {
            Issue.record("the steering is no attention bias")
            return ([], 0)
        }
        #expect(heads == [Head(1, 0)])
        return (ranges, bias)
    }

    @Test func biasOfEachPosition() throws {
        let delta = Float(log(100.0))
        let exclude = try bias(.exclude, [3..<5])
        #expect(exclude.ranges == [0..<3, 5..<10] && abs(exclude.bias + delta) < 1e-6)
        let include = try bias(.include, [3..<5])
        #expect(include.ranges == [3..<5] && abs(include.bias - delta) < 1e-6)
        let generation = try bias(.generation, [3..<5])
        #expect(generation.ranges == [0..<10] && abs(generation.bias + delta) < 1e-6)
        #expect(try bias(.exclude, [3..<5], protects: true).ranges == [1..<3, 5..<10])
        #expect(try bias(.generation, [3..<5], protects: true).ranges == [1..<10])
        #expect(try abs(bias(.exclude, [3..<5], alpha: 0.5).bias + Float(log(2.0))) < 1e-6)
    }

    @Test func severalSpansAreOneSet() throws {
        // A span by itself must not be scaled because it lies outside another.
        #expect(try bias(.exclude, [6..<8, 1..<3]).ranges == [0..<1, 3..<6, 8..<10])
        #expect(try bias(.exclude, [1..<5, 3..<7]).ranges == [0..<1, 7..<10])
        #expect(try bias(.exclude, [0..<10]).ranges.isEmpty)
        #expect(AttentionSteering.complement(of: [2..<3], in: 0..<3) == [0..<2])
        #expect(AttentionSteering.complement(of: [], in: 0..<3) == [0..<3])
    }

    @Test func badSteeringIsRefused() throws {
        #expect(throws: SteeringError.badAlpha(0)) { try AttentionSteering(heads: [], alpha: 0) }
        #expect(throws: SteeringError.self) { try AttentionSteering(heads: [], alpha: 1.5) }
        #expect(throws: SteeringError.self) { try AttentionSteering(heads: [], alpha: .nan) }
        #expect(throws: SteeringError.emptySpan) { try bias(.exclude, []) }
        #expect(throws: SteeringError.emptySpan) { try bias(.exclude, [2..<2]) }
        #expect(throws: SteeringError.spanOutside(8..<11, promptCount: 10)) { try bias(.exclude, [8..<11]) }
        for head in [Head(4, 0), Head(0, 2), Head(-1, 0)] {
            let steering = try AttentionSteering(heads: [head])
            #expect(throws: SteeringError.noSuchHead(head, layers: 4, heads: 2)) {
                try steering.intervention(highlighting: [0..<1], promptCount: 3, architecture: architecture)
            }
        }
    }

    // MARK: Head profiling

    @Test func candidatesIntersectLayersAndRanks() {
        let profiler = HeadProfiler(layers: 8, heads: 4, keptLayers: 4, perLayer: [1, 2], pooled: [3])
        // Layers by their coarse score: 5, 2, 7, 0. Heads by their own score:
        let ranked = [
            Head(7, 1), Head(5, 0), Head(2, 3), Head(0, 0), Head(5, 2), Head(7, 0), Head(2, 0), Head(0, 1),
        ]
        let sets = profiler.candidates(kept: [5, 2, 7, 0], ranked: ranked).map { Set($0) }
        #expect(
            sets == [
                // The best three layers: one head each, two each, the best three of all (again one each).
                [Head(5, 0), Head(2, 3), Head(7, 1)],
                [Head(5, 0), Head(5, 2), Head(2, 3), Head(2, 0), Head(7, 1), Head(7, 0)],
                // Four layers; the pooled three are a set that is there already.
                [Head(5, 0), Head(2, 3), Head(7, 1), Head(0, 0)], Set(ranked),
            ])
    }

    @Test func fromCoarseToFine() async throws {
        let profiler = HeadProfiler(layers: 6, heads: 3, keptLayers: 3, perLayer: [1], pooled: [1, 2, 9])
        // Two heads help, each by itself; every other head harms a little.
        let value: [Head: Double] = [Head(4, 1): 0.5, Head(2, 2): 0.3]
        let calls = Calls()
        let result = try await profiler.profile { phase, sets in
            await calls.add(phase, sets.count)
            return sets.map { $0.reduce(0) { $0 + (value[$1] ?? -0.01) } }
        }
        #expect(await calls.phases == ["Layers", "Heads", "Head sets"])
        #expect(await calls.counts == [6, 9, 4])
        #expect(result.evaluations == 19)
        #expect(abs(result.coarse[4] - 0.48) < 1e-12)
        #expect(result.fine.first?.heads == [Head(4, 1)] && result.fine.count == 9)
        #expect(result.selected == [Head(2, 2), Head(4, 1)])
    }

    @Test func amongEqualsTheSmallerSetIsSelected() async throws {
        let profiler = HeadProfiler(layers: 3, heads: 2, keptLayers: 3, perLayer: [2], pooled: [1, 4])
        let result = try await profiler.profile { _, sets in sets.map { _ in 0.5 } }
        #expect(result.selected == [Head(0, 0)])
        #expect(result.candidates.map(\.heads.count) == [1, 4, 6])
    }

    @Test func thePaperGridCosts28CandidatesAtMost() {
        let options = AutoPASTA.Options()
        let profiler = HeadProfiler(
            layers: 30, heads: 9, keptLayers: options.layersKept, perLayer: options.headsPerLayer,
            pooled: options.headsPooled)
        let kept = Array(0..<6)
        let ranked = (0..<9).flatMap { head in kept.map { Head($0, head) } }
        let sets = profiler.candidates(kept: kept, ranked: ranked)
        #expect(sets.count <= 28 && sets.count > 20)
        #expect(Set(sets.map { Set($0) }).count == sets.count)
    }

    // MARK: Sentences and answers

    private let context = "Anna lives in Rome. Ben lives in Oslo. Carl was born in Paris."

    @Test func quotationsComeFirst() async throws {
        let map = SentenceMap()
        let quoted = try await map.sentences(for: "\"Ben lives in  Oslo.\"", in: context)
        #expect(quoted.map(\.text) == ["Ben lives in Oslo."])
        #expect(quoted[0].route == .quoted && quoted[0].similarity == 1)
        let bytes = Array(context.utf8)
        #expect(String(decoding: bytes[quoted[0].range], as: UTF8.self) == "Ben lives in Oslo.")
        // A part of a sentence of three words or more.
        #expect(try await map.sentences(for: "born in Paris", in: context).map(\.route) == [.quoted])
        var two = map
        two.topSentences = 2
        #expect(
            try await two.sentences(for: "Carl was born in Paris. Anna lives in Rome.", in: context).map(\.text)
                == ["Carl was born in Paris.", "Anna lives in Rome."])
    }

    @Test func paraphrasesAreMappedToRealSentences() async throws {
        let map = SentenceMap()
        let found = try await map.sentences(for: "It says Paris is where Carl was", in: context)
        #expect(found.map(\.text) == ["Carl was born in Paris."] && found[0].route == .lexical)
        // {it says paris is where carl was} and {carl was born in paris} share 3 words: 2·3 / (7 + 5).
        #expect(abs(found[0].similarity - 0.5) < 1e-12)
        #expect(try await map.sentences(for: "Zebras quarrel.", in: context).isEmpty)
        #expect(try await map.sentences(for: "", in: context).isEmpty)
        #expect(try await SentenceMap(leastSimilarity: 0.6).sentences(for: "Carl Paris", in: context).isEmpty)
        // A sentence that stands twice is highlighted where it stands first.
        let twice = try await map.sentences(for: "It is.", in: "It is. It was. It is.")
        #expect(twice.map(\.range) == [0..<6])
    }

    @Test func anEncoderDecidesWhereThereIsOne() async throws {
        struct Encoder: EmbeddingModel {
            let identity = ModelIdentity(
                reference: "test", name: "test encoder", fingerprint: "", contextLength: nil)
            let embeddingWidth = 2
            let embeddingKind = "made up"
            func embed(_ texts: [String]) async throws -> [[Float]] {
                texts.map { $0.contains("Ben") || $0.contains("north") ? [1, 0] : [0.6, 0.8] }
            }
        }
        let map = SentenceMap(encoder: Encoder(), topSentences: 2)
        let found = try await map.sentences(for: "He is in the north", in: context)
        #expect(found.map(\.text) == ["Ben lives in Oslo.", "Anna lives in Rome."])
        #expect(found[0].similarity == 1 && abs(found[1].similarity - 0.6) < 1e-6)
        #expect(found.allSatisfy { $0.route == .embedding } && map.method == "test encoder")
    }

    @Test func answersAreCompared() {
        #expect(AnswerMatch.exact("The Rome!", ["rome"]))
        #expect(!AnswerMatch.exact("in Rome", ["Rome"]))
        #expect(abs(AnswerMatch.f1("in Rome", ["Rome", "Oslo"]) - 2.0 / 3) < 1e-12)
        #expect(AnswerMatch.f1("", ["Rome"]) == 0)
        #expect(AnswerMatch.contains("Ben lives in New York.", answer: "new york"))
        #expect(!AnswerMatch.contains("Ben lives in Newark.", answer: "new"))
        #expect(ByteSearch.first(Array("aab".utf8), in: Array("aaaab".utf8)) == 2)
        #expect(ByteSearch.first(Array("ba".utf8), in: Array("aaab".utf8)) == nil)
    }

    // MARK: Data and options

    private func item(_ record: JSONValue) throws -> OpenBookItem {
        try OpenBookItem(Record(record, at: RecordPlace(source: "qa.jsonl", line: 3)))
    }

    @Test func recordsAreRead() throws {
        let found = try item([
            "question": "Where?", "context": .string(context), "answers": ["Oslo"],
            "supporting": ["Ben lives in Oslo."],
        ])
        #expect(found.goldSpans(among: []) == [20..<38])
        let unnamed = try item(["question": "Where?", "context": .string(context), "answer": "Paris"])
        let sentences = Sentences.ranges(in: context)
        #expect(unnamed.goldSpans(among: sentences) == [sentences[2]])
        for bad: JSONValue in [
            ["question": "Where?"], ["context": "c"],
            ["question": "Where?", "context": "c", "supporting": ["not there"]],
        ] {
            let error = #expect(throws: DataError.self) { try item(bad) }
            #expect(error?.description.contains("qa.jsonl:3") == true)
        }
    }

    @Test func madeUpFactsAreApart() {
        let profiling = MadeUpFacts.items(.profiling, count: 20, seed: 1)
        let test = MadeUpFacts.items(.test, count: 20, seed: 1)
        #expect(Set(profiling.flatMap(\.answers)).isDisjoint(with: test.flatMap(\.answers)))
        for item in profiling + test {
            let sentences = Sentences.ranges(in: item.context)
            #expect(sentences.count == 12)
            #expect(item.goldSpans(among: sentences).count == 1)
            #expect(item.supporting[0].hasPrefix(item.answerPrefix) && item.supporting[0].contains(item.answers[0]))
        }
        #expect(test == MadeUpFacts.items(.test, count: 20, seed: 1))
        #expect(test != MadeUpFacts.items(.test, count: 20, seed: 2))
    }

    @Test func optionsAreChecked() throws {
        #expect(throws: OptionError.self) { try AutoPASTA.Options { $0.alpha = 0 } }
        #expect(throws: OptionError.self) { try AutoPASTA.Options { $0.topSentences = 0 } }
        #expect(throws: OptionError.self) {
            try AutoPASTA.Options {
                $0.headsPerLayer = []
                $0.headsPooled = []
            }
        }
        #expect(throws: OptionError.self) {
            try AutoPASTA.Options {
                $0.heads = [HeadName(Head(1, 1))]
                $0.profile = Path("p.json")
            }
        }
        #expect(throws: OptionError.self) { try AutoPASTA.Options(flags: ["--heads", "23-4"]) }
    }

    @Test func endpointsAreRefused() async throws {
        let lab = Lab(
            slug: "autopasta", subject: ScriptedModel([]),
            dataSet: DataSet(name: "made", records: [["question": "Where?", "context": .string(context)]]))
        let error = await #expect(throws: CapabilityError.self) { try await AutoPASTA().run(.init(), in: lab) }
        #expect(error?.description.contains("open model") == true)
    }
}

private actor Calls {
    var phases: [String] = []
    var counts: [Int] = []

    func add(_ phase: String, _ count: Int) {
        phases.append(phase)
        counts.append(count)
    }
}
