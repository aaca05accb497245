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
struct AutoPASTAEndToEndTests {
    private let item = MadeUpFacts.items(.test, count: 1, seed: 3)[0]

    private func model() throws -> LocalModel { try LocalModel(path: embedded, reference: "embedded") }

    private func gold(_ prompt: OpenBookPrompt) throws -> Range<Int> {
        try prompt.tokens(ofContext: try #require(item.goldSpans(among: []).first))
    }

    @Test(.timeLimit(.minutes(3))) func spansOfTheContext() throws {
        let model = try model()
        for style in [OpenBookPrompt.Style.raw, .chat] {
            let prompt = try OpenBookPrompt.answering(item, style: style, model: model)
            let text = model.tokenizer.decode(prompt.ids[try gold(prompt)])
            #expect(text.trimmingPrefix(" ") == item.supporting[0])
            let context = model.tokenizer.decode(prompt.ids[try prompt.contextTokens()])
            #expect(context.trimmingPrefix(" ") == item.context)
            #expect(throws: AutoPASTAError.self) {
                try prompt.tokens(ofContext: 0..<item.context.utf8.count + 1)
            }
        }
        let raw = model.tokenizer.decode(try OpenBookPrompt.answering(item, style: .raw, model: model).ids)
        #expect(raw == "Context: \(item.context)\n\nQuestion: \(item.question)\nAnswer: \(item.answerPrefix)")
        let quote = model.tokenizer.decode(try OpenBookPrompt.identifying(item, style: .raw, model: model).ids)
        #expect(quote.hasSuffix("\nQuote:") && quote.contains("word for word"))
        let iterated = model.tokenizer.decode(
            try OpenBookPrompt.iterating(item, evidence: "It is so.", style: .raw, model: model).ids)
        #expect(iterated.contains("\n\nEvidence: It is so.\n\nQuestion:"))
    }

    /// softmax(A + B) from the outside: the captured weights times exp(B), renormalised.
    @Test(.timeLimit(.minutes(3)), arguments: [ScalePosition.exclude, .include, .generation])
    func steeredWeightsAreTheScaledOnes(position: ScalePosition) async throws {
        let model = try model()
        let prompt = try OpenBookPrompt.answering(item, style: .raw, model: model)
        let count = prompt.ids.count
        let span = try gold(prompt)
        let head = Head(23, 4)
        let heads = Set((0..<9).map { Head(23, $0) })
        let steering = try AttentionSteering(heads: [head], alpha: 0.03, position: position, protectsFirstToken: true)
        let request = TraceRequest(
            prompt.prompt, attention: heads, attentionQueries: [span.upperBound - 2, count / 2, -1])
        var steered = request
        steered.interventions = [
            try steering.intervention(
                highlighting: [span], promptCount: count, architecture: model.architecture)
        ]
        let before = try await model.trace(request)
        let after = try await model.trace(steered)
        for query in [span.upperBound - 2, count / 2, count - 1] {
            let weights = try #require(before.attention[head]?[query])
            let scaled = weights.enumerated().map { key, weight in
                let factor: Double =
                    switch position {
                    case .exclude: key == 0 || span.contains(key) ? 1 : 0.03
                    case .include: span.contains(key) ? 1 / 0.03 : 1
                    case .generation: key == 0 ? 1 : 0.03
                    }
                return Double(weight) * factor
            }
            let total = scaled.reduce(0, +)
            let found = try #require(after.attention[head]?[query])
            #expect(found.count == scaled.count)
            let worst = zip(found, scaled).reduce(0) { max($0, abs(Double($1.0) - $1.1 / total)) }
            #expect(worst < 1e-5)
            for other in heads.subtracting([head]) {
                #expect(after.attention[other]?[query] == before.attention[other]?[query])
            }
        }
        #expect(after.logits[count - 1] != before.logits[count - 1])
    }

