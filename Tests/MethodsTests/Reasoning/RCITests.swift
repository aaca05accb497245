import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct RCIQuestionTests {
    private let question = Question(id: "1", "What is 2 + 2?", kind: .number, golds: ["4"])

    private func turns(_ request: CompletionRequest) -> [ChatMessage] {
        if case .chat(let messages, _) = request.prompt { messages } else { [] }
    }

    @Test func theConversationGrowsAndTheExtractionStandsBesideIt() async throws {
        #expect(try await RCIRules.layouts() == 1)
        let model = ScriptedModel(["It is 5.", "5 is too many.", "It is 4.", " 4."])
        let solution = try await RCI().strategy(.init(), around: nil).attempt(question, asking: model, seed: 1)
        #expect(solution.isRight && solution.cost.calls == 4 && solution.solution.text == "It is 4.")
        #expect(
            turns(model.requests[3]) == [
                .user("What is 2 + 2?"), .assistant("It is 5."), .user(SelfCriticism.review),
                .assistant("5 is too many."),
                .user(SelfCriticism.improve),
                .assistant("It is 4. \nTherefore, the answer (arabic numerals) is"),
            ])
        #expect(model.requests.map(\.stop.maxTokens) == [256, 256, 256, 32])
    }

    @Test func theFirstAnswerMayBeginWithATriggerOrComeFromAnotherStrategy() async throws {
        let model = ScriptedModel([" 2 and 2 make 5.", "No.", "4", "4"])
        let options = try RCI.Options { $0.stepByStep = true }
        _ = try await RCI().strategy(options, around: nil).attempt(question, asking: model, seed: 1)
        #expect(turns(model.requests[0]) == [.user("What is 2 + 2?"), .assistant("Let's think step by step.")])
        #expect(turns(model.requests[1])[1] == .assistant("Let's think step by step. 2 and 2 make 5."))

        let around = ScriptedModel([" First 2.", " 5.", "No.", "4", "4"])
        let strategy = try RCI().strategy(.init(), around: try ZeroShotCoT().strategy(.init(), around: nil))
        #expect(strategy.name == "rci:zero-shot-cot")
        _ = try await strategy.attempt(question, asking: around, seed: 1)
        #expect(turns(around.requests[2])[1].content == "First 2.\nThe answer is 5.")
    }

    @Test func aConfirmedStopEndsWithTheAnswerThatWasConfirmed() async throws {
        let options = try RCI.Options {
            $0.stop = .confirmed
            $0.rounds = 3
        }
        let model = ScriptedModel(["5", "It should be 4.", "4", "There is no problem.", "4"])
        let attempt = try await RCI().strategy(options, around: nil).attempt(question, asking: model, seed: 1)
        #expect(attempt.solution.outcome == "confirmed in round 2" && attempt.isRight && attempt.cost.calls == 5)
        // The extraction continues the confirmed answer; the critique of it is not before it.
        #expect(turns(model.requests[4]).count == 6 && turns(model.requests[4])[5].content.hasPrefix("4 \nTherefore"))
        for (critique, isConfirmed) in [
            ("I find no problems with it.", true), ("The answer is correct.", true), ("It is incorrect.", false),
            ("There are no errors. However, the sum is 4.", false), ("The sum is 4.", false),
            ("Nothing wrong\nhere", true),
        ] {
            #expect(SelfCriticism.findsNoProblem(critique) == isConfirmed, "\(critique)")
        }
    }

    @Test func theOracleIsNoStrategyAndBearsItsName() async throws {
        let options = try RCI.Options { $0.stop = .oracle }
        let error = #expect(throws: OptionError.self) { try RCI().strategy(options, around: nil) }
        #expect(error?.description.contains("lyceum run rci --stop oracle") == true)
        var strategy = SelfCriticism()
        strategy.rounds = 2
        strategy.stop = .oracle(["1": ["4"]])
        #expect(strategy.name == "rci, oracle stop (reads the right answers)")
        let model = ScriptedModel(["5", "5", "no", "4", "4"])
        let attempt = try await strategy.attempt(question, asking: model, seed: 1)
        #expect(attempt.solution.outcome == "right in round 1" && attempt.cost.calls == 5)
    }

    @Test func aRunCountsWhatChanged() async throws {
        // Each question's answers in both rounds.
        let answers = ["a": ["1", "2"], "b": ["1", "1"], "c": ["2", "1"], "d": ["2", "2"]]
        let model = ScriptedModel { request, _ in
            let text = request.prompt.plainText
            let own = answers.first { text.contains("\($0.key)?") }?.value ?? []
            return text.contains(SelfCriticism.improve) ? own[1] : own[0]
        }
        let records: [JSONValue] = ["a", "b", "c", "d"].map {
            ["id": .string($0), "question": .string("\($0)?"), "answer": "1"]
        }
        let lab = Lab(slug: "rci", subject: model, dataSet: DataSet(name: "made", records: records))
        let report = try await RCI().run(try .init { $0.stop = .oracle }, in: lab)
        let tables = report.blocks.compactMap { if case .table(let table) = $0 { table } else { nil } }
        let rounds = try #require(tables.first { $0.caption == "Answers by round" })
        #expect(rounds.rows == [["0", "50.0 %", "", "", "", ""], ["1", "50.0 %", "1", "1", "1", "1"]])
        let oracle = try #require(report.metrics.last { $0.name.hasSuffix("oracle stop (reads the right answers)") })
        #expect(oracle.estimate.value == 0.75)
    }
}

