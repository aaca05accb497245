import Inference
import Laboratory
import Text

/// AutoPASTA: the model first names the key sentence of a context, then answers while a few profiled attention heads are
/// steered towards that sentence.
///
/// For a question q on a context c:
/// 1. *Identify*: the model quotes the sentences of c that hold the answer (greedy decoding).
/// 2. *Map*: the quotation is mapped to the nearest real sentences of c (`SentenceMap`); their tokens are the set G.
/// 3. *Answer*: the ordinary prompt of c and q (the quotation isn't added) is decoded greedily while the heads of the profile
///    are steered towards G (`AttentionSteering`). When nothing can be mapped the answer is unsteered, and counted.
///
/// The heads are profiled once a model from coarse to fine (`HeadProfiler`), and kept in a file tied to the model's
/// fingerprint. Baselines in the same run: direct and iterative prompting, steering towards the whole context or a random
/// sentence, all heads, and the gold evidence as the upper bound.
///
/// Where paper and re-implementation differ or are silent, the choices are: bias on tokens outside G (`exclude`), as the
/// PASTA library does, but on the union of several spans; 128 tokens for the quotation; profiling by the probability of the
/// gold answer's first token, on gold spans; layers kept and the k grids of the public re-implementation.
///
/// Source: Zhang, Yu, Singh, Liu, Liu, Gao, Zhao, Roth, Cheng, 2024, arXiv 2409.10790; the operator from Zhang et al., 2023,
/// arXiv 2311.02262.
public struct AutoPASTA: Method {
    public static let card = MethodCard(
        "autopasta", .decoding, name: "AutoPASTA", [.inference],
        "The model names the key sentence of a context, and a few profiled heads are steered towards it while it answers.",
        paper: Paper(
            "Model Tells Itself Where to Attend: Faithfulness Meets Automatic Attention Steering for LLMs",
            "Zhang et al.", 2024, arXiv: "2409.10790"),
        needs: [.completion, .scoring, .open],
        claim:
            "Steering a few profiled attention heads towards the sentence that holds the answer makes the model answer "
            + "from it; steering the same heads towards another sentence does harm.")

    public struct Options: MethodOptions {
        public var alpha = 0.01
        public var scalePosition = ScalePosition.exclude
        public var protectFirstToken = false
        public var heads: [HeadName] = []
        public var profile: Path?
        public var profileData: Path?
        public var profileItems = 40
        public var profileMetric = ProfileMetric.probability
        public var layersKept = 6
        public var headsPerLayer = [4, 6, 8]
        public var headsPooled = [16, 24, 32, 64]
        public var topSentences = 1
        public var leastSimilarity = 0.0
        public var encoder: Path?
        public var extractMaxTokens = 128
        public var maxTokens = 32
        public var raw = false
        public var baselines = OpenBookArm.baselines

        public init() {}

        public static let fields: [Field<Self>] = [
            Field("alpha", \.alpha, "scale of the attention outside the highlighted sentence", .above(0), .atMost(1)),
            Field("scale-position", \.scalePosition, "where the bias goes"),
            Field("protect-first-token", \.protectFirstToken, "leave the first token without a bias"),
            Field("heads", \.heads, "the heads to steer; empty: those of the profile"),
            Field("profile", \.profile, "a head profile of this model; none: the cached one, or a new one"),
            Field(
                "profile-data", \.profileData, "records to profile on, apart from the data; none: made-up facts"),
            Field("profile-items", \.profileItems, "the most items to profile on (the paper: about 1000)", .atLeast(1)),
            Field("profile-metric", \.profileMetric, "what heads are ranked by"),
            Field("layers-kept", \.layersKept, "layers looked at head by head", .within(1...64)),
            Field("heads-per-layer", \.headsPerLayer, "candidates: the best k heads of each layer", .atLeast(1)),
            Field("heads-pooled", \.headsPooled, "candidates: the best k heads of all kept layers", .atLeast(1)),
            Field("top-sentences", \.topSentences, "sentences to highlight (2 for multi-hop)", .atLeast(1)),
            Field(
                "least-similarity", \.leastSimilarity, "sentences less similar to the quotation are not highlighted",
                .within(0...1)),
            Field(
                "encoder", \.encoder,
                "the model that compares sentences; none: all-MiniLM-L6-v2 if `make embedders` installed it, else words in common"
            ),
            Field("extract-max-tokens", \.extractMaxTokens, "longest quotation, in tokens", .atLeast(1)),
            Field("max-tokens", \.maxTokens, "longest answer, in tokens", .atLeast(1)),
            Field("raw", \.raw, "plain prompts instead of the chat template"),
            Field("baselines", \.baselines, "what to measure beside direct prompting and AutoPASTA"),
        ]

