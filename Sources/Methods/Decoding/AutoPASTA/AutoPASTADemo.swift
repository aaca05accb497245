import Foundation
import Inference
import Laboratory
import Text

/// The experiment that can prove AutoPASTA's claim wrong on a small model: heads are profiled on 10 made-up questions and
/// tested on 40 others with other people and places, steered towards the gold sentence, a random one, and the one that the
/// model itself picks.
struct AutoPASTADemo {
    let lab: Lab
    var profilingItems = 10
    var testItems = 40
    var style = OpenBookPrompt.Style.raw

    /// The ways in which the test items are read.
    enum Arm: String, CaseIterable, Sendable {
        case unsteered
        case gold = "gold sentence"
        case random = "random sentence"
        case named = "sentence the model picks"
        case wholeContext = "whole context"
        case allHeads = "all heads, gold sentence"
        case protected = "gold sentence, first token spared"
    }

    /// A test item, ready to be read.
    struct Prepared: Sendable {
        var item: OpenBookItem
        var prompt: OpenBookPrompt
        var gold: Set<TokenID>
        var spans: [Arm: Range<Int>]
        /// Whether the model picks the gold sentence.
        var isHit: Bool
    }

    func demonstrate() async throws -> Demonstration {
        let model = try lab.openModel()
        let architecture = model.architecture
        let limit = lab.limit ?? .max
        var steering = try AttentionSteering(heads: [])
        let profiling = HeadProfiling(
            model: model, steering: steering,
            set: try ProfilingSet(
                MadeUpFacts.items(.profiling, count: min(profilingItems, limit), seed: lab.seed), task: "made-up facts",
                style: style, model: model),
            metric: .probability,
            profiler: HeadProfiler(
                layers: architecture.layers, heads: architecture.heads, keptLayers: 3, perLayer: [1, 2, 4],
                pooled: [2, 4, 8, 16]))
        let profile = try await lab.time("head profile") { try await profiling.makeProfile(in: lab) }
        try await keep(profile)
        steering.heads = Set(profile.selected)

        let items = MadeUpFacts.items(.test, count: min(testItems, limit), seed: lab.seed)
        let prepared = try await lab.time("sentence choice") {
            try await lab.forEach("Choosing sentences", items) { try await prepare($0, model: model) }
        }
        let readings = try await lab.time("test") {
            try await read(prepared, steering: steering, model: model)
        }
        let exactness = try await SteeringExactness(
            prompt: prepared[0].prompt, span: prepared[0].spans[.gold] ?? 0..<1, head: profile.selected[0],
            model: model)
        return try demonstration(profile, prepared, readings, exactness, tokenizer: model.tokenizer)
    }

    private func keep(_ profile: HeadProfile) async throws {
        let file = try lab.outputFile("heads.json")
        try profile.write(to: file)
        await lab.recorder.record(Artifact(kind: "head profile", path: file.path))
    }

    // MARK: Measuring

    /// Finds the spans of an item. The model's own choice is the sentence that it finds likeliest as the quotation, as models
    /// of this size rarely quote word for word.
    private func prepare(_ item: OpenBookItem, model: any OpenModel) async throws -> Prepared {
        let sentences = Sentences.ranges(in: item.context)
        let prompt = try OpenBookPrompt.answering(item, style: style, model: model)
        guard let gold = item.goldSpans(among: sentences).first else { throw AutoPASTAError.noAnswers(id: item.id) }
        var random = lab.random("random sentence, \(item.id)")
        let other = random.pick(sentences.filter { $0 != gold }) ?? gold

        let bytes = Array(item.context.utf8)
        let identifying = try OpenBookPrompt.identifying(item, style: style, model: model)
        let lead = style == .raw ? " " : ""
        let scores = try await model.score(
            continuations: sentences.map { lead + String(decoding: bytes[$0], as: UTF8.self) },
            after: identifying.prompt
        ).map { $0.total() / Float($0.ids.count) }
        let named = scores.indices.max { scores[$0] < scores[$1] }.map { sentences[$0] } ?? gold

        let whole = try prompt.contextTokens()
        let goldTokens = try prompt.tokens(ofContext: gold)
        return Prepared(
            item: item, prompt: prompt,
            gold: OpenBookPrompt.firstTokens(of: item, style: style, tokenizer: model.tokenizer),
            spans: [
                .gold: goldTokens, .random: try prompt.tokens(ofContext: other),
                .named: try prompt.tokens(ofContext: named), .wholeContext: whole, .allHeads: goldTokens,
                .protected: goldTokens,
            ], isHit: named == gold)
    }

    /// The first token of every item under every arm.
    private func read(
        _ prepared: [Prepared], steering: AttentionSteering, model: any OpenModel
    ) async throws -> [Arm: [FirstToken]] {
        let arms = Arm.allCases
        let readings = try await lab.forEach("Testing", 0..<arms.count * prepared.count) { job in
            let arm = arms[job / prepared.count]
            let item = prepared[job % prepared.count]
            var steering = steering
            if arm == .allHeads { steering.heads = model.architecture.allHeads }
            if arm == .protected { steering.protectsFirstToken = true }
            let interventions = try item.spans[arm].map { (span) throws(SteeringError) in
                try steering.intervention(
                    highlighting: [span], promptCount: item.prompt.ids.count, architecture: model.architecture)
            }
            return try await FirstToken.read(
                after: item.prompt, gold: item.gold, interventions: interventions.map { [$0] } ?? [], model: model)
        }
        return Dictionary(
            uniqueKeysWithValues: arms.enumerated().map { index, arm in
                (arm, Array(readings[index * prepared.count..<(index + 1) * prepared.count]))
            })
    }

