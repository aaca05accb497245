import Laboratory

/// A solver of known chances: what the search is put to the test with, exactly.
package struct SimulatedSolver: Sendable {
    /// P[trajectory] of one type of question.
    package typealias Chances = [ReasoningTrajectory: Double]

    /// The chance of the best trajectory of each type; the others have 0.1, and 0.15 more for each item that they share with it.
    package static let best = 0.9

    /// A type for each trajectory, which is the best there, and one in which two of different lengths are equally good.
    package static func types(_ catalogue: ActionCatalogue = .standard) -> [Chances] {
        var types = catalogue.trajectories.map { best in
            Chances(
                uniqueKeysWithValues: catalogue.trajectories.map { other in
                    let shared =
                        (other.analysis == best.analysis ? 1 : 0) + (other.solution == best.solution ? 1 : 0)
                        + (other.verification == best.verification ? 1 : 0)
                    return (other, other == best ? Self.best : 0.1 + 0.15 * Double(shared))
                })
        }
        if var tied = types.first {
            tied[ReasoningTrajectory(.chainOfThought, after: .planning)] = Self.best
            types.append(tied)
        }
        return types
    }

    /// Searches as many questions, their types in turn.
    package static func search(
        _ questions: Int, types: [Chances], samples: Int, seed: UInt64
    ) async throws -> [(chances: Chances, result: TrajectorySearch.Result)] {
        var search = TrajectorySearch()
        search.samples = samples
        // What the search finds is looked at for every question.
        search.dropsUninformative = false
        var found: [(Chances, TrajectorySearch.Result)] = []
        for question in 0..<questions {
            let chances = types[question % types.count]
            let result = try await search.search { trajectory, name in
                var luck = SeededGenerator(seed: seed, stream: "question \(question), \(name)")
                return TrajectoryRollout(trajectory, isRight: luck.chance(chances[trajectory] ?? 0))
            }
            found.append((chances, result))
        }
        return found
    }

    /// The share of results whose trajectory has the best chance there is.
    package static func shareRight(
        _ found: [(chances: Chances, result: TrajectorySearch.Result)],
        choosing choice: (TrajectorySearch.Result) -> ReasoningTrajectory?
    ) -> Double {
        let right = found.count { chances, result in
            guard let chosen = choice(result), let chance = chances[chosen] else { return false }
            return chance == chances.values.max()
        }
        return Double(right) / Double(max(1, found.count))
    }
}
