import Inference
import Laboratory
import Text

extension RCI {
    /// Episodes of each of the six practice tasks that the demo plays with each agent: 102 in all.
    package static let demoEpisodes = 17
    /// Additions that the honesty check asks.
    package static let demoAdditions = 60

    /// The implicit loops with a policy trained in the run, whose instructions are spoilt in 35 of 100 cases: none, each alone, and
    /// both, on the same unseen pages. Whether the stops of the reasoning part keep their word, on the subject. And the exact rules.
    ///
    /// The bars of the effect are the sheet's; that the policy's continuations of the two stems are right is trained, so that what is
    /// measured is the loops and not a small model's insight. No improvement is asked of the fixed stop: a small model has none
    /// to offer.
    public func demo(in lab: Lab) async throws -> Demonstration {
        try await demonstration(PracticePolicy(), in: lab)
    }

    package func demonstration(_ policy: PracticePolicy, in lab: Lab) async throws -> Demonstration {
        let policy = try await policy.train("policy", in: lab)
        let agents = [
            PracticePolicy.agent("no loop", groundsState: false, repairs: 0),
            PracticePolicy.agent("state grounding", groundsState: true, repairs: 0),
            PracticePolicy.agent("agent grounding", groundsState: false, repairs: 1),
            PracticePolicy.agent("both loops", groundsState: true, repairs: 1),
        ]
        let experiment = try await AgentExperiment(
            agents, on: PracticeTask.allCases.map { .practice($0) }, episodes: lab.limit ?? Self.demoEpisodes,
            asking: policy, in: lab)
        let honesty = try await CriticismHonesty(
            Self.additions(lab.limit ?? Self.demoAdditions, using: lab.random("additions")),
            asking: try lab.languageModel(), in: lab)

        var report = try experiment.report("RCI: the loops of the agent, and the stops of the answers", seed: lab.seed)
        report.section("Answers to two-step additions by \(try lab.languageModel().identity.name)")
        report.add(try honesty.tally.table())
        report.add(honesty.table)
        report.note(
            "The oracle's stop reads the right answers: it is no accuracy of a method. It stands here because the paper's arithmetic "
                + "results rest on it.")
        let invalid = (0..<agents.count).map { experiment.failures($0, .invalidAction) }
        let success = try agents.indices.map { try experiment.success($0).value }
        return Demonstration(
            report,
            checks: [
                Check("success, both loops minus none", success[3] - success[0], .atLeast(0.2)),
                Check("success, state grounding minus none", success[1] - success[0], .atLeast(0.05)),
                Check("success, agent grounding minus none", success[2] - success[0], .atLeast(0.05)),
                Check(
                    "invalid actions, both loops over none", Double(invalid[3]) / Double(max(1, invalid[0])),
                    .atMost(0.2)),
                Check(
                    "oracle's accuracy minus items right at any round",
                    honesty.oracle - Double(honesty.tally.rightEver) / Double(honesty.count), .between(0, 0),
                    role: .mechanism),
                Check("oracle's accuracy minus round 0", honesty.oracle - honesty.first, .atLeast(0), role: .mechanism),
                Check(
                    "conversations of fixed and confirmed changed by other right answers",
                    Double(honesty.changedByGold),
                    .atMost(0), role: .mechanism),
                Check(
                    "conversations laid out as published", try await RCIRules.layouts(), .atLeast(1), role: .mechanism),
                Check("step budgets that follow the rule", RCIRules.budgets(), .atLeast(1), role: .mechanism),
                Check("instructions judged right by the forms", RCIRules.forms(), .atLeast(1), role: .mechanism),
            ],
            controls: [
                .init("success, no loop", success[0]), .init("success, state grounding", success[1]),
                .init("success, agent grounding", success[2]), .init("success, both loops", success[3]),
                .init("invalid actions, no loop", Double(invalid[0])),
                .init("invalid actions, both loops", Double(invalid[3])),
                .init("accuracy, round 0", honesty.first), .init("accuracy, fixed stop", honesty.fixed),
                .init("accuracy, confirmed stop", honesty.confirmed),
                .init("accuracy with an oracle's stop, no method's", honesty.oracle),
            ])
    }

    static func additions(_ count: Int, using generator: SeededGenerator) -> [Question] {
        var generator = generator
        return (1...max(1, count)).map { index in
            let (a, b, c) = (1 + generator.below(9), 1 + generator.below(9), 1 + generator.below(9))
            return Question(
                id: "addition-\(index)", "What is \(a) + \(b) + \(c)?",
                kind: .number, golds: ["\(a + b + c)"], subject: "arithmetic")
        }
    }
}

/// The three stops on the same questions, and once more with right answers that are none.
struct CriticismHonesty {
    let count: Int
    /// Of the fixed stop, round by round.
    let tally: CriticismTally
    /// Accuracies.
    let first: Double
    let fixed: Double
    let confirmed: Double
    let oracle: Double
    /// How many conversations of the fixed and the confirmed stop differ when the right answers do.
    let changedByGold: Int
    let table: Table

