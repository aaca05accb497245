import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct DOTSTests {
    private let question = Question(id: "1", "What is 12 times 13?", kind: .number, golds: ["156"])

    private func runner(_ results: SandboxResult...) -> TrajectoryRunner {
        TrajectoryRunner(programs: TrajectoryPrograms { _ in results[0] })
    }

    private func result(_ output: String, errors: String = "", status: Int? = 0) -> SandboxResult {
        SandboxResult(output: output, errors: errors, status: status, limit: nil, seconds: 0)
    }

    private func turns(_ request: CompletionRequest) -> [String] {
        if case .chat(let messages, _) = request.prompt { messages.map(\.content) } else { [] }
    }

    // MARK: Trajectories

    @Test func twelveTrajectoriesShortestFirst() throws {
        let all = ActionCatalogue.standard.trajectories
        #expect(all.count == 12 && Set(all).count == 12)
        #expect(all.prefix(2) == [.plain, ReasoningTrajectory(.program)])
        #expect(all.map(\.length) == [1, 1] + Array(repeating: 2, count: 6) + Array(repeating: 3, count: 4))
        for trajectory in all {
            #expect(ReasoningTrajectory(flag: trajectory.description) == trajectory)
            #expect(trajectory.actions.last == .directAnswering)
        }
        #expect(throws: DOTSError.emptyLayer("solution")) { try ActionCatalogue(solution: []) }
        #expect(throws: DOTSError.repeated(layer: "analysis", item: "planning")) {
            try ActionCatalogue(analysis: [.planning, .none, .planning])
        }
    }

    @Test(arguments: ["", "planning", "verifier+CoT", "CoT+planning", "none+CoT+verifier+CoT", "CoT+CoT", "+CoT"])
    func otherTextsAreNoTrajectories(text: String) {
        #expect(ReasoningTrajectory(flag: text) == nil)
    }

    @Test func wrongOptionsAreRefused() {
        for flags in [
            ["--keep1", "2"], ["--search-temperature", "0"], ["--solution", "[]"], ["--analysis", "none,none"],
            ["--n", "0"], ["--trajectory", "verifier"], ["--planner", "a", "--train-questions", "b"],
        ] {
            #expect(throws: OptionError.self, "\(flags)") {
                _ = try DOTS.options(flags: flags, config: nil, alsoKnown: [])
            }
        }
    }

    // MARK: Execution

    @Test func wordsTakeOneCall() async throws {
        let model = ScriptedModel(["#### Step 1 #### … #### Step 2 #### The answer is 156."])
        let trajectory = ReasoningTrajectory(.chainOfThought, after: .planning)
        let run = try await runner().run(trajectory, Inquiry(question, asking: model, seed: 1))
        #expect(run.answer == "156" && run.turns.count == 2 && run.outcome.isEmpty)
        let prompt = turns(model.requests[0])[0]
        #expect(prompt.hasPrefix("{ What is 12 times 13? }\nStep 1: Restate"))
        #expect(prompt.contains("\nStep 2: Solve the query step by step in words"))
        #expect(prompt.contains("\nStep 3: Give the final answer as a number in digits"))
        #expect(prompt.contains("#### Step i ####") && !prompt.contains("Step 4"))
    }

    @Test func aProgramsResultGoesBack() async throws {
        let model = ScriptedModel(["```python\nprint(12 * 13)\n```", "The answer is 156."])
        let run = try await runner(result("156\n")).run(
            ReasoningTrajectory(.program), Inquiry(question, asking: model, seed: 1))
        #expect(run.answer == "156" && !run.programFailed)
        let last = turns(model.requests[1]).last ?? ""
        #expect(last.contains("\n156\n") && last.contains("Give the final answer"))
    }

    @Test func aFailedProgramIsToldAndScoresNothing() async throws {
        let model = ScriptedModel(["```python\nprint(x)\n```", "The answer is 156."])
        let failed = result("", errors: "Traceback\nNameError: name 'x' is not defined\n", status: 1)
        let rollout = try await DOTS.sample(
            ReasoningTrajectory(.program), question, runner(failed), asking: model, seed: 1)
        #expect(!rollout.isRight && rollout.programFailed && rollout.answer.isEmpty && rollout.calls == 2)
        #expect(turns(model.requests[1]).last?.contains("Error: NameError: name 'x' is not defined") == true)
        #expect(model.requests.count == 2)
    }

    @Test func theVerifierDecidesWhatIsAskedNext() async throws {
        for (verdict, again) in [
            ("Is 156 / 12 = 13? Yes.\ncorrect", false), ("It is incorrect to doubt it.\nCorrect", false),
            ("No.\nThis is Incorrect.\n\n", true), ("not incorrect", true),
        ] {
            let model = ScriptedModel(["The answer is 150.", verdict, "The answer is 156."])
            let run = try await runner().run(
                ReasoningTrajectory(.chainOfThought, then: .verifier), Inquiry(question, asking: model, seed: 1))
            #expect(run.solvedAgain == again && run.answer == "156", "\(verdict)")
            #expect(turns(model.requests[2]).last?.contains("without the mistake") == again)
        }
        // With a program the verifier's turn comes with its result.
        let model = ScriptedModel(["```python\nprint(156)\n```", "correct", "The answer is 156."])
        _ = try await runner(result("156\n")).run(
            ReasoningTrajectory(.program, then: .verifier), Inquiry(question, asking: model, seed: 1))
        #expect(model.requests.count == 3)
        #expect(turns(model.requests[1]).last?.contains("156\nVerify this") == true)
    }

    @Test(arguments: [
        ("```python\nprint(1)\n```", "print(1)\n"), ("x ```python print( 2 * 3 ) ``` y", "print( 2 * 3 )\n"),
        ("```py\na\n", "a\n"), ("```text\nno\n``` ```\nb\n```", "b\n"), ("no block", nil), ("```python\n```", nil),
        ("```bash\nls\n```", nil), ("```python\nfirst\n```\n```python\nsecond\n```", "first\n"),
    ])
    func programsAreFound(reply: String, program: String?) {
        #expect(TrajectoryPrograms.program(in: reply) == program)
    }

    @Test func nothingIsInstalled() async throws {
        let programs = TrajectoryPrograms { _ in
            Issue.record("it ran")
            return SandboxResult(output: "", errors: "", status: 0, limit: nil, seconds: 0)
        }
        for code in [
            "import os\nos.system('pip install x')", "subprocess.run(['pip', 'install', 'x'])", "!pip3 install x",
        ] {
            let outcome = try await programs.run("```python\n\(code)\n```")
            #expect(!outcome.succeeded && outcome.text.contains("installed"), "\(code)")
        }
        #expect(!TrajectoryPrograms.installsPackages("pipe = 1 # install nothing"))
    }

    @Test func realProgramsRunInTheSandbox() async throws {
        let programs = TrajectoryPrograms().remembering()
        #expect(try await programs.run("```python\nprint(123 * 4567)\n```") == .init(text: "561741", succeeded: true))
        let failed = try await programs.run("```python\nprint(1)\n1 / 0\n```")
        #expect(failed == .init(text: "1\nError: ZeroDivisionError: division by zero", succeeded: false))
    }

    // MARK: Search

    @Test func theSearchFindsTheBestAndPrefersTheShortest() async throws {
        let simulation = try await DOTS.simulation(in: Lab(slug: "dots", subject: nil))
        #expect(simulation.checks.count == 4)
        for check in simulation.checks {
            #expect(check.holds, "\(check.name): \(check.measured)")
        }
    }

    @Test func questionsThatTellNothingAreDropped() async throws {
        func verdict(_ right: @escaping @Sendable (ReasoningTrajectory) -> Bool) async throws -> TrajectorySearch.Result
        {
            try await TrajectorySearch().search { trajectory, _ in
                TrajectoryRollout(trajectory, isRight: right(trajectory))
            }
        }
        let easy = try await verdict { _ in true }
        #expect(easy.verdict == .easy && easy.probes.count == 4 && easy.rollouts.isEmpty && easy.best == nil)
        let hard = try await verdict { $0 == ReasoningTrajectory(.program, after: .planning) }
        #expect(hard.verdict == .alwaysWrong && hard.rounds.count == 1)
        // Plain words fail, so the probe lets it through; nine others are right.
        let right = try await verdict { $0 != .plain }
        #expect(right.verdict == .alwaysRight)
        let kept = try await verdict { $0.solution == .program }
        #expect(kept.verdict == .kept && kept.best == ReasoningTrajectory(.program))
        #expect(kept.rounds.map(\.count) == [12, 8, 3] && kept.rounds[2].map(\.samples) == [6, 6, 6])
        #expect(kept.rollouts.count == 24 + 16 + 6)
    }

    @Test func roundsAddUp() async throws {
        // Words win the first round by one sample and lose every later one; only the sum says so.
        var search = TrajectorySearch()
        search.dropsUninformative = false
        let result = try await search.search { trajectory, name in
            let isFirst = name.hasPrefix("round 1")
            let isRight =
                trajectory == .plain
                ? isFirst
                : trajectory == ReasoningTrajectory(.program) ? !isFirst || name.hasSuffix(" 1") : false
            return TrajectoryRollout(trajectory, isRight: isRight)
        }
        #expect(
            result.rounds.map { $0[0].trajectory.description } == ["CoT", "programming_solver", "programming_solver"])
        #expect(result.rounds.map { $0[0].successes } == [2, 3, 5])
    }

    @Test func importanceIsLiftWithBalance() throws {
        func rollouts(_ trajectory: ReasoningTrajectory, right: Int, of total: Int) -> [TrajectoryRollout] {
            (0..<total).map { TrajectoryRollout(trajectory, isRight: $0 < right) }
        }
        let program = ReasoningTrajectory(.program)
        let verified = ReasoningTrajectory(.program, then: .verifier)
        // Program 9 of 10 against words 2 of 6; verifier 4 of 4 against 7 of 12.
        let found =
            rollouts(.plain, right: 2, of: 6) + rollouts(program, right: 5, of: 6) + rollouts(verified, right: 4, of: 4)
        let lifts = ImportanceRule().lifts(found)
        func lift(_ action: ReasoningAction) -> ImportanceRule.Lift? { lifts.first { $0.action == action } }
        #expect(
            lift(.program)?.with == .init(right: 9, total: 10) && lift(.program)?.without == .init(right: 2, total: 6))
        #expect(lift(.program)?.isImportant == true && lift(.chainOfThought)?.isImportant == false)
        // 4 against 12 of 16: |−8| < 9.6, and 1 > 7/12 + 0.3.
        #expect(lift(.verifier)?.isImportant == true)
        #expect(ImportanceRule().target(found) == verified)
        #expect(ImportanceRule().lesson(found)?.trajectory == verified)
        var strict = ImportanceRule()
        strict.balance = 0.5
        #expect(strict.target(found) == program)
        // Planning stands before rewriting; without a right sample of the target there is nothing to learn.
        let analysed =
            rollouts(.plain, right: 0, of: 4) + rollouts(.init(.chainOfThought, after: .planning), right: 4, of: 4)
            + rollouts(.init(.chainOfThought, after: .queryRewriting), right: 4, of: 4)
        var loose = ImportanceRule()
        loose.lift = 0
        #expect(loose.target(analysed).analysis == .planning)
        #expect(ImportanceRule().lesson(rollouts(.plain, right: 0, of: 4)) == nil)
        #expect(ImportanceRule().lifts([]).allSatisfy { !$0.isImportant })
    }

    // MARK: Planners

    @Test(arguments: [
        (
            "Because.\nRequired Action: planning, programming_solver, verifier, direct_answering",
            "planning+programming_solver+verifier", false
        ),
        ("Required Action: CoT, direct_answering", "CoT", false),
        ("required action: CoT", "CoT", true), ("Required Action:\n cot , Verifier", "CoT+verifier", false),
        ("Required Action: planning, verifier", "CoT", true), ("", "CoT", true),
        ("Required Action: CoT\nRequired Action: programming_solver", "programming_solver", false),
        ("Required Action: none, nonecot, programming_solver", "programming_solver", false),
    ])
    func plansAreRead(reply: String, trajectory: String, isFallback: Bool) {
        let plan = PlannerWording.plan(in: reply)
        #expect(plan.trajectory.description == trajectory && plan.isFallback == isFallback)
        #expect(
            PlannedOutcome(PlannedOutcome(trajectory: plan.trajectory, isFallback: isFallback).text)?.isFallback
                == isFallback)
    }

    @Test func lessonsAreReadBackAsTheirPlan() {
        for trajectory in ActionCatalogue.standard.trajectories {
            let lesson = PlannerLesson(
                id: "1", query: "q", trajectory: trajectory, explanation: "It needs CoT.",
                firstReply: "#### Step 1 ####")
            let wording = PlannerWording()
            #expect(PlannerWording.plan(in: wording.externalTarget(lesson)).trajectory == trajectory)
            #expect(PlannerWording.plan(in: wording.internalTarget(lesson)).trajectory == trajectory)
            #expect(wording.internalTarget(lesson).hasSuffix("#### Step 1 ####"))
        }
        let lessons = [
            PlannerLesson(id: "a", query: "q", source: "small", trajectory: .plain),
            PlannerLesson(id: "b", query: "q", source: "main", trajectory: .plain),
        ]
        #expect(
            PlannerLesson.repeated(lessons, lowResource: ["small"], copies: 9).map(\.id) == Array(
                repeating: "a", count: 9) + ["b"])
    }

    @Test func explanationsAskAboutTheChosenActionsAlone() async throws {
        let model = ScriptedModel(["Words.\n\nRequired Action: verifier more"])
        let lesson = PlannerLesson(id: "1", query: "Q?", trajectory: ReasoningTrajectory(.program, after: .planning))
        let explained = try await DOTS.explained(lesson, by: model)
        #expect(explained.explanation == "Words. verifier more")
        #expect(model.requests[0].sampling.temperature == 0)
        let messages = turns(model.requests[0])
        #expect(messages.count == 2 + 2 * 4)
        let last = messages.last ?? ""
        #expect(last.contains("take the query apart") && last.contains("by a program than in words"))
        #expect(!last.contains("verified") && !last.contains("clearly first"))
    }

    @Test func theExternalPlannersCallsAreCounted() async throws {
        let planner = ScriptedModel(["Required Action: programming_solver, direct_answering"])
        let solver = ScriptedModel(["```python\nprint(156)\n```", "The answer is 156."])
        let strategy = PlannedTrajectory(
            ExternalPlanner(TunedModel(planner, adapter: "a")), runner: runner(result("156")))
        let attempt = try await strategy.attempt(question, asking: solver, seed: 1)
        #expect(attempt.isRight && attempt.cost.calls == 3 && attempt.solution.outcome == "programming_solver")
        #expect(planner.requests[0].adapter == "a" && planner.requests[0].sampling.temperature == 0)
    }

    @Test func theInternalisedPlannerPlansAndSolvesInOnePass() async throws {
        let model = ScriptedModel([
            "Required Action: programming_solver, direct_answering\nNow solve.\n```python\nprint(156)\n```",
            "The answer is 156.",
        ])
        let other = ScriptedModel([])
        let attempt = try await InternalisedSolver(TunedModel(model), runner: runner(result("156"))).attempt(
            question, asking: other, seed: 1)
        #expect(attempt.isRight && attempt.cost.calls == 2 && other.requests.isEmpty)
    }

    /// The teacher's conversations are those of the runner, on questions that the demo doesn't ask.
    @Test func theDemosQuestionsAreRight() async throws {
        var generator = SeededGenerator(seed: 1)
        var used: Set<String> = []
        let items = TwoKindsWorld.items(60, without: &used, using: &generator)
        #expect(used.count == 60 && Set(items.map(\.question.text)).count == 60)
        for item in items {
            let grader = Grader(item.question.kind)
            #expect(grader.isRight(grader.answer(in: "x the answer is \(item.answer)"), golds: item.question.golds))
            #expect(!grader.isRight(grader.answer(in: "the answer is unknown"), golds: item.question.golds))
        }
        let samples = try await TwoKindsWorld.samples(200, without: used, using: generator)
        #expect(samples.count > 150 && Set(samples.map(\.messages.count)) == [2, 4, 6])
        let asked = Set(items.filter(\.isProduct).map { "{ \($0.question.text) }" })
        #expect(!samples.contains { sample in asked.contains { sample.messages[0].content.hasPrefix($0) } })
    }

    // MARK: Game of 24

    @Test(arguments: [
        ([4, 9, 10, 13], "(10 - 4) * (13 - 9)", true), ([4, 9, 10, 13], "$(10-4)\\times(13-9)$.", true),
        ([4, 9, 10, 13], "(10 - 4) * (13 - 9) = 24", true), ([4, 9, 10, 13], "(13 - 9) × (10 − 4)", true),
        ([3, 3, 8, 8], "8 / (3 - 8 / 3)", true), ([3, 3, 8, 8], "\\frac{8}{3 - \\frac{8}{3}}", true),
        ([1, 1, 4, 6], "1 * 1 * 4 * 6", true),
        // Another value, another number, a number left out or used twice.
        ([4, 9, 10, 13], "(10 - 4) * (13 - 9) = 25", false), ([4, 9, 10, 13], "(10 + 4) * (13 - 9)", false),
        ([4, 9, 10, 13], "4 * 6", false), ([4, 9, 10, 13], "24", false), ([1, 1, 4, 6], "1 * 4 * 6", false),
        ([1, 1, 4, 6], "1 * 1 * 1 * 4 * 6", false),
        // Digits put together, signs and powers are no moves.
        ([1, 2, 3, 4], "24 * 1 - 3 + 3", false), ([1, 2, 2, 12], "12 * 2 * 1^2", false),
        ([4, 9, 10, 13], "-(4 - 10) * (13 - 9)", false), ([4, 9, 10, 13], "x", false), ([4, 9, 10, 13], "", false),
        ([4, 9, 10, 13], "__import__('os')", false), ([1, 1, 4, 6], "4 * 6 / (1 - 1)", false),
    ])
    func answersToTheGameOf24AreJudged(numbers: [Int], answer: String, isRight: Bool) throws {
        let games = try? GameOf24(numbers)
        #expect((games?.accepts(answer) ?? false) == isRight)
    }

    @Test func gamesOf24AreThoseWithASolution() throws {
        let all = GameOf24.solvable()
        #expect(all.count == 1_362)
        for numbers in all.prefix(200) {
            let game = try GameOf24(numbers)
            #expect(game.question.golds.count == 1 && game.question.golds.allSatisfy(game.question.accepts))
        }
        let (training, validation) = (GameOf24.games(.training), GameOf24.games(.validation))
        #expect(validation.count == 170 && Set(training + validation).count == 1_362)
        #expect(throws: GameOf24Error.unsolvable("1 1 1 1")) { try GameOf24("1 1 1 1") }
        #expect(throws: GameOf24Error.malformed("1 2 3 14")) { try GameOf24("1 2 3 14") }
        #expect(throws: GameOf24Error.malformed("1 2 3 x")) { try GameOf24("1 2 3 x") }
    }

    @Test func gamesOf24ComeFromRecordsBesideOtherQuestions() throws {
        let questions = try DOTS.questions(
            DataSet(
                name: "mixed",
                records: [
                    ["task": "game-24", "instance": "4 9 10 13"], ["question": "What is 2 + 2?", "answer": "4"],
                    ["task": "number-path", "instance": "3 1 8"],
                ]))
        #expect(questions[0].accepts("(10 - 4) * (13 - 9)") && questions[0].kind == .expression)
        #expect(questions[1].accepts("4") && questions[2].accepts("Summary: 1 -> 2 -> 4 -> 8"))
        #expect(throws: DataError.self) {
            try DOTS.questions(DataSet(name: "bad", records: [["task": "game-24", "instance": "1 1 1 1"]]))
        }
        #expect(throws: OptionError.self) {
            _ = try DOTS.options(flags: ["--task", "game-24", "--train-questions", "x"], config: nil, alsoKnown: [])
        }
    }

    /// A solver that finds games of 24 by program alone: the search keeps them, and the planner is to learn the program.
    @Test func theSearchOfGamesOf24TeachesTheProgram() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dots-24-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let asked = try DOTS.asked(
            DOTS.Options {
                $0.task = .game24
                $0.items = 3
                $0.trainItems = 2
            }, in: Lab(slug: "dots", subject: nil))
        let training = try #require(asked.training)
        #expect(asked.tested.count == 3 && training.count == 2)
        let model = ScriptedModel { request, _ in
            guard case .chat(let turns, _) = request.prompt else { return "" }
            let said = turns.map(\.content).joined()
            // What the program printed goes back as the answer; in words the last sign is lost.
            let gold = training.first { said.contains($0.text) }?.golds[0] ?? ""
            if turns.count == 1 {
                return turns[0].content.contains("```python")
                    ? "```python\nprint('\(gold)')\n```" : "The answer is $\(gold.dropLast())$"
            }
            return said.contains("After execution")
                ? "The answer is $\(gold)$. correct" : "The answer is $4 * 6$. correct"
        }
        let programs = TrajectoryPrograms { program in
            let output = program.replacing("print('", with: "").replacing("')", with: "")
            return SandboxResult(output: output, errors: "", status: 0, limit: nil, seconds: 0)
        }
        let searched = try await DOTS.search(
            training, .init(), TrajectoryRunner(programs: programs), asking: model,
            in: Lab(slug: "dots", subject: model, outputFolder: folder))
        #expect(searched.count == 2)
        for found in searched {
            #expect(found.result.verdict == .kept)
            #expect(found.result.best == ReasoningTrajectory(.program))
            #expect(found.lesson?.trajectory == ReasoningTrajectory(.program))
            #expect(found.lesson?.source == "game-24")
            #expect(found.lesson?.firstReply.contains("print(") == true)
        }
    }

    // MARK: Runs

    @Test func searchesGoOnFromTheirArchive() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dots-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = ScriptedModel { request, _ in
            guard case .chat(let turns, _) = request.prompt else { return "" }
            if turns.count == 1 {
                return turns[0].content.contains("```python") ? "```python\nprint(156)\n```" : "The answer is 1."
            }
            return turns.last?.content.contains("156") == true || turns.count == 5 && turns[2].content.contains("156")
                ? "The answer is 156." : "The answer is 1. correct"
        }
        let lab = Lab(slug: "dots", subject: model, outputFolder: folder)
        func search() async throws -> [SearchedQuestion] {
            try await DOTS.search([question], .init(), runner(result("156\n")), asking: model, in: lab)
        }
        let first = try await search()
        let calls = model.requests.count
        #expect(calls > 46 && first[0].result.verdict == .kept)
        #expect(first[0].lesson?.trajectory == ReasoningTrajectory(.program))
        #expect(first[0].lesson?.firstReply.contains("print(156)") == true)
        let again = try await search()
        #expect(model.requests.count == calls && again[0].result == first[0].result)
        // Another question of the same name is another search.
        let other = Question(id: "1", "What is 12 times 13 then?", kind: .number, golds: ["156"])
        _ = try await DOTS.search([other], .init(), runner(result("156\n")), asking: model, in: lab)
        #expect(model.requests.count > calls)
        let nothing = Question(id: "e", "?", kind: .text, golds: [""])
        await #expect(throws: DOTSError.acceptsNothing(question: "e")) {
            _ = try await DOTS.search([nothing], .init(), runner(result("")), asking: model, in: lab)
        }
    }

    @Test func trainingLeavesOutWhatIsAsked() async throws {
        #expect(throws: DOTSError.noTrainQuestions) { try DOTS.unasked([question], in: [question]) }
        let data = DataSet(name: "q", records: [["question": "1 + 1?", "answer": "2"]])
        let lab = Lab(slug: "dots", subject: ScriptedModel([]), dataSet: data)
        await #expect(throws: DOTSError.noPlanner) { _ = try await DOTS().run(.init(), in: lab) }
    }

    @Test func withoutAPlannerTheStrategyIsFixed() async throws {
        let model = ScriptedModel(["The answer is 156."])
        let strategy = try DOTS().strategy(.init(), around: nil)
        let attempt = try await strategy.attempt(question, asking: model, seed: 1)
        #expect(strategy.name == "dots" && attempt.isRight && attempt.solution.outcome == "CoT")
    }
}
