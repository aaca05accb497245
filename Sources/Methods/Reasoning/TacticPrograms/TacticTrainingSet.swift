import Laboratory
import Text

/// A trajectory as a conversation to train on, with the turns that the loss counts. Neither hints nor what feedback says about
/// answers is in it.
package struct TacticSample: Sendable, Hashable {
    package var messages: [ChatMessage]
    package var counting: Set<Int>

    /// A line of a training set: the turns with their roles, and whether the loss counts each.
    package var json: JSONValue {
        [
            "messages": .array(
                messages.map { ["role": .string("\($0.role)"), "content": .string($0.content)] }),
            "train": .array(messages.indices.map { .bool(counting.contains($0)) }),
        ]
    }

    fileprivate init(prompt: String) {
        messages = [.user(TacticTrajectory.withoutHints(prompt))]
        counting = []
    }

    fileprivate mutating func add(_ message: ChatMessage, counts: Bool) {
        if counts { counting.insert(messages.count) }
        messages.append(message)
    }

    fileprivate mutating func add(reply: String, counts: Bool) {
        add(.assistant(TacticTrajectory.withoutHints(reply)), counts: counts)
    }

    /// What follows a round. Where only feedback spoke, the turn is there, so that roles alternate, and doesn't count.
    fileprivate mutating func add(observation round: TacticRound, counts: Bool) {
        add(
            .user(TacticTrajectory.withoutHints(TacticPrompt.observation(round, withFeedback: false))),
            counts: counts && round.hasEnvironmentObservation)
    }
}

/// What the solver is trained on.
public enum TacticTrainingKind: String, OptionChoice {
    /// The trajectories as they are, with loss on every turn but the prompt.
    case raw
    /// Perfect: as if the last repaired program had been written at once.
    case perfect = "pj"
    /// Perfect ones and the raw ones, the latter with loss on what the perfect ones keep and on observations.
    case imperfect = "ipj"
}

package enum TacticTrainingSet {
    /// The samples of a kind from trajectories; those without a right answer that stands on a program give none.
    package static func samples(
        _ kind: TacticTrainingKind, of trajectories: [TacticTrajectory], inOneLine: Bool = false
    ) -> [TacticSample] {
        switch kind {
        case .raw: trajectories.compactMap(raw)
        case .perfect: trajectories.compactMap { perfect($0, inOneLine: inOneLine) }
        case .imperfect:
            trajectories.compactMap { perfect($0, inOneLine: inOneLine) } + trajectories.compactMap(imperfect)
        }
    }

    /// The rounds of a solved trajectory that a perfect one is made of.
    private struct Kept {
        var plan: Int?
        /// Where the first program stands, and the last one that ran.
        var firstProgram: Int
        var lastProgram: Int
        var reason: Int?
        var answer: Int

        init?(_ trajectory: TacticTrajectory) {
            guard let answer = trajectory.rounds.firstIndex(where: \.isSolved) else { return nil }
            let before = trajectory.rounds[..<answer]
            guard let last = before.lastIndex(where: \.hasRun),
                let first = before.firstIndex(where: { $0.kind == .program })
            else { return nil }
            self.answer = answer
            lastProgram = last
            firstProgram = min(first, last)
            plan = before.firstIndex { $0.kind == .plan }
            reason = before.lastIndex { $0.kind == .reason }
        }
    }

    /// Plan, the first program with the content of the last one that ran, the last reasoning, the right answer.
    package static func perfect(_ trajectory: TacticTrajectory, inOneLine: Bool = false) -> TacticSample? {
        guard let kept = Kept(trajectory) else { return nil }
        let rounds = trajectory.rounds
        var sample = TacticSample(prompt: trajectory.prompt)
        if let plan = kept.plan {
            sample.add(reply: rounds[plan].reply, counts: true)
            sample.add(observation: rounds[plan], counts: true)
        }
        let (first, last) = (rounds[kept.firstProgram], rounds[kept.lastProgram])
        guard var program = try? TacticResponse(first.reply, fuzzy: true), let content = last.output else { return nil }
        program.output = content
        sample.add(
            reply: kept.firstProgram == kept.lastProgram ? first.reply : program.text(inOneLine: inOneLine),
            counts: true)
        sample.add(observation: last, counts: true)
        if let reason = kept.reason {
            sample.add(reply: rounds[reason].reply, counts: true)
            sample.add(observation: rounds[reason], counts: true)
        }
        sample.add(reply: rounds[kept.answer].reply, counts: true)
        return sample
    }

    /// The trajectory to its right answer; wrong and superseded rounds are context only.
    package static func imperfect(_ trajectory: TacticTrajectory) -> TacticSample? {
        guard let kept = Kept(trajectory) else { return nil }
        let counted = Set([kept.plan, kept.lastProgram, kept.reason, kept.answer].compactMap { $0 })
        return sample(trajectory, through: kept.answer) { counted.contains($0) }
    }

    /// The trajectory to its right answer with loss everywhere.
    package static func raw(_ trajectory: TacticTrajectory) -> TacticSample? {
        guard let kept = Kept(trajectory) else { return nil }
        return sample(trajectory, through: kept.answer) { _ in true }
    }

    /// A routing trajectory without its wrong rounds; observations, which are other runs' answers, don't count.
    package static func routing(_ trajectory: TacticTrajectory) -> TacticSample? {
        guard let answer = trajectory.rounds.firstIndex(where: \.isSolved),
            trajectory.rounds[..<answer].contains(where: { $0.kind == .call && !$0.isWrong })
        else { return nil }
        var sample = TacticSample(prompt: trajectory.prompt)
        for round in trajectory.rounds[..<answer] where !round.isWrong {
            sample.add(reply: round.reply, counts: true)
            sample.add(observation: round, counts: false)
        }
        sample.add(reply: trajectory.rounds[answer].reply, counts: true)
        return sample
    }

    /// The router's set: perfect trajectories of the solver and routing ones.
    package static func router(of trajectories: [TacticTrajectory]) -> [TacticSample] {
        let perfect = trajectories.compactMap { Self.perfect($0) }
        return perfect + trajectories.compactMap(routing)
    }

    private static func sample(
        _ trajectory: TacticTrajectory, through last: Int, counts: (Int) -> Bool
    ) -> TacticSample {
        var sample = TacticSample(prompt: trajectory.prompt)
        for (index, round) in trajectory.rounds[...last].enumerated() {
            sample.add(reply: round.reply, counts: counts(index))
            // The run ends with the answer; nothing but feedback follows it.
            if index < last { sample.add(observation: round, counts: true) }
        }
        return sample
    }
}
