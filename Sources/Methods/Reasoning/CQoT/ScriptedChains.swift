import Inference
import Laboratory

/// Chains of three steps in plain words, and scripted parts that plan, judge and answer them with known quality.
enum ScriptedChains {
    /// Whose plan the critic's verdicts are about.
    enum Critic: Sendable { case truthful, shuffled }

    /// How many of the planner's plans are right.
    static let planQuality = 0.6

    static func questions(_ count: Int, using generator: SeededGenerator) -> [Question] {
        var generator = generator
        return (1...max(1, count)).map { index in
            let (start, sum, loss) = (2 + generator.below(18), 1 + generator.below(9), 1 + generator.below(9))
            return Question(
                id: "chain-\(index)",
                "Start with \(start); add \(sum); double the result; subtract \(loss). What comes out?",
                kind: .number, golds: ["\((start + sum) * 2 - loss)"], subject: "arithmetic")
        }
    }

    /// A model that answers the four prompts of CQoT by the chain in them. The planner's luck, and with shuffled verdicts the
    /// critic's, come from the request's own seed.
    static func model(_ critic: Critic) -> ScriptedModel {
        ScriptedModel(name: "scripted chains", capabilities: [.completion]) { request, _ in
            guard case .chat(let messages, _) = request.prompt, let user = messages.last?.content else { return "" }
            let numbers = Quantity.all(in: user).prefix(3).map { $0.quantity.value.numerator }
            guard numbers.count == 3 else { return "" }
            let result = (numbers[0] + numbers[1]) * 2 - numbers[2]
            var luck = SeededGenerator(seed: request.sampling.seed ?? 0, stream: "luck")
            guard messages.count == 3 else {
                return "The steps lead to \(luck.chance(planQuality) ? result : result + 1 + luck.below(5))"
            }
            let planned = Quantity.all(in: messages[1].content).last?.quantity.value.numerator
            guard messages[0].content.hasPrefix("Assess") else { return "The answer is \(planned ?? 0)." }
            let passes = critic == .truthful ? planned == result : luck.chance(planQuality)
            // A wrong result fails the questions on validity, entailment, consistency and plausibility.
            return (1...8).map { "\($0). \(passes || $0 < 4 ? "Yes" : "No")" }.joined(separator: "\n")
        }
    }
}

extension CQoT {
    /// What the gate adds to unprobed plans with scripted parts.
    static func gain(
        of critic: ScriptedChains.Critic, on questions: [Question], in lab: Lab
    ) async throws -> PairedDifference {
        let comparison = try await StrategyComparison(
            [PlannedAnswering(.init(), isProbed: false), PlannedAnswering(.init())], on: questions,
            asking: ScriptedChains.model(critic), in: lab.aside(isSilent: true))
        return try comparison.difference(1)
    }

    /// The share of scripted yes counts after which the right draft is taken with the right number of calls.
    static func controlFlow() async throws -> Double {
        let cases: [(yes: [Int], draft: Int, rule: PlanGate.Rule)] = [
            ([8], 1, .strict), ([6, 7], 2, .strict), ([6, 6, 6, 6, 5, 8], 6, .strict),
            ([6, 6, 6, 6, 6, 5], 6, .relaxed),
            (Array(repeating: 0, count: 11), 11, .exhausted),
        ]
        var right = 0
        for expected in cases {
            // Calls alternate between a plan and its probe.
            let model = ScriptedModel(capabilities: [.completion]) { _, index in
                index.isMultiple(of: 2)
                    ? "plan \(index / 2 + 1)"
                    : Array(
                        repeating: "Yes", count: expected.yes.indices.contains(index / 2) ? expected.yes[index / 2] : 0
                    )
                    .joined(separator: "\n")
            }
            let attempt = try await PlannedAnswering(.init()).attempt(
                Question(id: "q", "?", kind: .number, golds: ["1"]), asking: model, seed: 1)
            let outcome = "\(expected.rule.rawValue), draft \(expected.draft)"
            if attempt.solution.outcome == outcome, attempt.cost.calls == 2 * expected.draft + 1 { right += 1 }
        }
        return Double(right) / Double(cases.count)
    }

    /// How far the share of first drafts that a coin-tossing critic accepts is from its closed form, in standard errors.
    static func nullDistance(_ probability: Double, using generator: SeededGenerator) -> Double {
        var generator = generator
        let probes = 20_000
        let critics = CriticalQuestions()
        var accepted = 0
        for _ in 0..<probes {
            let reply = critics.questions.map { _ in generator.chance(probability) ? "Yes" : "No" }
                .joined(separator: "\n")
            if PlanGate().rule(yes: critics.verdicts(in: reply).yes, retry: 0) != nil { accepted += 1 }
        }
        let seventh = (0..<7).reduce(1.0) { power, _ in power * probability }
        let expected = 8 * seventh * (1 - probability) + seventh * probability
        let deviation = (expected * (1 - expected) / Double(probes)).squareRoot()
        return abs(Double(accepted) / Double(probes) - expected) / deviation
    }
}
