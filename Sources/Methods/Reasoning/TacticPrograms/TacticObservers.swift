import Laboratory
import Text

/// A round while observers look at it.
package struct TacticMoment: Sendable {
    package var round: TacticRound
    package var response: TacticResponse?
    package var action: Tactic.Action?
    package let tactic: Tactic
    package let form: TacticAnswer
    /// How many options there are to call a tactic for; 1 for a problem without options.
    package let options: Int
    /// The answer that was given, in its normal form.
    package var answer: String?

    package init(reply: String, tactic: Tactic, form: TacticAnswer, options: Int = 1) {
        round = TacticRound(reply: reply)
        self.tactic = tactic
        self.form = form
        self.options = max(1, options)
    }
}

/// Looks at a round and says something about it. Observers run in order; the first that says stop ends the list.
package protocol TacticObserver: Sendable {
    /// - Returns: whether observers behind this one are to look as well.
    func observe(_ moment: inout TacticMoment) async throws -> Bool
}

extension TacticMoment {
    mutating func say(
        _ observer: String, _ status: TacticStatus, _ text: String, source: TacticObservation.Source = .environment
    ) {
        round.observations.append(TacticObservation(observer, status, text, source: source))
    }

    /// Shows the round to observers in turn.
    package mutating func observe(_ observers: [any TacticObserver]) async throws {
        for observer in observers where try await !observer.observe(&self) { return }
    }
}

/// All four fields must be there, of one response.
package struct ResponseObserver: TacticObserver {
    package var isFuzzy: Bool

    package init(isFuzzy: Bool) { self.isFuzzy = isFuzzy }

    package func observe(_ moment: inout TacticMoment) async throws -> Bool {
        do throws(TacticResponse.Fault) {
            moment.response = try TacticResponse(moment.round.reply, fuzzy: isFuzzy)
            moment.round.output = moment.response?.output
            return true
        } catch {
            moment.say("response parser", .wrong, error.sentence)
            return false
        }
    }
}

/// The action must be in the tactic's action space.
package struct ActionObserver: TacticObserver {
    package init() {}

    package func observe(_ moment: inout TacticMoment) async throws -> Bool {
        guard let name = moment.response?.name, let action = moment.tactic.action(name) else {
            let names = moment.tactic.actions.map(\.name).joined(separator: ", ")
            moment.say(
                "action parser", .wrong,
                "\((moment.response?.name ?? "").prefix(60).debugDescription) is no action of this tactic; there are \(names)."
            )
            return false
        }
        moment.action = action
        moment.round.action = action.name
        moment.round.kind = TacticRound.Kind(action.kind)
        return true
    }
}

/// Does what the action says: echoes thinking, runs programs, reads answers and subproblems.
package struct ExecutionObserver: TacticObserver {
    package let execution: TacticExecution

    private static let name = "tactic observer"

    package init(execution: TacticExecution) { self.execution = execution }

    package func observe(_ moment: inout TacticMoment) async throws -> Bool {
        guard let action = moment.action, let output = moment.response?.output else { return false }
        switch action.kind {
        case .plan, .reason: moment.say(Self.name, .ok, "OK")
        case .program, .revision:
            let outcome = try await execution.run(output, under: moment.tactic)
            moment.say(Self.name, outcome.status, outcome.text)
        case .check:
            let isBad = output.lowercased().contains("tactic bad")
            moment.say(
                Self.name, isBad ? .deemedFailed : .ok, isBad ? "The tactic does not fit; the run ends." : "OK")
            return !isBad
        case .answer:
            moment.answer = moment.form.read(output)
            guard moment.answer != nil else {
                moment.say(Self.name, .wrong, "The answer must be \(moment.form.request).")
                return false
            }
            moment.say(Self.name, .ok, "")
        case .call(let tactic):
            guard let (option, _) = TacticResponse.subproblem(in: output) else {
                moment.say(
                    Self.name, .wrong,
                    "No subproblem found; the output must be ### option <index> ### subproblem <text>."
                )
                return false
            }
            guard (1...moment.options).contains(option) else {
                moment.say(Self.name, .wrong, "There is no option \(option); options are 1 to \(moment.options).")
                return false
            }
            moment.round.option = option
            moment.round.called = tactic
        }
        return true
    }
}

/// Says whether an answer is right. For collecting data only: at inference it would give the answer away.
package struct FeedbackObserver: TacticObserver {
    package let gold: String

    package init(gold: String) { self.gold = gold }

    package func observe(_ moment: inout TacticMoment) async throws -> Bool {
        guard let answer = moment.answer else { return true }
        let isRight = moment.form.isRight(answer, gold: gold)
        moment.say(
            "answer feedback", isRight ? .solved : .wrong, isRight ? "The answer is right." : "The answer is wrong.",
            source: .feedback)
        return !isRight
    }
}

extension TacticRound.Kind {
    init(_ kind: Tactic.Action.Kind) {
        switch kind {
        case .plan: self = .plan
        case .program: self = .program
        case .revision: self = .revision
        case .reason: self = .reason
        case .answer: self = .answer
        case .check: self = .check
        case .call: self = .call
        }
    }
}
