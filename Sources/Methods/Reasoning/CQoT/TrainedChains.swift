import Inference
import Laboratory
import Text

/// How much a small model learns of chains in the run, and its shape. The model is planner, critic and answerer in one, as in the paper,
/// and has no other weights for one role than for another.
package struct ChainTraining: Sendable {
    /// How many of the plans to learn from have a corrupted step.
    package static let slipShare = 0.4

    package var plans = 16_000
    package var probes = 24_000
    package var answers = 3_000
    /// After one epoch fewer of its plans are right than of those that it learns from.
    package var model = WordChatModel(SmallTraining(layers: 4, contextLength: 128, samplesPerStep: 32, epochs: 2))

    package init() {}

    /// Every word of a chain, a plan or a reply is one of the samples' or a number.
    private static let words = IntegerChain.range.map(String.init)

    /// Worked plans, plans with the critic's verdicts and plans with the answer that stands in them, in the conversations of the method;
    /// none about a chain to be tested on.
    package func samples(without tested: Set<IntegerChain>, using generator: SeededGenerator) -> [WordChatModel.Sample]
    {
        var generator = generator
        func chain() -> IntegerChain {
            while true {
                let chain = IntegerChain.random(using: &generator)
                if !tested.contains(chain) { return chain }
            }
        }
        var samples: [WordChatModel.Sample] = []
        for _ in 0..<plans {
            let chain = chain()
            let plan = Self.plan(of: chain, slips: [.carry], using: &generator)
            samples.append(Self.sample(PlanMessages.draft(chain.question()), reply: plan.text))
        }
        for _ in 0..<probes {
            let chain = chain()
            // Other slips than the planner's, too: the critic learns to check, not one kind of error.
            let plan = Self.plan(of: chain, slips: [.carry, .carry, .value, .misreading], using: &generator)
            samples.append(
                Self.sample(
                    PlanMessages.probe(chain.question(), plan: plan.text, CriticalQuestions.toulmin),
                    reply: ChainPlan.reply(plan.verdicts(on: chain))))
        }
        for _ in 0..<answers {
            let chain = chain()
            let plan = Self.plan(of: chain, slips: ChainPlan.Slip.allCases, using: &generator)
            samples.append(
                Self.sample(
                    PlanMessages.answer(chain.question(), plan: plan.text),
                    reply: "The answer is \(plan.lines.last?.to ?? 0)"))
        }
        return generator.shuffled(samples)
    }

    /// A right plan, or by `slipShare` one with a corrupted step of one of these kinds.
    package static func plan(
        of chain: IntegerChain, slips: [ChainPlan.Slip], using generator: inout SeededGenerator
    ) -> ChainPlan {
        guard generator.chance(slipShare) else { return ChainPlan(chain) }
        while true {
            let plan = ChainPlan(chain, slip: generator.pick(slips) ?? .carry, using: &generator)
            if plan.isInRange { return plan }
        }
    }

    /// The loss counts the reply alone, not the plan that it is about.
    private static func sample(_ messages: [ChatMessage], reply: String) -> WordChatModel.Sample {
        let heard = ChainModel.heard(messages)
        return WordChatModel.Sample(heard + [.assistant(reply)], counting: [heard.count])
    }

    package func train(without tested: [IntegerChain], in lab: Lab) async throws -> any LanguageModel {
        try await model.train(
            "planner and critic", on: samples(without: Set(tested), using: lab.random("conversations")),
            words: Self.words, in: lab)
    }
}

/// A model trained on chains under the prompts of CQoT. It tells its roles by whose turns it sees, so the system's, which are the same in
/// every call, are not passed on: they would be most of what it reads.
package struct ChainModel: LanguageModel {
    package let model: any LanguageModel
    /// Probes of other plans, of which one is put to the critic instead of each probe; empty: the critic sees the plan at hand.
    package var probes: [[ChatMessage]]

    package init(model: any LanguageModel, probes: [[ChatMessage]] = []) {
        self.model = model
        self.probes = probes
    }

    package var identity: ModelIdentity { model.identity }
    package var capabilities: Capabilities { [.completion] }

    package static func heard(_ messages: [ChatMessage]) -> [ChatMessage] { messages.filter { $0.role != .system } }

    package func complete(_ request: CompletionRequest) async throws -> Completion {
        guard case .chat(var messages, let tools) = request.prompt else { return try await model.complete(request) }
        if let system = probes.first?.first, messages.first == system {
            var generator = SeededGenerator(seed: request.sampling.seed ?? 0, stream: "whose verdicts")
            // Probes end with their problem: another end is another problem.
            messages = generator.pick(probes.filter { $0.last != messages.last }) ?? messages
        }
        var request = request
        request.prompt = .chat(Self.heard(messages), tools: tools)
        return try await model.complete(request)
    }

    package func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        wholeStream(request)
    }
}

