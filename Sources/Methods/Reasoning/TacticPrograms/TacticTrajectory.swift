import Laboratory
import Text

/// What an observer makes of a round.
package enum TacticStatus: String, Sendable, Hashable, Codable {
    case ok, wrong, warning, solved
    case deemedFailed = "deemed failed"
}

/// What an observer says.
package struct TacticObservation: Sendable, Hashable, Codable {
    /// Who knows it. Only what the environment sees without the right answer may be trained on or shown at inference.
    package enum Source: String, Sendable, Hashable, Codable {
        case environment
        /// Says whether an answer is right: when data are collected.
        case feedback
    }

    package var observer: String
    package var status: TacticStatus
    package var text: String
    package var source: Source

    package init(_ observer: String, _ status: TacticStatus, _ text: String, source: Source = .environment) {
        self.observer = observer
        self.status = status
        self.text = text
        self.source = source
    }
}

/// A reply of the model and what the observers said to it.
package struct TacticRound: Sendable, Hashable, Codable {
    /// The kind of the action, without what a call is to.
    package enum Kind: String, Sendable, Hashable, Codable {
        case plan, program, revision, reason, answer, check, call

        var isProgram: Bool { self == .program || self == .revision }
    }

    package var reply: String
    /// nil where the reply is no action of the tactic.
    package var kind: Kind?
    package var action: String?
    package var output: String?
    package var observations: [TacticObservation]
    /// Of calls: the option from 1 on, the tactic that was called and what came of it.
    package var option: Int?
    package var called: String?
    package var subTrajectories: [TacticTrajectory]

    package init(reply: String) {
        self.reply = reply
        observations = []
        subTrajectories = []
    }

    /// A round is wrong if any observer says so.
    package var isWrong: Bool { observations.contains { $0.status == .wrong } }
    package var isSolved: Bool { observations.contains { $0.status == .solved } }
    package var isDeemedFailed: Bool { observations.contains { $0.status == .deemedFailed } }

    /// A program that ran to its end and printed something.
    package var hasRun: Bool { kind?.isProgram == true && !isWrong }

    /// What the environment replies; the model's next turn follows it.
    package func observation(withFeedback: Bool) -> String {
        let lines = observations.filter { withFeedback || $0.source == .environment }.map(\.text).filter { !$0.isEmpty }
        return lines.isEmpty ? "OK" : lines.joined(separator: "\n")
    }

    package var hasEnvironmentObservation: Bool { observations.contains { $0.source == .environment } }
}

/// One run of a tactic on a problem.
package struct TacticTrajectory: Sendable, Hashable, Codable {
    package enum End: String, Sendable, Hashable, Codable {
        /// A right answer, told by feedback.
        case solved
        /// An answer of the right form.
        case answered
        case deemedFailed = "deemed failed"
        case tooManyRounds = "too many rounds"
        case tooManyWrong = "too many wrong rounds"
    }

    package var id: String
    package var dataset: String
    package var tactic: String
    /// The first turn as training shows it: no examples, no hints.
    package var prompt: String
    /// Lines about the right answer that the model saw behind the prompt; no training sees them.
    package var hints: [String]
    package var rounds: [TacticRound]
    package var end: End?
    /// The last answer of the right form.
    package var answer: String?

    package init(id: String, dataset: String, tactic: String, prompt: String, hints: [String] = []) {
        self.id = id
        self.dataset = dataset
        self.tactic = tactic
        self.prompt = prompt
        self.hints = hints
        rounds = []
    }

    /// The program that the answer stands on: the last one before it that ran to its end.
    package var program: String? {
        let last = rounds.lastIndex { $0.kind == .answer && !$0.isWrong } ?? rounds.endIndex
        return rounds[..<last].last(where: \.hasRun)?.output.map(TacticResponse.code)
    }

    /// What lines of hints begin with, in prompts and wherever a model repeats them.
    package static let hintMark = "[hint]"

    /// A text without its lines of hints.
    package static func withoutHints(_ text: String) -> String {
        guard text.contains(hintMark) else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.trimmingSpaces.hasPrefix(hintMark) }.joined(separator: "\n")
    }

    package var json: JSONValue {
        get throws { try JSONValueEncoder.encode(self) }
    }
}
