import Inference
import Laboratory
import Text

/// The texts that planners read and write.
package struct PlannerWording: Sendable, Hashable {
    package var external =
        "Decide which actions suit the query. Analysis: query_rewriting or planning, or neither. Solution: CoT (in words) or "
        + "programming_solver (by a Python program). Verification: verifier, or none. Last: direct_answering."
    package var internalised =
        "Determine first which actions suit the query, then solve it by them. Begin the output of the i-th step with "
        + "\"#### Step i ####\"."
    package static let marker = "Required Action:"
    package static let firstPlan = "First analyse the query and determine the actions."
    package static let thenSolve = "Now solve the query by these actions."

    package init() {}

    package func externalPrompt(_ query: String) -> String { "{ \(query) }\n\(external)" }
    package func internalPrompt(_ query: String) -> String { "{ \(query) }\n\(internalised)" }

    package func externalTarget(_ lesson: PlannerLesson) -> String {
        (lesson.explanation.isEmpty ? "" : lesson.explanation + "\n") + Self.actions(lesson.trajectory)
    }

    /// The plan, then the solver's own first reply of a right rollout.
    package func internalTarget(_ lesson: PlannerLesson) -> String {
        [Self.firstPlan, lesson.explanation, Self.actions(lesson.trajectory), Self.thenSolve, lesson.firstReply]
            .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    static func actions(_ trajectory: ReasoningTrajectory) -> String {
        "\(marker) \(trajectory.actions.map(\.rawValue).joined(separator: ", "))"
    }

    /// The first action of each layer that stands behind the last "Required Action:", on its line or, where that is empty, the next.
    /// Without a way to solve, plain words.
    package static func plan(in reply: String) -> TrajectoryPlan {
        var trajectory: ReasoningTrajectory?
        if let mark = reply.ranges(of: marker).last {
            let line =
                reply[mark.upperBound...].split(whereSeparator: \.isNewline)
                .first { !String($0).trimmingSpaces.isEmpty } ?? ""
            let names = line.split { !($0.isLetter || $0 == "_") }.map { $0.lowercased() }
            func first<Action: OptionChoice>(_ layer: Action.Type) -> Action? {
                names.lazy.compactMap { name in
                    Action.allCases.first { $0.rawValue.lowercased() == name && name != "none" }
                }.first
            }
            if let solution = first(SolutionAction.self) {
                trajectory = ReasoningTrajectory(
                    solution, after: first(AnalysisAction.self) ?? .none,
                    then: first(VerificationAction.self) ?? .none)
            }
        }
        return TrajectoryPlan(trajectory: trajectory ?? .plain, isFallback: trajectory == nil)
    }
}

/// What planners learn from one question.
package struct PlannerLesson: Sendable, Hashable, Codable {
    package var id: String
    package var query: String
    /// The data set that the question is from.
    package var source: String
    package var trajectory: ReasoningTrajectory
    /// Why these actions; empty where nobody was asked.
    package var explanation = ""
    /// The solver's first reply in a right rollout of this trajectory.
    package var firstReply: String

    package init(
        id: String, query: String, source: String = "", trajectory: ReasoningTrajectory, explanation: String = "",
        firstReply: String = ""
    ) {
        self.id = id
        self.query = query
        self.source = source
        self.trajectory = trajectory
        self.explanation = explanation
        self.firstReply = firstReply
    }

    package func conversation(_ kind: DOTS.Options.PlannerKind, _ wording: PlannerWording) -> [ChatMessage] {
        switch kind {
        case .external: [.user(wording.externalPrompt(query)), .assistant(wording.externalTarget(self))]
        case .internalised: [.user(wording.internalPrompt(query)), .assistant(wording.internalTarget(self))]
        }
    }

    /// The lessons, those of small data sets `copies` times.
    package static func repeated(_ lessons: [PlannerLesson], lowResource: Set<String>, copies: Int) -> [PlannerLesson] {
        lessons.flatMap { Array(repeating: $0, count: lowResource.contains($0.source) ? copies : 1) }
    }
}

/// Has a strong model say in a paragraph why a trajectory suits a question.
package struct ExplanationPrompt: Sendable {
    package init() {}

    package static func guidance(_ action: ReasoningAction) -> String? {
        switch action {
        case .queryRewriting: "Why does the query need to be put more clearly first?"
        case .planning: "Why does it help to take the query apart before solving it?"
        case .chainOfThought: "Why is it solved better in words than by a program?"
        case .program: "Why is it solved better by a program than in words?"
        case .verifier: "Why should the solution be verified?"
        case .directAnswering: nil
        }
    }

    package func messages(_ query: String, _ trajectory: ReasoningTrajectory) -> [ChatMessage] {
        let catalogue =
            "Actions. query_rewriting: state the core question and the useful information. planning: restate and break into "
            + "sub-tasks. CoT: reason in words. programming_solver: write Python that prints the result. verifier: look for "
            + "contradictions with a new question. direct_answering: give the final answer."
        let turns = Self.demonstrations.flatMap { shown -> [ChatMessage] in
            [.user(Self.request(shown.query, shown.trajectory)), .assistant(shown.explanation)]
        }
        return [
            .system(
                "You explain in one paragraph why a choice of reasoning actions suits a query. Do not solve the query. "
                    + catalogue)
        ] + turns + [.user(Self.request(query, trajectory))]
    }

    private static func request(_ query: String, _ trajectory: ReasoningTrajectory) -> String {
        (["Query: \(query)", PlannerWording.actions(trajectory)] + trajectory.actions.compactMap(guidance))
            .joined(separator: "\n")
    }

    package static let demonstrations: [(query: String, trajectory: ReasoningTrajectory, explanation: String)] = [
        (
            "What is the sum of all primes below 200?", .init(.program),
            "The query asks for many small computations of the same form. A loop finds and adds the primes without a slip, while "
                + "in words one of them is soon missed. It is clear as it stands and needs no plan."
        ),
        (
            "Which word is the odd one out: oak, pine, rose, elm?", .plain,
            "The query is about what words mean. There is nothing to compute, so a program would not help, and a short chain of "
                + "thought settles it."
        ),
        (
            "A tank is filled by two taps and emptied by a drain, each at a rate of its own. When is it full?",
            .init(.program, after: .planning),
            "Several quantities depend on one another. Taking the query apart, first the rates, then their balance, then the time, "
                + "keeps them straight, and a program then does the arithmetic exactly."
        ),
        (
            "Ann, who is not Bo's sister, says that the brother of the one who isn't Cy came late. Who came late?",
            .init(.chainOfThought, after: .queryRewriting, then: .verifier),
            "The sentence is tangled, so stating the core question and the facts comes first. The rest is a matter of words. As an "
                + "overlooked negation turns the answer round, it is worth checking."
        ),
    ]
}
