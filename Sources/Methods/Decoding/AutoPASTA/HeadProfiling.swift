import Foundation
import Inference
import Laboratory
import Text

/// What a head set is judged by on the profiling items.
public enum ProfileMetric: String, OptionChoice {
    public typealias Item = ProfileMetric
    /// The mean probability of the gold answer's first token: one pass over the prompt, no generation.
    case probability
    /// The mean F1 of the generated answer's words: the task's own metric, many times slower.
    case f1

    var title: String {
        switch self {
        case .probability: "mean probability of the gold answer's first token"
        case .f1: "mean F1 of the answer"
        }
    }
}

/// The items that heads are profiled on, ready to be run. The spans that are highlighted are the gold ones.
struct ProfilingSet: Sendable {
    struct Item: Sendable {
        var prompt: OpenBookPrompt
        var spans: [Range<Int>]
        var gold: Set<TokenID>
        var answers: [String]
    }

    /// What the items are, in words.
    var task: String
    var items: [Item]
    /// A hash of what the items hold.
    var contentHash: String

    /// Leaves out items without a gold answer or without a sentence that holds it.
    init(
        _ items: [OpenBookItem], task: String, style: OpenBookPrompt.Style, model: any OpenModel
    ) throws {
        self.task = task
        self.items = try items.compactMap { item in
            let gold = OpenBookPrompt.firstTokens(of: item, style: style, tokenizer: model.tokenizer)
            let spans = item.goldSpans(among: Sentences.ranges(in: item.context))
            guard !gold.isEmpty, !spans.isEmpty else { return nil }
            let prompt = try OpenBookPrompt.answering(item, style: style, model: model)
            return Item(
                prompt: prompt, spans: try spans.map { try prompt.tokens(ofContext: $0) }, gold: gold,
                answers: item.answers)
        }
        guard !self.items.isEmpty else { throw AutoPASTAError.nothingToProfile }
        var hash = SHA256()
        for item in self.items {
            hash.update(Array("\(item.prompt.ids)|\(item.spans)|\(item.gold.sorted())\n".utf8))
        }
        contentHash = hash.hexadecimal()
    }
}

/// Scores head sets of a model on profiling items, and keeps the outcome.
struct HeadProfiling: Sendable {
    var model: any OpenModel
    /// How heads are steered; its own heads are not used.
    var steering: AttentionSteering
    var set: ProfilingSet
    var metric: ProfileMetric
    var profiler: HeadProfiler
    /// The longest generated answer, where the metric needs one.
    var maxTokens = 32

    /// The profile from the cache, or a new one that is kept there. One made for other weights, settings or items is another
    /// file, and a damaged one is made again.
    func cachedProfile(in lab: Lab) async throws -> (profile: HeadProfile, isCached: Bool) {
        let identity = model.identity
        let file = lab.cacheFolder.appendingPathComponent("head-profiles")
            .appendingPathComponent("autopasta-\(key(fingerprint: identity.fingerprint)).json")
        if FileManager.default.fileExists(atPath: file.path) {
            do {
                return (
                    try HeadProfile(
                        path: file.path, fingerprint: identity.fingerprint, architecture: model.architecture), true
                )
            } catch {
                lab.tell("\(error) It is made again.")
            }
        }
        let profile = try await makeProfile(in: lab)
        try profile.write(to: file)
        await lab.recorder.record(Artifact(kind: "head profile", path: file.path))
        return (profile, false)
    }

    private func key(fingerprint: String) -> String {
        let settings =
            "\(fingerprint)|\(steering.alpha)|\(steering.position)|\(steering.protectsFirstToken)|\(metric)|\(maxTokens)|"
            + "\(profiler.keptLayers)|\(profiler.perLayer)|\(profiler.pooled)|\(set.contentHash)"
        return String(SHA256.hexadecimal(of: Array(settings.utf8)).prefix(24))
    }

    func makeProfile(in lab: Lab) async throws -> HeadProfile {
        let unsteered = try await score("Unsteered", [[]], in: lab)[0]
        let result = try await profiler.profile { phase, sets in try await score(phase, sets, in: lab) }
        return HeadProfile(
            result, unsteered: unsteered, model: model, steering: steering, task: set.task, items: set.items.count,
            metric: metric.title)
    }

    /// The mean score of each head set; an empty set is not steered. All sets and items are in flight together.
    func score(_ phase: String, _ sets: [Set<Head>], in lab: Lab) async throws -> [Double] {
        let count = set.items.count
        let scores = try await lab.forEach("Profiling: \(phase.lowercased())", 0..<sets.count * count) { job in
            try await score(set.items[job % count], heads: sets[job / count])
        }
        return sets.indices.map { index in
            scores[index * count..<(index + 1) * count].reduce(0, +) / Double(count)
        }
    }

    private func score(_ item: ProfilingSet.Item, heads: Set<Head>) async throws -> Double {
        var interventions: [Intervention] = []
        if !heads.isEmpty {
            var steering = steering
            steering.heads = heads
            interventions = [
                try steering.intervention(
                    highlighting: item.spans, promptCount: item.prompt.ids.count, architecture: model.architecture)
            ]
        }
        switch metric {
        case .probability:
            return try await FirstToken.read(
                after: item.prompt, gold: item.gold, interventions: interventions, model: model
            ).probability
        case .f1:
            let answer = try await model.complete(
                CompletionRequest(
                    item.prompt.prompt, stop: StopRule(maxTokens: maxTokens, strings: ["\n"]),
                    interventions: interventions))
            return AnswerMatch.f1(answer.text, item.answers)
        }
    }
}
