import Laboratory

/// A graded sample of a trajectory on a question.
package struct TrajectoryRollout: Sendable, Hashable, Codable {
    package var trajectory: ReasoningTrajectory
    package var turns: [TrajectoryRunner.Turn]
    package var answer: String
    /// The score: by the gold answer, which nothing else looks at.
    package var isRight: Bool
    package var programFailed: Bool
    package var calls: Int
    package var tokens: Int

    package init(
        _ trajectory: ReasoningTrajectory, turns: [TrajectoryRunner.Turn] = [], answer: String = "", isRight: Bool,
        programFailed: Bool = false, calls: Int = 0, tokens: Int = 0
    ) {
        self.trajectory = trajectory
        self.turns = turns
        self.answer = answer
        self.isRight = isRight
        self.programFailed = programFailed
        self.calls = calls
        self.tokens = tokens
    }
}

/// How a trajectory has done so far.
package struct TrajectoryScore: Sendable, Hashable, Codable {
    package var trajectory: ReasoningTrajectory
    package var successes = 0
    package var samples = 0
}

/// The search for the best trajectory of one question: three rounds in which samples add up and the worse trajectories leave.
///
/// ```
/// drop the question if n samples of plain CoT and of the plain program are all right
/// S ← all;  sample each t ∈ S n times, add up;  S ← the best 8
/// drop the question if all but at most one of S are always right, or all but at most one always wrong
/// sample each t ∈ S n times, add up;  S ← the best 3
/// sample each t ∈ S n times, add up;  the best of S
/// ```
///
/// "Best" is by successes of all rounds, then by fewer actions. Samples of the probe decide about the question alone: counted with the
/// others they would favour two trajectories. The released code has the probe's test inverted, and its test for questions that are too
/// hard looks at lengths; here both do what the paper says.
package struct TrajectorySearch: Sendable {
    package var catalogue = ActionCatalogue.standard
    /// n: samples of each trajectory in each round.
    package var samples = 2
    package var keep = 8
    package var keepLast = 3
    /// Whether questions that tell nothing about trajectories are dropped.
    package var dropsUninformative = true

    package init() {}

    package enum Verdict: String, Sendable, Hashable, Codable { case kept, easy, alwaysRight, alwaysWrong }

    package struct Result: Sendable, Hashable, Codable {
        package var verdict: Verdict
        package var probes: [TrajectoryRollout] = []
        /// Of all rounds.
        package var rollouts: [TrajectoryRollout] = []
        /// The trajectories that each round sampled, best first, with all their samples so far.
        package var rounds: [[TrajectoryScore]] = []

        /// The best that the rounds have found; nil for a question that the probe dropped.
        package var best: ReasoningTrajectory? { rounds.last?.first?.trajectory }
    }

    /// Samples a trajectory once; the name is the sample's own, for its seed and the archive.
    package typealias Sample = @Sendable (ReasoningTrajectory, _ name: String) async throws -> TrajectoryRollout

    package func search(_ sample: @escaping Sample) async throws -> Result {
        var result = Result(verdict: .kept)
        if dropsUninformative {
            let plain = catalogue.trajectories.filter { $0.length == 1 }
            result.probes = try await Self.sampled(plain, samples, "probe", sample)
            // Without a plain trajectory there is nothing to probe with.
            if !result.probes.isEmpty, result.probes.allSatisfy(\.isRight) {
                result.verdict = .easy
                return result
            }
        }
        var scores = catalogue.trajectories.map { TrajectoryScore(trajectory: $0) }
        for (round, kept) in [keep, keepLast, 1].enumerated() {
            let found = try await Self.sampled(scores.map(\.trajectory), samples, "round \(round + 1)", sample)
            result.rollouts += found
            for rollout in found {
                guard let place = scores.firstIndex(where: { $0.trajectory == rollout.trajectory }) else { continue }
                scores[place].samples += 1
                scores[place].successes += rollout.isRight ? 1 : 0
            }
            scores = ranked(scores)
            result.rounds.append(scores)
            scores = Array(scores.prefix(kept))
            if round == 0, dropsUninformative, scores.count > 1 {
                let most = scores.count - 1
                if scores.count(where: { $0.successes == $0.samples }) >= most { result.verdict = .alwaysRight }
                if scores.count(where: { $0.successes == 0 }) >= most { result.verdict = .alwaysWrong }
                if result.verdict != .kept { break }
            }
        }
        return result
    }

    /// Most successes first; of equal ones the shorter, then the catalogue's order.
    package func ranked(_ scores: [TrajectoryScore]) -> [TrajectoryScore] {
        scores.sorted {
            ($1.successes, $0.trajectory.length, catalogue.place($0.trajectory))
                < ($0.successes, $1.trajectory.length, catalogue.place($1.trajectory))
        }
    }

    /// `count` samples of each trajectory, all at once, in order.
    private static func sampled(
        _ trajectories: [ReasoningTrajectory], _ count: Int, _ stage: String, _ sample: @escaping Sample
    ) async throws -> [TrajectoryRollout] {
        let wanted = trajectories.flatMap { trajectory in (0..<count).map { (trajectory, $0) } }
        return try await withThrowingTaskGroup(of: (Int, TrajectoryRollout).self) { group in
            for (place, (trajectory, number)) in wanted.enumerated() {
                group.addTask { (place, try await sample(trajectory, "\(stage), \(trajectory), \(number + 1)")) }
            }
            var found: [(Int, TrajectoryRollout)] = []
            for try await rollout in group { found.append(rollout) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

/// Which actions matter for a question, and the trajectory that a planner is to learn for it.
///
///     lift(a) = acc(rollouts with a) − acc(rollouts without a)
///
/// An action is important where lift(a) > 0.3 and |n_a − n_¬a| < 0.6 · n. The target has the important analysis (planning before
/// rewriting), the program where it is important (else words), and the verifier where it is important. Rollouts are those of the
/// rounds. This is the rule of the released code, which leans on all samples where the best trajectory leans on few.
package struct ImportanceRule: Sendable, Hashable {
    package var lift = 0.3
    package var balance = 0.6

    package init() {}

    package struct Lift: Sendable, Hashable, Codable {
        package var action: ReasoningAction
        package var with: Share
        package var without: Share
        package var isImportant: Bool
    }

    /// Right ones of so many.
    package struct Share: Sendable, Hashable, Codable {
        package var right: Int
        package var total: Int

        package init(right: Int, total: Int) {
            self.right = right
            self.total = total
        }

        var accuracy: Double { total == 0 ? 0 : Double(right) / Double(total) }
    }

    package func lifts(_ rollouts: [TrajectoryRollout]) -> [Lift] {
        ReasoningAction.allCases.filter { $0 != .directAnswering }.map { action in
            func share(_ has: Bool) -> Share {
                let group = rollouts.filter { $0.trajectory.contains(action) == has }
                return Share(right: group.count(where: \.isRight), total: group.count)
            }
            let (with, without) = (share(true), share(false))
            let isBalanced = Double(abs(with.total - without.total)) < balance * Double(rollouts.count)
            let isImportant =
                isBalanced && with.total > 0 && without.total > 0 && with.accuracy > without.accuracy + lift
            return Lift(action: action, with: with, without: without, isImportant: isImportant)
        }
    }

    package func target(_ rollouts: [TrajectoryRollout]) -> ReasoningTrajectory {
        let important = Set(lifts(rollouts).filter(\.isImportant).map(\.action))
        return ReasoningTrajectory(
            important.contains(.program) ? .program : .chainOfThought,
            after: important.contains(.planning)
                ? .planning : important.contains(.queryRewriting) ? .queryRewriting : .none,
            then: important.contains(.verifier) ? .verifier : .none)
    }

    /// The target with a right rollout of exactly it; nil where there is none, and nothing to learn from the question.
    package func lesson(_ rollouts: [TrajectoryRollout]) -> TrajectoryRollout? {
        let target = target(rollouts)
        return rollouts.first { $0.trajectory == target && $0.isRight }
    }
}
