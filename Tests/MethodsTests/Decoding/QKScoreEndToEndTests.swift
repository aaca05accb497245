import Decoding
import Foundation
import Inference
import Laboratory
import Testing
import Text

private let embedded = ModelReference.embeddedFile.path

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: embedded),
        "the embedded model is not in the cache; make demo fetches it"))
struct QKScoreEndToEndTests {
    private func items(_ count: Int, _ model: LocalModel) throws -> [ChoiceItem] {
        var random = SeededGenerator(seed: 7)
        return try SyntheticChoices.items(
            count, words: SyntheticChoices.words(of: model.tokenizer), name: "made", using: &random)
    }

    @Test(.timeLimit(.minutes(3))) func positionsInTheTokenizer() throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let words = SyntheticChoices.words(of: model.tokenizer)
        #expect(words.count > 1_000 && words.allSatisfy { (5...9).contains($0.count) && $0 == $0.lowercased() })
        let item = ChoiceItem(
            id: "x", question: "Which?", options: ["It ends.", "It has\ntwo lines", "x"], gold: 0)
        let reader = ChoiceReader(model: model)
        let prompt = try reader.prompt(item)
        let texts = prompt.options.map { $0.map { model.tokenizer.text(of: prompt.ids[$0]) } }
        #expect(texts.allSatisfy { $0.count == 1 && $0[0].contains("\n") })
        // The line break that ends an option, not the one inside it: the next token is the next letter.
        for (index, tokens) in prompt.options.enumerated().dropLast() {
            let next = model.tokenizer.text(of: prompt.ids[tokens[0] + 1])
            #expect(next == ChoiceText.letter(index + 1))
        }
        #expect(model.tokenizer.text(of: prompt.ids[prompt.last]) == ":")
        var byLabel = reader
        byLabel.token = .label
        let labels = try byLabel.prompt(item)
        #expect(labels.options.map { model.tokenizer.text(of: labels.ids[$0[0]]) } == ["A", "B", "C", "D", "E"])
        #expect(throws: QKScoreError.tooFewOptions(id: "y", 1)) {
            try reader.prompt(ChoiceItem(id: "y", question: "?", options: ["a"], gold: 0))
        }
    }

    /// In f32 so that what differs is the method's reading, not the rounding of activations.
    @Test(.timeLimit(.minutes(3))) func productsAreThoseOfTheWeightsAndDontSeePositions() async throws {
        var options = LocalModel.Options()
        options.precision = .f32
        let model = try LocalModel(path: embedded, reference: "embedded", options: options)
        let exact = try await QKExactness(
            try items(1, model)[0], reader: ChoiceReader(model: model), layers: [0, 13, 29])
        #expect(exact.projectionError < 1e-5)
        #expect(exact.shiftChange < 1e-5)
        #expect(exact.shiftAttentionChange < 1e-4)
        #expect(exact.gapChange < 1e-6)
        #expect(exact.gapAttentionChange > 0.1)
    }

    @Test(.timeLimit(.minutes(3))) func scoresAreReadAtTheRightPlaces() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let item = try items(1, model)[0]
        let reader = ChoiceReader(model: model)
        let prompt = try reader.prompt(item)
        let reading = try await reader.read(item)
        // Everything at all positions, read by hand.
        let trace = try await model.trace(
            TraceRequest(prompt.prompt, queriesAndKeys: [20], attention: [Head(20, 7)], lens: [20, 30]))
        let size = model.architecture.headSize
        let queries = try #require(trace.queries[20])
        let keys = try #require(trace.keys[20])
        let q = queries[(prompt.last * 9 + 7) * size..<(prompt.last * 9 + 8) * size]
        for (option, tokens) in prompt.options.enumerated() {
            let k = keys[(tokens[0] * 3 + 2) * size..<(tokens[0] * 3 + 3) * size]
            let product = zip(q, k).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(reading.qk[Head(20, 7)][option] - product) < 1e-6)
            let weight = try #require(trace.attention[Head(20, 7)]?[prompt.last])[tokens[0]]
            #expect(reading.attention[Head(20, 7)][option] == Double(weight))
        }
        let logits = try #require(trace.logits[prompt.last])
        let letter = try #require(model.tokenizer.encode(" A").first)
        #expect(reading.letters[.spaced]?[0] == Double(logits[Int(letter)]))
        // The lens on the final hidden state gives the logits themselves.
        let last = try #require(trace.lens[30]?[prompt.last])
        #expect(last == logits)
        #expect(trace.lens[20]?[prompt.last] != last)
        // Several tokens are averaged.
        var mean = reader
        mean.token = .mean
        let averaged = try await mean.read(item)
        let tokens = try mean.prompt(item).options[0]
        let products = tokens.map { token in
            zip(q, keys[(token * 3 + 2) * size..<(token * 3 + 3) * size])
                .reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        }
        #expect(
            abs(averaged.qk[Head(20, 7)][0] - products.reduce(0, +) / Double(products.count)) < 1e-3)
    }

    @Test(.timeLimit(.minutes(3))) func aRunOnUserData() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let records = try items(12, model).map { item -> JSONValue in
            [
                "question": .string(item.question), "options": .array(item.options.map { .string($0) }),
                "gold": .integer(item.gold), "subject": .string(item.gold < 2 ? "first" : "second"),
            ]
        }
        let options = try QKScore.Options {
            $0.calibrationFraction = 0.5
            $0.ensemble = 2
            $0.shots = 1
            $0.prideItems = 2
            $0.ablationItems = 2
            $0.ablationDraws = 1
            $0.logitLens = true
        }
        let lab = Lab(slug: "qk-score", subject: model, dataSet: DataSet(name: "made", records: records))
        let report = try await QKScore().run(options, in: lab)
        let tables = report.blocks.compactMap { if case .table(let table) = $0 { table } else { nil } }
        #expect(
            tables.map(\.caption) == [
                "All ways of answering, with never-correct options", "All ways of answering, content options",
                "By subject, with never-correct options", "The heads ranked best",
                "Accuracy when heads' outputs are zero",
            ])
        #expect(tables[0].rows.count == 4 && tables[4].rows.count == 3)
        let samples = await lab.recorder.samples
        #expect(samples.count == 6)
        let file = try #require(await lab.recorder.artifacts.first)
        // The file answers for the model without any calibration questions.
        let again = try QKScore.Options {
            $0.headFile = Path(file.path)
            $0.extraOptions = false
            $0.ablationItems = 0
        }
        let one = Lab(slug: "qk-score", subject: model, dataSet: DataSet(name: "made", records: [records[0]]))
        #expect(try await QKScore().run(again, in: one).summary.contains("of 1 questions"))
        let error = await #expect(throws: QKScoreError.self) { try await QKScore().run(.init(), in: one) }
        #expect(error == .noCalibration(items: 1))
        let otherwise = try QKScore.Options {
            $0.headFile = Path(file.path)
            $0.token = .label
        }
        let conflict = await #expect(throws: QKScoreError.self) { try await QKScore().run(otherwise, in: one) }
        #expect(conflict?.description.contains("--rep-token eol") == true)
        let missing = try QKScore.Options { $0.heads = [HeadName(Head(99, 0))] }
        await #expect(throws: QKScoreError.self) { try await QKScore().run(missing, in: lab) }
    }

    @Test(.timeLimit(.minutes(3))) func ablationChangesWhatComesAfter() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let item = try items(1, model)[0]
        let reader = ChoiceReader(model: model)
        let plain = try await reader.read(item)
        let ablated = try await reader.read(item, interventions: [.ablateHeads([Head(13, 6)])])
        let perLayer = 9 * 6
        // The scores of its own layer are read before its output is lost.
        #expect(ablated.qk.values[..<(14 * perLayer)] == plain.qk.values[..<(14 * perLayer)])
        #expect(ablated.qk.values[(14 * perLayer)...] != plain.qk.values[(14 * perLayer)...])
        #expect(ablated.letters != plain.letters)
    }

    @Test(.timeLimit(.minutes(3))) func theDemoOnAFewQuestions() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let demonstration = try await QKScore().demo(in: Lab(slug: "qk-score", subject: model, limit: 6))
        // The effect is promised for the experiment's 400 questions, not for 12; the mechanism holds for any number.
        let failed = demonstration.checks.filter { $0.role == .mechanism && !$0.holds }
        #expect(failed.isEmpty, "\(failed)")
        #expect(demonstration.checks.count { $0.role == .mechanism } == 5)
    }
}