    @Test(.timeLimit(.minutes(3))) func allTokensHighlightedIsNoSteering() async throws {
        let model = try model()
        let prompt = try OpenBookPrompt.answering(item, style: .raw, model: model)
        let count = prompt.ids.count
        let plain = try await model.trace(TraceRequest(prompt.prompt))
        let steering = try AttentionSteering(heads: model.architecture.allHeads)
        let steered = try await model.trace(
            TraceRequest(
                prompt.prompt,
                interventions: [
                    try steering.intervention(
                        highlighting: [0..<count], promptCount: count, architecture: model.architecture)
                ]))
        let a = try #require(plain.logits[count - 1])
        let b = try #require(steered.logits[count - 1])
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 })
    }

    /// Generated tokens carry no bias: greedy steered decoding chooses what a fresh pass over prompt and continuation, with the
    /// bias on the prompt's tokens alone, finds best.
    @Test(.timeLimit(.minutes(3))) func generatedTokensCarryNoBias() async throws {
        let model = try model()
        let prompt = try OpenBookPrompt.answering(item, style: .raw, model: model)
        let heads: Set<Head> = [Head(23, 4), Head(23, 7), Head(23, 2), Head(24, 5)]
        let intervention = try AttentionSteering(heads: heads).intervention(
            highlighting: [try gold(prompt)], promptCount: prompt.ids.count, architecture: model.architecture)
        let completion = try await model.complete(
            CompletionRequest(
                prompt.prompt, stop: StopRule(maxTokens: 6, ignoresEndOfText: true), interventions: [intervention]))
        #expect(completion.ids.count == 6)
        for length in 0..<6 {
            let ids = prompt.ids + completion.ids.prefix(length)
            let trace = try await model.trace(
                TraceRequest(.tokens(ids), interventions: [intervention], attention: [Head(23, 4)]))
            let logits = try #require(trace.logits[ids.count - 1])
            let best = try #require(logits.indices.max { logits[$0] < logits[$1] })
            #expect(TokenID(best) == completion.ids[length])
        }
    }

    @Test(.timeLimit(.minutes(3))) func aRunOnUserData() async throws {
        let model = try model()
        let context = "Anna lives in Rome. Ben lives in Oslo. Carl was born in Paris."
        let data = DataSet(
            name: "made",
            records: [
                ["id": "ben", "question": "Where does Ben live?", "context": .string(context), "answer": "Oslo"],
                ["id": "carl", "question": "Where was Carl born?", "context": .string(context), "answer": "Paris"],
            ])
        let options = try AutoPASTA.Options {
            $0.heads = [HeadName(Head(23, 4)), HeadName(Head(23, 7)), HeadName(Head(24, 5))]
            $0.extractMaxTokens = 24
            $0.maxTokens = 8
            $0.raw = true
            // No word overlap is more: nothing but a quotation is highlighted.
            $0.leastSimilarity = 1
        }
        let lab = Lab(slug: "autopasta", subject: model, dataSet: data)
        let report = try await AutoPASTA().run(options, in: lab)
        let samples = await lab.recorder.samples
        #expect(samples.count == 2)
        let names = [
            "direct", "iterative", "autopasta", "whole-context", "random-sentence", "gold-evidence", "all-heads",
        ]
        for sample in samples {
            let arms = Dictionary(uniqueKeysWithValues: sample.arms.map { ($0.name, $0) })
            #expect(Set(arms.keys).isSubset(of: names) && arms.count >= 6)
            let steps = try #require(arms["autopasta"]?.steps)
            #expect(steps.map(\.name) == ["quotation", "highlighted"])
            if steps[1].text.hasPrefix("nothing") { #expect(arms["autopasta"]?.output == arms["direct"]?.output) }
        }
        #expect(report.metrics.contains { $0.name == "evidence hit rate" })
        #expect(report.summary.contains("2 questions"))
        let missing = try AutoPASTA.Options { $0.heads = [HeadName(Head(40, 0))] }
        await #expect(throws: SteeringError.self) {
            try await AutoPASTA().run(missing, in: Lab(slug: "autopasta", subject: model, dataSet: data))
        }
    }

    /// With every quotation cut off before it begins, nothing can be mapped and nothing is steered.
    @Test(.timeLimit(.minutes(3))) func withoutAMappedSentenceTheAnswerIsUnsteered() async throws {
        let data = DataSet(
            name: "made",
            records: [
                ["question": "Where does Ben live?", "context": "Zygote. Quartz. Ben lives in Oslo.", "answer": "Oslo"]
            ])
        let options = try AutoPASTA.Options {
            $0.heads = (0..<9).map { HeadName(Head(23, $0)) }
            $0.extractMaxTokens = 1
            $0.leastSimilarity = 1
            $0.maxTokens = 6
            $0.baselines = []
            $0.raw = true
        }
        let lab = Lab(slug: "autopasta", subject: try model(), dataSet: data)
        _ = try await AutoPASTA().run(options, in: lab)
        let sample = try #require(await lab.recorder.samples.first)
        #expect(sample.arms.map(\.name) == ["direct", "autopasta"])
        #expect(sample.arms[1].steps[1].text == "nothing: the answer is unsteered")
        #expect(sample.arms[0].output == sample.arms[1].output)
    }

    @Test(.timeLimit(.minutes(5))) func theDemoOnAFewItems() async throws {
        let demonstration = try await AutoPASTA().demo(
            in: Lab(
                slug: "autopasta", subject: try model(), limit: 1,
                outputFolder: FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)))
        // The effect is promised for the experiment's 50 questions, not for 2; the mechanism holds for any number.
        let failed = demonstration.checks.filter { $0.role == .mechanism && !$0.holds }
        #expect(failed.isEmpty, "\(failed)")
        #expect(demonstration.checks.count { $0.role == .mechanism } == 3)
    }
}