        public func validate() throws(OptionError) {
            if headsPerLayer.isEmpty && headsPooled.isEmpty {
                throw .conflict(
                    "--heads-per-layer and --heads-pooled can't both be empty: no head set could be chosen.")
            }
            if !heads.isEmpty, profile != nil {
                throw .conflict("--heads and --profile both say which heads to steer; give one of them.")
            }
        }

        var style: OpenBookPrompt.Style { raw ? .raw : .chat }
    }

    public init() {}

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        let model = try lab.openModel()
        let items = try lab.data().records(as: OpenBookItem.self)
        var steering = try AttentionSteering(
            heads: [], alpha: options.alpha, position: options.scalePosition,
            protectsFirstToken: options.protectFirstToken)
        let choice = try await lab.time("head profile") {
            try await HeadChoice(options, steering: steering, model: model, lab: lab)
        }
        steering.heads = Set(choice.heads)
        let answering = OpenBookAnswering(
            model: model, style: options.style, steering: steering,
            map: SentenceMap(
                encoder: try lab.sentenceEncoder(options.encoder), topSentences: options.topSentences,
                leastSimilarity: options.leastSimilarity),
            extractMaxTokens: options.extractMaxTokens, maxTokens: options.maxTokens, seed: lab.seed)
        let arms = OpenBookArm.allCases.filter {
            $0 == .direct || $0 == .autopasta || options.baselines.contains($0)
        }
        let results = try await lab.time("answers") {
            try await lab.forEach("Answering", items, inFlight: 32) { item in
                let result = try await answering.answer(item, arms: arms)
                await lab.recorder.record(result.sample)
                return result
            }
        }
        return try OpenBookReport(arms: arms, results: results, choice: choice, map: answering.map).report
    }

    public func demo(in lab: Lab) async throws -> Demonstration {
        try await AutoPASTADemo(lab: lab).demonstrate()
    }
}

/// The heads to steer and where they come from.
struct HeadChoice: Sendable {
    var heads: [Head]
    /// In words.
    var source: String
    var profile: HeadProfile?

    init(_ options: AutoPASTA.Options, steering: AttentionSteering, model: any OpenModel, lab: Lab) async throws {
        if !options.heads.isEmpty {
            heads = options.heads.map(\.head)
            source = "given with --heads"
            return
        }
        if let path = options.profile {
            let profile = try HeadProfile(
                path: path.expanded, fingerprint: model.identity.fingerprint, architecture: model.architecture)
            heads = profile.selected
            source = "profile \(path)"
            self.profile = profile
            return
        }
        let profiler = HeadProfiler(
            layers: model.architecture.layers, heads: model.architecture.heads, keptLayers: options.layersKept,
            perLayer: options.headsPerLayer, pooled: options.headsPooled)
        let profiling = HeadProfiling(
            model: model, steering: steering, set: try Self.profilingSet(options, model: model, lab: lab),
            metric: options.profileMetric, profiler: profiler, maxTokens: options.maxTokens)
        let (profile, isCached) = try await profiling.cachedProfile(in: lab)
        heads = profile.selected
        source =
            "profiled on \(profile.items) items: \(profile.task), gold spans"
            + (isCached ? " (kept from an earlier run)" : "")
        self.profile = profile
    }

    private static func profilingSet(
        _ options: AutoPASTA.Options, model: any OpenModel, lab: Lab
    ) throws -> ProfilingSet {
        guard let path = options.profileData else {
            let items = MadeUpFacts.items(.profiling, count: options.profileItems, seed: lab.seed)
            return try ProfilingSet(items, task: "made-up facts", style: options.style, model: model)
        }
        let records = try DataSet(path: path.expanded).shuffled(seed: lab.seed).prefix(options.profileItems)
        return try ProfilingSet(
            records.records(as: OpenBookItem.self), task: path.string, style: options.style, model: model)
    }
}