@Suite struct RCIAgentTests {
    private let wording = AgentWording.standard

    /// A page with a field and a text that can't be seen.
    private func world() throws -> OwnPage {
        try OwnPage(
            html: "<input id=\"f\"><p hidden>x</p>", goal: "Write Ada.", success: "//input/@value = 'Ada'")
    }

    @Test func instructionsAreJudgedByTheTable() {
        #expect(RCIRules.instructions.count == 25)
        #expect(RCIRules.forms() == 1)
        #expect(RCIRules.budgets() == 1)
        for (reply, cut) in [
            ("type x` and then", "type x"), ("`type x`", "type x"), ("  type x \n", "type x"), ("", ""), ("``", ""),
            ("` `type x", ""),
        ] {
            #expect(ActionGrammar.cut(reply) == cut, "\(reply)")
        }
        for action in [
            PageAction.click(xpath: "//a"), .select(xpath: "//b"), .hover(xpath: "//c"), .type("a\nb"),
            .press(.arrowUp),
        ] {
            #expect((try? ActionGrammar.action(ActionGrammar.instruction(action))) == action)
        }
    }

    @Test func planStateAndFormsAreGroundedInThatOrder() async throws {
        let model = ScriptedModel([
            "\n1. click it\n2. type the name", "It names no field.", "\n1. clickxpath //input\n2. type Ada",
            "click the field", "clickxpath //input", "type X", "write Ada", "type Ada",
        ])
        var agent = WebAgent()
        agent.planCritiques = 1
        agent.examples = [ExamplePlan("Write Bob.", "type Bob")]
        let episode = try await agent.play(world(), seed: 1, asking: model)
        #expect(episode.isSuccess && episode.calls == 8 && episode.history == ["clickxpath //input", "type Ada"])
        #expect(episode.plans.count == 2 && episode.critiques == ["It names no field."])
        #expect(
            episode.steps[1].raw == "type X" && episode.steps[1].grounded == "write Ada"
                && episode.steps[1].repaired == ["type Ada"])
        #expect(
            episode.steps[1].before.contains("<input id=\"f\">")
                && episode.steps[1].after?.contains("value=\"Ada\"") == true)

        let prompts = model.requests.map(\.prompt.plainText)
        let html = "<input id=\"f\"><p hidden=\"\">x</p>"
        #expect(
            prompts[0] == wording.base
                + "\n\nThe page as HTML:\n\(html)\n\nThe task: Write Bob.\nThe plan for it:\n1. type Bob"
                + "\n\nThe task: Write Ada.\nplan:")
        // Every request holds the whole dialogue before it.
        #expect(prompts[1] == prompts[0] + "\n1. click it\n2. type the name\n\n\(wording.critique)\n")
        #expect(
            prompts[2] == prompts[1] + "It names no field.\n\n\(wording.improve)\nThe page as HTML:\n\(html)\nplan:")
        let plan = "The plan for the task:\n1. clickxpath //input\n2. type Ada\n"
        let first = wording.base + "\n\nThe page as HTML:\n\(html)\n\nThe task: Write Ada.\n\(plan)"
        #expect(prompts[3] == first + "Nothing has been carried out yet.\n\(wording.first)")
        #expect(prompts[4] == prompts[3] + "click the field`\n\(wording.grounding)")
        #expect(prompts[5] == first + "Carried out so far:\n1. `clickxpath //input`\n\(wording.next)")
        #expect(prompts[7] == prompts[5] + "type X`\n\(wording.grounding)write Ada`\n\(wording.repair)")
        #expect(model.requests[3].stop.strings == ["`"] && model.requests[0].stop.strings.isEmpty)
    }

    @Test func chatModelsAreAskedInTurns() async throws {
        let model = ScriptedModel(capabilities: [.completion]) { _, index in
            index == 0 ? "`clickxpath //input`" : "`type Ada`"
        }
        var agent = WebAgent()
        agent.planCritiques = -1
        agent.groundsState = false
        let episode = try await agent.play(world(), seed: 1, asking: model)
        #expect(episode.isSuccess && episode.plan == nil)
        guard case .chat(let turns, _) = model.requests[1].prompt else { return #expect(Bool(false)) }
        #expect(turns.map(\.role) == [.user, .assistant] && turns[1].content == wording.next)
        #expect(model.requests[1].stop.strings.isEmpty)
    }

    @Test func failuresAreCountedApart() async throws {
        func failure(_ replies: [String], _ change: (inout WebAgent) -> Void = { _ in }) async throws -> AgentEpisode {
            var agent = WebAgent()
            agent.groundsState = false
            agent.planCritiques = -1
            change(&agent)
            return try await agent.play(world(), seed: 1, asking: ScriptedModel(replies))
        }
        let repaired = try await failure(["click", "click it"])
        #expect(
            repaired.failure == .invalidAction && repaired.calls == 2 && repaired.reason.contains("matches none of"))
        #expect(try await failure(["click"]) { $0.repairs = 0 }.calls == 1)
        #expect(try await failure(["x", "y", "z", "clickxpath //b"]) { $0.repairs = 3 }.failure == .execution)
        for path in ["//em", "//p", "//["] {
            #expect(try await failure(["clickxpath \(path)"]).failure == .execution, "\(path)")
        }
        let limit = try await failure(["press enter", "press enter", "press enter", "press enter"])
        #expect(limit.failure == .stepLimit && limit.steps.count == 4)
        let planned = try await failure(["1. a\n2. b", "press enter", "press enter"]) { $0.planCritiques = 0 }
        #expect(planned.failure == .stepLimit && planned.steps.count == 2)
        #expect(try await failure([" \n"]) { $0.planCritiques = 0 }.failure == .plan)
        let practice = try PracticePages(.clickLink)
        let start = try await practice.reset(seed: 3)
        let wrong = try PagePath("//a").all(in: PageDocument(parsing: start.html)).count
        #expect(wrong > 1)
        var agent = WebAgent()
        agent.planCritiques = -1
        agent.groundsState = false
        guard case .click(let right) = PracticeTask.clickLink.solution(seed: 3)[0] else { return #expect(Bool(false)) }
        let other = "//a[not(text() = \(right.dropFirst("//a[text()=".count).dropLast()))]"
        #expect(
            try await agent.play(practice, seed: 3, asking: ScriptedModel(["clickxpath \(other)"])).failure == .outcome)
    }

    @Test func aRunComparesTheAgentWithItsPlainSelf() async throws {
        // Says what solves the task at hand in its grounding alone.
        let model = ScriptedModel { request, _ in
            let text = request.prompt.plainText
            if text.hasSuffix("plan:") { return "1. click the link" }
            guard text.hasSuffix(AgentWording.standard.grounding) else { return "the link" }
            let goal = text.components(separatedBy: "The task: ").last ?? ""
            return "clickxpath //a[text()='\(goal.split(separator: "\"")[1])']`"
        }
        let options = try RCI.Options {
            $0.task = ["click-link"]
            $0.episodes = 5
            $0.ablations = true
        }
        let report = try await RCI().run(options, in: Lab(slug: "rci", subject: model))
        let tables = report.blocks.compactMap { if case .table(let table) = $0 { table } else { nil } }
        let ends = try #require(tables.first { $0.caption == "How episodes ended" })
        #expect(
            ends.rows.map { $0[0] } == [
                "plain", "without plan", "without state grounding", "without agent grounding", "rci",
            ])
        #expect(ends.rows.map { $0[1] } == ["0.0 %", "100.0 %", "0.0 %", "100.0 %", "100.0 %"])
        let invalid = try #require(ends.columns.firstIndex { $0.title == "invalid action" })
        #expect(ends.rows.map { $0[invalid] } == ["5", "0", "5", "0", "0"])
    }

    @Test func badInputIsToldBeforeAnyWork() async throws {
        let model = ScriptedModel([])
        let lab = Lab(slug: "rci", subject: model)
        await #expect(throws: AgentError.noTask) { try await RCI().run(.init(), in: lab) }
        let unknown = await #expect(throws: AgentError.self) {
            try await RCI().run(try .init { $0.task = ["fly"] }, in: lab)
        }
        #expect(unknown?.description.contains("Tasks: all, click-button,") == true)
        #expect(throws: OptionError.self) { try RCI.Options { $0.goal = "x" } }
        #expect(throws: OptionError.self) { try RCI.Options { $0.erci = -2 } }
        let path = #expect(throws: OptionError.self) {
            try RCI.Options {
                $0.page = Path("x.html")
                $0.goal = "x"
                $0.success = "//["
            }
        }
        #expect(path?.description.contains("needs a step") == true)
        #expect(model.requests.isEmpty)
    }

    @Test func everyTaskHasExamplePlansOfValidInstructions() throws {
        let all =
            MiniWoB.tasks.map { ($0, ExamplePlans.ofMiniWoB($0)) }
            + PracticeTask.allCases.map { ($0.rawValue, ExamplePlans.of($0)) }
        #expect(all.count == 26)
        for (task, plans) in all {
            #expect(!plans.isEmpty, "\(task)")
            for line in plans.flatMap({ $0.plan.split(separator: "\n") }) {
                let action = try ActionGrammar.action(String(line.drop { $0 != " " }.dropFirst()))
                if case .click(let path) = action { _ = try PagePath(path) }
            }
        }
    }
}