    init(_ questions: [Question], asking subject: any LanguageModel, in lab: Lab) async throws {
        // The stops share most of their calls.
        let model = RememberedAnswers(subject)
        func arm(_ stop: CriticismStop) -> SelfCriticism {
            var arm = SelfCriticism()
            arm.stop = stop
            arm.maxTokens = 32
            arm.answerTokens = 8
            arm.extractsEveryRound = true
            arm.record = CriticismRecord()
            return arm
        }
        let arms = [arm(.fixed), arm(.confirmed), arm(.init(oracleOf: questions))]
        let comparison = try await StrategyComparison(arms, on: questions, asking: model, in: lab)
        let spoilt = questions.enumerated().map { place, question in
            var question = question
            question.golds = ["\(-1 - place)"]
            return question
        }
        let again = [arm(.fixed), arm(.confirmed)]
        let blind = Lab(slug: lab.slug, subject: subject, seed: lab.seed)
        _ = try await StrategyComparison(again, on: spoilt, asking: model, in: blind)
        var changed = 0
        for (before, after) in zip(arms, again) {
            changed += questions.count { before.record?[$0] != after.record?[$0] }
        }
        count = questions.count
        changedByGold = changed
        let tally = CriticismTally(arms[0].record ?? CriticismRecord(), questions, rounds: arms[0].rounds)
        self.tally = tally
        first = try Estimate.accuracy(tally.isRight[0]).value
        fixed = try comparison.accuracy(0).value
        confirmed = try comparison.accuracy(1).value
        oracle = try comparison.accuracy(2).value
        table = try comparison.table("The three stops")
    }
}

/// Rules that hold exactly, whatever the model.
package enum RCIRules {
    /// Of scripted conversations, the share whose requests and turns are those published.
    package static func layouts() async throws -> Double {
        let question = Question(id: "q", "1 + 1?", kind: .number, golds: ["2"])
        var held: [Bool] = []
        for rounds in 0...3 {
            let model = ScriptedModel { _, index in "reply \(index)" }
            var strategy = SelfCriticism()
            strategy.rounds = rounds
            let trace = try await strategy.converse(Inquiry(question, asking: model, seed: 1))
            var expected: [ChatMessage] = [.user("1 + 1?"), .assistant("reply 0")]
            for round in 0..<rounds {
                expected += [
                    .user(SelfCriticism.review), .assistant("reply \(2 * round + 1)"), .user(SelfCriticism.improve),
                    .assistant("reply \(2 * round + 2)"),
                ]
            }
            held.append(trace.conversation == expected)
            // Every request is the conversation so far; the last continues the last reply.
            let requests = model.requests.map { request -> [ChatMessage] in
                if case .chat(let messages, _) = request.prompt { messages } else { [] }
            }
            let phrase = AnswerPhrase.afterReasoning(.number)
            let turns = (0...(2 * rounds)).map { Array(expected.prefix(2 * $0 + 1)) }
            held.append(
                requests == turns + [expected.dropLast() + [.assistant("reply \(2 * rounds) \(phrase)")]])
        }
        return Double(held.count { $0 }) / Double(held.count)
    }

    package static func budgets() -> Double {
        let cases: [(plan: String?, steps: Int)] = [
            (nil, 4), ("", 4), ("1. clickxpath //a", 4), ("1. a\n2. b", 2), ("1. a\n\n2. b\n3. c\n", 3),
            ((1...9).map { "\($0). x" }.joined(separator: "\n"), 9),
        ]
        return Double(cases.count { WebAgent.steps(of: $0.plan) == $0.steps }) / Double(cases.count)
    }

    /// Instructions with the action that they are; nil: none.
    package static let instructions: [(text: String, action: PageAction?)] = [
        ("clickxpath //button[@id=\"a1\"]", .click(xpath: "//button[@id=\"a1\"]")),
        ("CLICKXPATH //a", .click(xpath: "//a")),
        ("clickxpath \"//a[text()='x']\"", .click(xpath: "//a[text()='x']")),
        ("clickxpath\t//a", .click(xpath: "//a")),
        ("clickoption //option[text()='Peru']", .select(xpath: "//option[text()='Peru']")),
        ("ClickOption (//option)[2]", .select(xpath: "(//option)[2]")),
        ("movemouse //div", .hover(xpath: "//div")),
        ("type hello world", .type("hello world")),
        ("type \"hello\"", .type("hello")),
        ("type 'it''", .type("it'")),
        ("type said \"no\" twice", .type("said \"no\" twice")),
        ("type hello\\n", .type("hello\n")),
        ("Type x", .type("x")),
        ("press enter", .press(.enter)),
        ("press ARROWLEFT", .press(.arrowLeft)),
        ("press backspace", .press(.backspace)),
        ("press tab", nil), ("press enter twice", nil), ("press", nil), ("clickid a1", nil), ("click //a", nil),
        ("clickxpath", nil), ("please clickxpath //a", nil), ("type", nil), ("clickxpath //a\ntype x", nil),
    ]

    package static func forms() -> Double {
        let right = instructions.count { (try? ActionGrammar.action($0.text)) == $0.action }
        return Double(right) / Double(instructions.count)
    }
}
