import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct CQoTTests {
    private let question = Question(id: "1", "What is 2 + 2?", kind: .number, golds: ["4"])

    /// Alternates plans with probes that say "Yes" this often; what comes after is the answer.
    private func model(_ yes: [Int]) -> ScriptedModel {
        ScriptedModel { _, index in
            if index == 2 * yes.count { return "The answer is 4." }
            return index.isMultiple(of: 2)
                ? "plan \(index / 2 + 1)" : Array(repeating: "Yes", count: yes[index / 2]).joined(separator: " ")
        }
    }

    private func turns(_ request: CompletionRequest?) -> [ChatMessage] {
        if case .chat(let messages, _)? = request?.prompt { messages } else { [] }
    }

    static let sequences: [(yes: [Int], outcome: String)] = [
        ([8], "strict, draft 1"),
        ([7], "strict, draft 1"),
        ([6, 6, 8], "strict, draft 3"),
        // The fourth retry is still strict: five don't suffice and a sixth draft is made.
        ([6, 6, 6, 6, 5, 7], "strict, draft 6"),
        ([6, 6, 6, 6, 6, 5], "relaxed, draft 6"),
        ([0, 0, 0, 0, 0, 4, 5], "relaxed, draft 7"),
        (Array(repeating: 0, count: 11), "exhausted, draft 11"),
        (Array(repeating: 4, count: 11), "exhausted, draft 11"),
    ]

    @Test(arguments: sequences)
    func theGateOpensAtTheRightDraft(yes: [Int], outcome: String) async throws {
        let model = model(yes)
        let attempt = try await PlannedAnswering(.init()).attempt(question, asking: model, seed: 1)
        #expect(attempt.solution.outcome == outcome)
        #expect(attempt.cost.calls == 2 * yes.count + 1)
        #expect(attempt.isRight)
        #expect(turns(model.requests.last)[1] == .assistant("plan \(yes.count)"))
    }

    @Test func callsHaveTheirRolesAndSampling() async throws {
        let model = model([8])
        _ = try await PlannedAnswering(.init()).attempt(question, asking: model, seed: 1)
        #expect(
            model.requests.map { turns($0).map(\.role) } == [
                [.system, .user], [.system, .assistant, .user], [.system, .assistant, .user],
            ])
        #expect(model.requests.map(\.sampling.temperature) == [0.8, 0.2, 0.2])
        #expect(model.requests.allSatisfy { $0.sampling.topP == 0.95 && $0.stop.maxTokens == 2000 })
        #expect(turns(model.requests[1])[2].content.hasPrefix("What is 2 + 2?"))
        for critical in CriticalQuestions.toulmin { #expect(turns(model.requests[1])[0].content.contains(critical)) }
        #expect(turns(model.requests[2])[2] == .user("What is 2 + 2?"))
    }

    @Test func aRejectedPlanLeavesNoTraceUnlessAskedFor() async throws {
        let plain = model([0, 8])
        _ = try await PlannedAnswering(.init()).attempt(question, asking: plain, seed: 1)
        #expect(turns(plain.requests[0]) == turns(plain.requests[2]))
        #expect(plain.requests[0].sampling.seed != plain.requests[2].sampling.seed)
        let refined = model([0, 8])
        _ = try await PlannedAnswering(.init { $0.feedback = true }).attempt(question, asking: refined, seed: 1)
        #expect(refined.requests[2].prompt.plainText.contains("plan 1"))
    }

    @Test func withoutProbesThereAreTwoCalls() async throws {
        let model = ScriptedModel(["plan", "The answer is 5."])
        let attempt = try await PlannedAnswering(.init(), isProbed: false).attempt(question, asking: model, seed: 1)
        #expect(attempt.cost.calls == 2 && !attempt.isRight)
    }

    @Test(arguments: [
        ("1. Yes\n2. No\n3. yes", 1, 2), ("Yes, Yes: Yes", 3, 0), ("1) YES\n2) Yes\n2) No", 1, 2), ("", 0, 0),
        ("Question 8: Yes, since Yes", 2, 1), ("9. Yes", 1, 0), ("Yes\nno\nyes", 1, 2), ("1. Yesterday", 1, 0),
    ])
    func yesIsCountedByMode(reply: String, literal: Int, perQuestion: Int) {
        #expect(CriticalQuestions(mode: .literal).verdicts(in: reply).yes == literal)
        let verdicts = CriticalQuestions(mode: .perQuestion).verdicts(in: reply)
        #expect(verdicts.yes == perQuestion)
        #expect(verdicts.each.count == 8)
    }

    private struct TurnsRefused: Error {}

    @Test func aRefusedTurnIsQuoted() async throws {
        let model = ScriptedModel { request, index in
            if case .chat(let messages, _) = request.prompt, messages[1].role == .assistant { throw TurnsRefused() }
            return index == 0 ? "my plan" : "Yes Yes Yes Yes Yes Yes Yes. The answer is 4."
        }
        let attempt = try await PlannedAnswering(.init()).attempt(question, asking: model, seed: 1)
        #expect(attempt.isRight)
        #expect(attempt.steps.map(\.name).filter { $0 == "plan quoted" }.count == 2)
        #expect(turns(model.requests.last)[1].content.contains("my plan"))
        await #expect(throws: TurnsRefused.self) {
            try await PlannedAnswering(.init { $0.planTurn = .assistant }).attempt(question, asking: model, seed: 1)
        }
    }

    @Test func aRunHasFourArms() async throws {
        let model = ScriptedModel { _, _ in "Yes Yes Yes Yes Yes Yes Yes 4. The answer is 4" }
        let records: [JSONValue] = [["question": "What is 2 + 2?", "answer": 4]]
        let lab = Lab(slug: "cqot", subject: model, dataSet: DataSet(name: "made", records: records))
        let report = try await CQoT().run(.init(), in: lab)
        let names = report.metrics.map(\.name)
        for arm in ["direct", "zero-shot-cot", "plan-only", "cqot"] { #expect(names.contains("accuracy, \(arm)")) }
    }

    @Test func wrongOptionsAreRefused() {
        #expect(throws: OptionError.self) { try CQoT.Options { $0.acceptMin = 9 } }
        #expect(throws: OptionError.self) { try CQoT.Options { $0.relaxedMin = 8 } }
        #expect(throws: OptionError.self) { try CQoT.Options { $0.questions = [] } }
        #expect(throws: OptionError.self) { try CQoT.Options { $0.planTopP = 0 } }
        let error = #expect(throws: OptionError.self) { try CQoT.Options { $0.planTemperature = 0 } }
        #expect(error?.description.contains("--max-retries 0") == true)
    }
}