private let embedded = ModelReference.embeddedFile.path

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: embedded),
        "the embedded model is not in the cache; make demo fetches it"))
struct RCIEndToEndTests {
    @Test(.timeLimit(.minutes(3))) func aPageTooLongForTheModelFailsWithItsTokens() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let long = String(repeating: "<b>word</b>", count: 4_000)
        let world = try OwnPage(html: long, goal: "x", success: "//em")
        let error = await #expect(throws: AgentError.self) { try await WebAgent().play(world, seed: 1, asking: model) }
        guard case .contextOverflow(let page, let prompt, 256, let limit)? = error else { return #expect(Bool(false)) }
        #expect(page > 8_000 && prompt > page && limit == model.configuration.contextLength)
        #expect(error?.description.contains("\(prompt) tokens, \(page) of them") == true)
    }

    @Test(.timeLimit(.minutes(3))) func questionsAndPagesOnTheEmbeddedModel() async throws {
        let ledger = CallLedger(try LocalModel(path: embedded, reference: "embedded"))
        let records: [JSONValue] = [
            ["question": "What is 3 + 4?", "answer": "7"], ["question": "What is 2 + 5 + 1?", "answer": "8"],
        ]
        let lab = Lab(slug: "rci", subject: ledger, dataSet: DataSet(name: "made", records: records))
        let report = try await RCI().run(try .init { $0.maxTokens = 24 }, in: lab)
        // Directly one call, with RCI three and two extractions.
        #expect(ledger.calls.count == 2 * 6 && report.metrics.contains { $0.name == "accuracy, rci" })
        let options = try RCI.Options {
            $0.task = ["click-button", "login"]
            $0.episodes = 1
            $0.maxTokens = 24
            $0.demonstrations = 1
        }
        let pages = try await RCI().run(options, in: lab)
        #expect(pages.metrics.contains { $0.name == "success rate, rci" })
    }