/// What the gate is worth with a model as its own critic, and with verdicts that belong to other problems.
package struct ChainExperiment: Sendable {
    /// Unprobed plans and CQoT.
    package var comparison: StrategyComparison
    /// The gain with shuffled verdicts, a shuffle each.
    package var shuffledGains: [Double]
    /// The share of first plans that are right.
    package var rightPlans: Double
    /// Of all drafts: the share whose verdicts are all right, of right ones the share that pass the strict bar, and of wrong ones.
    package var rightVerdicts: Double
    package var passingRight: Double
    package var passingWrong: Double

    package var gain: Double {
        get throws { try comparison.difference(1).difference.value }
    }

    package var shuffledGain: Double { shuffledGains.reduce(0, +) / Double(max(1, shuffledGains.count)) }

    /// - Parameter shuffles: how often the control is run, plans drawn anew each time: over 200 problems one shuffle's gain has a standard
    ///   error of about 0.03.
    package init(
        _ chains: [IntegerChain], asking model: any LanguageModel, shuffles: Int, in lab: Lab
    ) async throws {
        let options = try CQoT.Options { $0.maxNewTokens = 32 }
        let arms = [PlannedAnswering(options, isProbed: false), PlannedAnswering(options)]
        let questions = chains.enumerated().map { $1.question("chain \($0 + 1)") }
        comparison = try await StrategyComparison(arms, on: questions, asking: ChainModel(model: model), in: lab)

        let plans = comparison.attempts[0].map { Self.drafts($0).first?.plan ?? "" }
        let probes = zip(questions, plans).map { PlanMessages.probe($0, plan: $1, options.questions) }
        shuffledGains = []
        for shuffle in 0..<shuffles {
            let control = try await StrategyComparison(
                arms, on: questions, asking: ChainModel(model: model, probes: probes),
                in: lab.aside(seed: lab.seed("shuffle \(shuffle)"), isSilent: true))
            shuffledGains.append(try control.difference(1).difference.value)
        }

        func share(_ part: [Bool]) -> Double { Double(part.count { $0 }) / Double(max(1, part.count)) }
        rightPlans = share(zip(chains, plans).map { ChainPlan($1)?.isRight(for: $0) ?? false })
        let critics = CriticalQuestions(options.questions)
        var judged: [(isRight: Bool, passes: Bool, isJudgedRightly: Bool)] = []
        for (chain, attempt) in zip(chains, comparison.attempts[1]) {
            for draft in Self.drafts(attempt) {
                guard let reply = draft.probe else { continue }
                let verdicts = ChainPlan(draft.plan)?.verdicts(on: chain) ?? options.questions.map { _ in false }
                judged.append(
                    (
                        verdicts.allSatisfy { $0 }, critics.verdicts(in: reply).yes >= options.acceptMin,
                        reply == ChainPlan.reply(verdicts)
                    ))
            }
        }
        rightVerdicts = share(judged.map(\.isJudgedRightly))
        passingRight = share(judged.filter(\.isRight).map(\.passes))
        passingWrong = share(judged.filter { !$0.isRight }.map(\.passes))
    }

    /// The plans of an attempt in order, and the critic's replies to them.
    private static func drafts(_ attempt: Attempt) -> [(plan: String, probe: String?)] {
        func text(_ step: String) -> String? { attempt.steps.first { $0.name == step }?.text }
        var drafts: [(String, String?)] = []
        while let plan = text(drafts.isEmpty ? "plan" : "plan \(drafts.count + 1)") {
            drafts.append((plan, text(drafts.isEmpty ? "probe" : "probe \(drafts.count + 1)")))
        }
        return drafts
    }
}
