import Laboratory
import Text

/// An action of a reasoning trajectory. The raw values are the names by which plans speak of them.
package enum ReasoningAction: String, Sendable, Hashable, Codable, CaseIterable {
    case queryRewriting = "query_rewriting"
    case planning
    case chainOfThought = "CoT"
    case program = "programming_solver"
    case verifier
    case directAnswering = "direct_answering"
}

/// How a question is looked at first.
public enum AnalysisAction: String, OptionChoice {
    case none
    /// The core question in a sentence, with the information that is useful for it.
    case queryRewriting = "query_rewriting"
    /// The question restated and taken apart into sub-tasks.
    case planning
}

/// How it is solved.
public enum SolutionAction: String, OptionChoice {
    /// In words, step by step.
    case chainOfThought = "CoT"
    /// By a Python program that prints the result.
    case program = "programming_solver"
}

/// How the solution is looked at again.
public enum VerificationAction: String, OptionChoice {
    case none
    /// A new question that assumes the answer, looked at for contradictions.
    case verifier
}

/// An item of each layer, with the final answer behind them. As an option it is written `planning+CoT+verifier`.
public struct ReasoningTrajectory: OptionValue, CustomStringConvertible {
    public typealias Item = ReasoningTrajectory

    public var analysis: AnalysisAction
    public var solution: SolutionAction
    public var verification: VerificationAction

    public init(
        _ solution: SolutionAction, after analysis: AnalysisAction = .none,
        then verification: VerificationAction = .none
    ) {
        self.analysis = analysis
        self.solution = solution
        self.verification = verification
    }

    /// A chain of thought and nothing else.
    public static let plain = ReasoningTrajectory(.chainOfThought)

    /// The actions in their order, the final answer among them.
    package var actions: [ReasoningAction] {
        [analysis.rawValue, solution.rawValue, verification.rawValue, ReasoningAction.directAnswering.rawValue]
            .compactMap(ReasoningAction.init)
    }

    /// How many actions it takes before the final answer: 1 to 3.
    package var length: Int { actions.count - 1 }

    package func contains(_ action: ReasoningAction) -> Bool { actions.contains(action) }

    public var description: String { actions.dropLast().map(\.rawValue).joined(separator: "+") }

    public static var expectation: String { "actions joined by +, as CoT or planning+programming_solver+verifier" }
    public static var placeholder: String { "actions" }

    public init?(flag text: String) {
        let names = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard let place = names.firstIndex(where: { SolutionAction(rawValue: $0) != nil }), place <= 1,
            let solution = SolutionAction(rawValue: names[place]), names.count - place <= 2
        else { return nil }
        guard let analysis = AnalysisAction(rawValue: place == 0 ? "none" : names[0]),
            let verification = VerificationAction(rawValue: names.count - place == 2 ? names[place + 1] : "none")
        else { return nil }
        self.init(solution, after: analysis, then: verification)
    }

    public init?(json: JSONValue) {
        guard let text = json.stringValue else { return nil }
        self.init(flag: text)
    }

    public var json: JSONValue { .string(description) }
}

extension ReasoningTrajectory: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let read = ReasoningTrajectory(flag: text) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "\(text.debugDescription) is no \(Self.expectation)"))
        }
        self = read
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// The items that each layer offers, and the trajectories that they make: 3 · 2 · 2 as in the paper.
package struct ActionCatalogue: Sendable, Hashable {
    /// Shorter ones first, and words before programs: the order in which equally good trajectories are preferred.
    package let trajectories: [ReasoningTrajectory]

    /// - Throws: `DOTSError` for a layer without items, or with one twice.
    package init(
        analysis: [AnalysisAction] = AnalysisAction.allCases, solution: [SolutionAction] = SolutionAction.allCases,
        verification: [VerificationAction] = VerificationAction.allCases
    ) throws(DOTSError) {
        for (layer, names) in [
            ("analysis", analysis.map(\.rawValue)), ("solution", solution.map(\.rawValue)),
            ("verification", verification.map(\.rawValue)),
        ] {
            if names.isEmpty { throw .emptyLayer(layer) }
            if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
                throw .repeated(layer: layer, item: twice)
            }
        }
        let all = analysis.flatMap { first in
            solution.flatMap { second in verification.map { ReasoningTrajectory(second, after: first, then: $0) } }
        }
        trajectories = all.enumerated().sorted {
            ($0.element.length, $0.element.solution == .program ? 1 : 0, $0.offset)
                < ($1.element.length, $1.element.solution == .program ? 1 : 0, $1.offset)
        }.map(\.element)
    }

    package static let standard: ActionCatalogue = {
        guard let catalogue = try? ActionCatalogue() else { preconditionFailure("the layers name each item once") }
        return catalogue
    }()

    /// The place of a trajectory among equally good ones.
    package func place(_ trajectory: ReasoningTrajectory) -> Int {
        trajectories.firstIndex(of: trajectory) ?? trajectories.count
    }
}