    /// The demo's parts on a policy that has learnt next to nothing: the exact checks hold whatever the models.
    @Test(.timeLimit(.minutes(3))) func aPolicyIsTrainedAndTheStopsKeepTheirWord() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rci-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = Lab(
            slug: "rci", subject: try LocalModel(path: embedded, reference: "embedded"), limit: 2, outputFolder: folder)
        var policy = PracticePolicy()
        policy.states = 64
        policy.training.layers = 1
        policy.training.hiddenSize = 32
        policy.training.epochs = 1
        let demonstration = try await RCI().demonstration(policy, in: lab)
        let exact = demonstration.checks.filter { $0.role == .mechanism }
        #expect(exact.count == 6)
        for check in exact { #expect(check.holds, "\(check.name): \(check.measured)") }
    }
}

@Suite(
    .enabled("there is no Chromium in a sandbox here, or no MiniWoB++; type: make browser") {
        guard FileManager.default.fileExists(atPath: MiniWoB.pages.path) else { return false }
        do {
            let browser = try await Browser(pages: MiniWoB.pages)
            await browser.close()
            return true
        } catch {
            return false
        }
    })
struct RCIMiniWoBTests {
    @Test(.timeLimit(.minutes(3))) func theAgentPlaysMiniWoB() async throws {
        let model = ScriptedModel { request, _ in
            let text = request.prompt.plainText
            if text.hasSuffix("plan:") { return "\n1. click the field\n2. type the name\n3. click the button" }
            guard text.hasSuffix(AgentWording.standard.grounding) else { return "NAME" }
            let name = (text.components(separatedBy: "The task: ").last ?? "").split(separator: "\"")[1]
            let done = text.components(separatedBy: "\n1. `clickxpath").count - 1
            if text.contains("3. `") || text.contains("2. `type") { return "clickxpath //button`" }
            return done > 0 ? "type \(name)`" : "clickxpath //input[@id='tt']`"
        }
        let options = try RCI.Options {
            $0.world = .miniwob
            $0.task = ["enter-text"]
            $0.episodes = 2
        }
        let report = try await RCI().run(options, in: Lab(slug: "rci", subject: model))
        #expect(report.metrics.first { $0.name == "success rate, rci" }?.estimate.value == 1)
        #expect(report.metrics.first { $0.name == "success rate, plain" }?.estimate.value == 0)
    }
}