    // MARK: Judging

    private func demonstration(
        _ profile: HeadProfile, _ prepared: [Prepared], _ readings: [Arm: [FirstToken]],
        _ exactness: SteeringExactness, tokenizer: Tokenizer
    ) throws -> Demonstration {
        func probabilities(_ arm: Arm) -> [Double] { (readings[arm] ?? []).map(\.probability) }
        func tops(_ arm: Arm) -> [Bool] { (readings[arm] ?? []).map(\.isGold) }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
        func p(_ arm: Arm) -> Double { mean(probabilities(arm)) }
        func top(_ arm: Arm) -> Double { mean(tops(arm).map { $0 ? 1 : 0 }) }

        let style = NumberStyle.decimals(2)
        let best = profile.bestLayer
        var report = Report("AutoPASTA on made-up facts")
        report.summary =
            "Steering \(profile.selected.count) of \(profile.layers * profile.heads) heads towards the sentence with the "
            + "answer raises top-1 from \(style.text(top(.unsteered))) to \(style.text(top(.gold))); towards a random "
            + "sentence it falls to \(style.text(top(.random)))."
        report.section("The answer's first token")
        report.note(
            "\(prepared.count) questions on 12 shuffled facts; the next token should be the place. Heads \(profile.selected.names) "
                + "were profiled on \(profile.items) other questions with other people and places.")
        report.add(
            Comparison(
                "top-1", baseline: "unsteered", method: "gold sentence",
                try PairedDifference(baseline: tops(.unsteered), method: tops(.gold))))
        report.add(
            Comparison(
                "p(gold)", baseline: "unsteered", method: "gold sentence",
                try PairedDifference(baseline: probabilities(.unsteered), method: probabilities(.gold))))
        var table = Table("All arms", columns: [.text("highlighted"), .number("p(gold)"), .number("top-1")])
        for arm in Arm.allCases {
            table.add(
                arm.rawValue, Metric("", try .mean(probabilities(arm))).text, Metric("", try .accuracy(tops(arm))).text,
                emphasised: arm == .gold)
        }
        report.add(table)
        report.add(
            Plot(
                "Probability of the right place", x: "highlighted", y: "p(gold)",
                .bars(try Arm.allCases.map { Plot.Bar($0.rawValue, try .mean(probabilities($0))) })))
        let hits = prepared.map(\.isHit)
        report.add([
            Metric(
                "evidence hit rate", try .accuracy(hits), style: .percent,
                detail: "the model finds the right sentence likeliest; chance is 1 of 12")
        ])
        OpenBookReport.add(profile, to: &report)
        report.section("Samples")
        report.add(samples(prepared, readings, tokenizer))

        let checks = [
            Check("p(gold) gained", p(.gold) - p(.unsteered), .atLeast(0.35)),
            Check("top-1 steered", top(.gold), .atLeast(0.8)),
            Check("p(gold) gained with a random sentence", p(.random) - p(.unsteered), .atMost(0)),
            Check(
                "best layer above the median layer", profile.coarse[best] - profile.medianLayerScore, .atLeast(0.3)),
            Check(
                "all heads, all tokens: largest change of a logit", exactness.neutralChange, .atMost(1e-5),
                role: .mechanism),
            Check(
                "steered weights against the scaled originals", exactness.steeredError, .atMost(1e-5), role: .mechanism),
            Check(
                "other heads of the layer: largest change of a weight", exactness.otherHeadsChange, .atMost(0),
                role: .mechanism),
        ]
        let controls: [Demonstration.Control] =
            Arm.allCases.flatMap { arm in
                [.init("p(gold), \(arm.rawValue)", p(arm)), .init("top-1, \(arm.rawValue)", top(arm))]
            } + [
                .init("evidence hit rate", mean(hits.map { $0 ? 1 : 0 })), .init("best layer", Double(best)),
                .init("p(gold) of the best layer", profile.coarse[best]),
                .init("p(gold) of the median layer", profile.medianLayerScore),
            ]
        return Demonstration(report, checks: checks, controls: controls)
    }

    private func samples(
        _ prepared: [Prepared], _ readings: [Arm: [FirstToken]], _ tokenizer: Tokenizer
    ) -> [SampleTrace] {
        prepared.indices.prefix(8).map { index in
            let item = prepared[index].item
            let arms: [Arm] = [.unsteered, .gold, .named, .random]
            return SampleTrace(
                item.id, input: item.context + "\n\n" + item.question, expected: item.answers.first ?? "",
                arms: arms.compactMap { arm in
                    readings[arm].map { readings in
                        let reading = readings[index]
                        return SampleTrace.Arm(
                            arm.rawValue, item.answerPrefix + tokenizer.text(of: reading.top),
                            isCorrect: reading.isGold,
                            score: reading.probability)
                    }
                })
        }
    }
}
