import Inference

/// Finds the heads to steer, from coarse to fine, with a score of head sets on a small profiling set.
///
/// 1. Coarse: every layer with all of its heads. The best layers are kept.
/// 2. Fine: every head of the kept layers alone.
/// 3. Candidates: for the best 3 … kept layers, the best k heads of each layer and the best k of all of them together.
///    The best candidate is selected; among equals the smaller set.
///
/// Costs `layers + kept·heads + candidates` scores instead of `layers·heads` and their combinations.
package struct HeadProfiler: Sendable {
    package var layers: Int
    package var heads: Int
    package var keptLayers: Int
    /// The k of "the best k of each layer".
    package var perLayer: [Int]
    /// The k of "the best k of all".
    package var pooled: [Int]

    package init(layers: Int, heads: Int, keptLayers: Int, perLayer: [Int], pooled: [Int]) {
        self.layers = layers
        self.heads = heads
        self.keptLayers = keptLayers
        self.perLayer = perLayer
        self.pooled = pooled
    }

    /// Scores head sets, in their order; higher is better.
    package typealias Evaluate = (_ phase: String, _ sets: [Set<Head>]) async throws -> [Double]

    package struct Scored: Sendable, Hashable, Codable {
        package var heads: [Head]
        package var score: Double
    }

    package struct Result: Sendable, Hashable {
        /// One score a layer.
        package var coarse: [Double]
        /// Single heads of the kept layers, best first.
        package var fine: [Scored]
        /// Head sets, best first; among equals the smaller first.
        package var candidates: [Scored]
        package var selected: [Head]
        /// How many head sets were scored.
        package var evaluations: Int
    }

    package func profile(_ evaluate: Evaluate) async throws -> Result {
        let layerSets = (0..<layers).map { layer in Set((0..<heads).map { Head(layer, $0) }) }
        let coarse = try await evaluate("Layers", layerSets)
        let kept = Array(
            coarse.indices.sorted { coarse[$0] != coarse[$1] ? coarse[$0] > coarse[$1] : $0 < $1 }
                .prefix(max(1, keptLayers)))

        let singles = kept.flatMap { layer in (0..<heads).map { Head(layer, $0) } }
        let alone = try await evaluate("Heads", singles.map { [$0] })
        let fine = zip(singles, alone).map { Scored(heads: [$0], score: $1) }.sorted(by: Self.isBetter)

        let sets = candidates(kept: kept, ranked: fine.flatMap(\.heads))
        let scores = try await evaluate("Head sets", sets.map(Set.init))
        let ranked = zip(sets, scores).map { Scored(heads: $0.sorted(), score: $1) }.sorted(by: Self.isBetter)
        return Result(
            coarse: coarse, fine: fine, candidates: ranked, selected: ranked.first?.heads ?? [],
            evaluations: layerSets.count + singles.count + sets.count)
    }

    /// The different head sets of step 3; `ranked` are the heads of all kept layers, best first.
    package func candidates(kept: [Int], ranked: [Head]) -> [[Head]] {
        var seen: Set<Set<Head>> = []
        var sets: [[Head]] = []
        func add(_ heads: [Head]) {
            if !heads.isEmpty, seen.insert(Set(heads)).inserted { sets.append(heads) }
        }
        for count in min(3, kept.count)...kept.count {
            let best = kept.prefix(count)
            for k in perLayer {
                add(best.flatMap { layer in ranked.filter { $0.layer == layer }.prefix(k) })
            }
            let pool = ranked.filter { best.contains($0.layer) }
            for k in pooled { add(Array(pool.prefix(k))) }
        }
        return sets
    }

    private static func isBetter(_ a: Scored, _ b: Scored) -> Bool {
        if a.score != b.score { return a.score > b.score }
        if a.heads.count != b.heads.count { return a.heads.count < b.heads.count }
        return a.heads.lexicographicallyPrecedes(b.heads)
    }
}