@Suite struct IntegerChainTests {
    private static let chain = IntegerChain(start: 7, steps: [.add(4), .double, .subtract(5)])

    @Test func plansAreWrittenAndReadAlike() {
        let plan = ChainPlan(Self.chain)
        #expect(Self.chain.text == "start 7 ; add 4 ; double ; subtract 5" && Self.chain.result == 17)
        #expect(plan.text == "7 + 4 = 11 ; 11 * 2 = 22 ; 22 - 5 = 17")
        #expect(ChainPlan(plan.text) == plan && plan.isRight(for: Self.chain))
        for bad in ["", "7 + 4", "7 + 4 = x", "7 * 3 = 21", "7 + 4 = 11 ; and so on"] { #expect(ChainPlan(bad) == nil) }
    }

    /// The questions, from one, that a plan for the chain fails.
    static let failures: [(plan: String, no: [Int])] = [
        ("7 + 4 = 11 ; 11 * 2 = 22 ; 22 - 5 = 17", []),
        // A dropped carry, and another wrong value: both leave a conclusion that arithmetic doesn't bear out.
        ("7 + 4 = 1 ; 1 * 2 = 2 ; 2 - 5 = -3", [4, 5, 6, 7, 8]),
        ("7 + 4 = 11 ; 11 * 2 = 22 ; 22 - 5 = 18", [4, 5, 6, 7, 8]),
        // Another step, another start, a value out of nowhere, a step too few: valid arithmetic about something else.
        ("7 + 3 = 10 ; 10 * 2 = 20 ; 20 - 5 = 15", [2, 5, 6, 8]),
        ("8 + 4 = 12 ; 12 * 2 = 24 ; 24 - 5 = 19", [1, 5, 6, 8]),
        ("7 + 4 = 11 ; 12 * 2 = 24 ; 24 - 5 = 19", [3, 5, 6, 8]),
        ("7 + 4 = 11 ; 11 * 2 = 22", [2, 5, 6, 8]),
        // Two errors that cancel out: the result is right, and doesn't follow.
        ("7 + 4 = 12 ; 12 * 2 = 22 ; 22 - 5 = 17", [4, 5, 6, 7]),
    ]

    @Test(arguments: failures) func verdictsAreComputedFromThePlan(text: String, no: [Int]) throws {
        let verdicts = try #require(ChainPlan(text)).verdicts(on: Self.chain)
        #expect(verdicts.indices.filter { !verdicts[$0] }.map { $0 + 1 } == no)
        #expect(CriticalQuestions().verdicts(in: ChainPlan.reply(verdicts)).yes == 8 - no.count)
        // No single slip gets past the relaxed bar.
        #expect(no.isEmpty || PlanGate().rule(yes: 8 - no.count, retry: 5) == nil)
    }

    @Test func aPlannerCanSlipInOnePlace() {
        var generator = SeededGenerator(seed: 1)
        for chain in IntegerChain.distinct(300, using: generator) {
            let right = ChainPlan(chain)
            let slipped = ChainPlan(chain, slip: .carry, using: &generator)
            #expect(right.isRight(for: chain) && right.isInRange && slipped.isInRange)
            #expect(slipped.lines.count(where: { !$0.isValid }) == 1)
            #expect(abs(slipped.lines.first { !$0.isValid }.map { $0.to - $0.step($0.from) } ?? 0) == 10)
            #expect(slipped.lines.last?.to != chain.result)
        }
    }

    @Test(arguments: [[ChainPlan.Slip.carry], ChainPlan.Slip.allCases]) func sixInTenPlansAreRight(
        slips: [ChainPlan.Slip]
    ) {
        var generator = SeededGenerator(seed: 2)
        let right = (0..<4000).count { _ in
            let chain = IntegerChain.random(using: &generator)
            return ChainTraining.plan(of: chain, slips: slips, using: &generator).isRight(for: chain)
        }
        // Within four standard errors.
        #expect(abs(Double(right) / 4000 - 0.6) < 0.031)
    }

    @Test func samplesAreTheMethodsConversationsAboutOtherChains() throws {
        let tested = Set(IntegerChain.distinct(2000, using: SeededGenerator(seed: 3)))
        var training = ChainTraining()
        (training.plans, training.probes, training.answers) = (50, 60, 20)
        let samples = training.samples(without: tested, using: SeededGenerator(seed: 4))
        let texts = Set(tested.map(\.text))
        var counts = [0, 0, 0]
        for sample in samples {
            let (reply, user) = (
                sample.messages.last?.content ?? "", sample.messages[sample.messages.count - 2].content
            )
            #expect(!texts.contains { user.hasPrefix($0 + "\n") || user == $0 })
            #expect(sample.counting == [sample.messages.count - 1])
            if sample.messages.map(\.role) == [.user, .assistant] {
                counts[0] += 1
                #expect(ChainPlan(reply) != nil && user.contains("not the final answer"))
            } else {
                #expect(sample.messages.map(\.role) == [.assistant, .user, .assistant])
                let plan = try #require(ChainPlan(sample.messages[0].content))
                if user.contains("Remember to answer all 8 questions.") {
                    counts[1] += 1
                    #expect(reply.hasPrefix("1. Yes 2. ") && reply.contains("8. "))
                } else {
                    counts[2] += 1
                    #expect(reply == "The answer is \(plan.lines.last?.to ?? 0)")
                }
            }
        }
        #expect(counts == [50, 60, 20])
    }

    /// A script that knows its roles: plans are right for chains with an even start, verdicts are exact.
    @Test func shuffledProbesAreAboutOtherProblems() async throws {
        let chains = IntegerChain.distinct(12, using: SeededGenerator(seed: 5))
        let known = Dictionary(uniqueKeysWithValues: chains.map { ($0.text, $0) })
        let model = ScriptedModel(capabilities: [.completion]) { request, _ in
            guard case .chat(let turns, _) = request.prompt, let user = turns.last?.content,
                let chain = known[String(user.prefix { $0 != "\n" })]
            else { return "" }
            #expect(turns.allSatisfy { $0.role != .system })
            if turns.count == 1 {
                var generator = SeededGenerator(seed: request.sampling.seed ?? 0)
                return ChainTraining.plan(of: chain, slips: [.carry], using: &generator).text
            }
            let plan = ChainPlan(turns[0].content)
            if user == chain.text { return "The answer is \(plan?.lines.last?.to ?? 0)" }
            return ChainPlan.reply(plan?.verdicts(on: chain) ?? [])
        }
        let lab = Lab(slug: "cqot", subject: nil)
        let experiment = try await ChainExperiment(chains, asking: model, shuffles: 3, in: lab)
        #expect(try experiment.comparison.accuracy(1).value == 1)
        #expect(experiment.rightPlans == (try experiment.comparison.accuracy(0).value))
        #expect(experiment.rightVerdicts == 1 && experiment.passingRight == 1 && experiment.passingWrong == 0)
        #expect(experiment.shuffledGains.count == 3)

        let probes = chains.map {
            PlanMessages.probe($0.question(), plan: ChainPlan($0).text, CriticalQuestions.toulmin)
        }
        let echo = ScriptedModel { request, _ in request.prompt.plainText }
        for seed in 1...20 as ClosedRange<UInt64> {
            let request = CompletionRequest(.chat(probes[0]), sampling: .random(temperature: 0.2, seed: seed))
            let own = try await ChainModel(model: echo).complete(request).text
            let other = try await ChainModel(model: echo, probes: probes).complete(request).text
            #expect(own.contains(chains[0].text) && !other.contains(chains[0].text + "\n"))
            #expect(chains.contains { other.contains($0.text) && other.contains(ChainPlan($0).text) })
        }
    }
}

@Suite struct CQoTEndToEndTests {
    /// The whole demo with a model that has learnt next to nothing, and a script as the subject model.
    @Test(.timeLimit(.minutes(5))) func theDemoOnAFewItems() async throws {
        var training = ChainTraining()
        (training.plans, training.probes, training.answers) = (64, 64, 64)
        (training.model.layers, training.model.hiddenSize, training.model.samplesPerStep) = (1, 32, 32)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cqot-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let subject = ScriptedModel { _, _ in "Yes Yes Yes Yes Yes Yes Yes. The answer is 4." }
        let lab = Lab(slug: "cqot", subject: subject, limit: 3, outputFolder: folder)
        let demonstration = try await CQoT().demo(training: training, in: lab)
        for check in demonstration.checks where check.role == .mechanism {
            #expect(check.holds, "\(check.name): \(check.measured)")
        }
        #expect(demonstration.checks.count(where: { $0.role == .effect }) == 2)
        #expect(demonstration.controls.allSatisfy { $0.value >= 0 && $0.value <= 23 })
        #expect(demonstration.report.metrics.count { $0.name.hasPrefix("accuracy of scripted, ") } == 4)
    }
}
