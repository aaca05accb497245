import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct TacticProgramsTests {
    private func reply(_ name: String, _ output: String) -> String {
        TacticResponse(thought: "t", name: name, input: "i", output: output).text()
    }

    private func problem(
        _ tactic: String = "math", form: TacticAnswer = .number, gold: String = "5", options: [String] = [],
        parts: [TacticProblem] = []
    ) -> TacticProblem {
        TacticProblem(
            id: "p", dataset: tactic, "Ann has 2 and gets 3.", tactic: tactic, form: form, gold: gold, options: options,
            parts: parts)
    }

    private func agent(_ replies: [String]) throws -> (TacticAgent, ScriptedModel) {
        let model = ScriptedModel(replies)
        let agent = TacticAgent(
            book: try .standard(), router: TacticRole("router", model, adapter: "r", maxTokens: 512),
            solver: TacticRole("solver", model, adapter: "s", maxTokens: 1024),
            execution: TacticExecution(errorLines: 1))
        return (agent, model)
    }

    // MARK: Reading

    @Test func responsesAreReadStrictlyOrFuzzily() throws {
        let response = TacticResponse(thought: "why", name: "Plan", input: "it", output: "a\n## Output\nb")
        #expect(try TacticResponse(response.text(), fuzzy: false) == response)
        let plain = TacticResponse(thought: "why", name: "Plan", input: "it", output: "a b")
        #expect(try TacticResponse(plain.text(inOneLine: true), fuzzy: true) == plain)
        let loose = "### thought: why ### ACTION ## name: Plan ## output a b"
        #expect(try TacticResponse(loose, fuzzy: true).output == "a b")
        for bad in [
            plain.text(inOneLine: true), loose, "no headings", response.text() + "\n" + response.text(),
            plain.text() + "\n### Observation\nOK", "### Thought\n### Action\n## Name\nPlan\n## Input\ni\n## Output\n",
        ] {
            #expect(throws: TacticResponse.Fault.self) { try TacticResponse(bad, fuzzy: false) }
        }
        #expect(TacticResponse.code(in: "so:\n```python\nprint(1)\n```\n") == "print(1)\n")
        let call = TacticResponse.subproblem(in: "### option 2 ### subproblem How many?")
        #expect(call?.option == 2 && call?.text == "How many?")
        #expect(TacticResponse.subproblem(in: "### option two ### subproblem x") == nil)
    }

    @Test func answersHaveTheirForm() {
        #expect(TacticAnswer.number.read("It is 1,200.") == "1,200")
        #expect(TacticAnswer.number.isRight("1,200", gold: "so 900 + 300\n#### 1200"))
        #expect(TacticAnswer.option(3).read("option 2") == "2")
        #expect(TacticAnswer.option(3).read("(C)") == "3")
        #expect(TacticAnswer.option(3).read("4") == nil)
        #expect(TacticAnswer.option(3).read("0") == nil)
        #expect(TacticAnswer.truth.read("They are contradictory.") == nil)
        #expect(TacticAnswer.truth.read("Contradict") == "Contradict")
        #expect(TacticAnswer.truth.read("Agree or Uncertain") == nil)
        let edges = TacticAnswer.edges(threshold: 0.6)
        #expect(edges.read("A -> b -> c") == "a -> b ; b -> c")
        // Two of three edges shared by a graph of two: 2 · 2 / 5.
        #expect(TacticAnswer.edgeF1("a -> b; b -> c", gold: "a -> b; b -> c; c -> d") == 0.8)
        #expect(!edges.isRight("a -> b ; c -> b", gold: "a -> b ; b -> c"))
    }

    @Test func tacticsAreChecked() throws {
        let plan = Tactic.Action("Plan", .plan, "plan")
        let build = Tactic.Action("Build", .program, "build")
        for actions in [[plan, build], [plan, .init("Answer", .answer, "")], [build, .init("build", .answer, "")]] {
            #expect(throws: TacticError.self) {
                try Tactic("t", problemType: "", use: "", engine: .python, actions: actions)
            }
        }
        let file =
            "# name\nmine\n# engine\npython\n# libraries\nmath, re\n# actions\nWrite (program): code\nSay (answer): it\n"
        let tactic = try Tactic(file: file, named: "f")
        #expect(tactic.libraries == ["math", "re"] && tactic.action("say")?.kind == .answer)
        for bad in ["", "name", "# name\nx\n", file + "# name\ny\n", file.replacing("(program)", with: "(magic)")] {
            #expect(throws: TacticError.self) { try Tactic(file: bad, named: "f") }
        }
        var options = TacticPrograms.Options()
        options.raterModel = "embedded"
        #expect(throws: OptionError.self) { try options.checkAll() }
        options = .init()
        options.tactic = "magic"
        #expect(throws: TacticError.self) { try TacticPrograms().strategy(options, around: nil) }
    }

    // MARK: The loop

    @Test func observersStopAtTheFirstFault() async throws {
        let tactic = try TacticBook.standard().tactic("math")
        let observers: [any TacticObserver] = [
            ResponseObserver(isFuzzy: true), ActionObserver(), ExecutionObserver(execution: TacticExecution()),
            FeedbackObserver(gold: "5"),
        ]
        let cases: [(String, [String], [TacticStatus])] = [
            ("hello", ["response parser"], [.wrong]),
            (reply("Fly", "x"), ["action parser"], [.wrong]),
            (reply("Plan", "x"), ["tactic observer"], [.ok]),
            (reply("Tactic check", "Tactic Bad"), ["tactic observer"], [.deemedFailed]),
            (reply("Aggregate and answer", "five"), ["tactic observer"], [.wrong]),
            (reply("Aggregate and answer", "4"), ["tactic observer", "answer feedback"], [.ok, .wrong]),
            (reply("aggregate and answer", "5"), ["tactic observer", "answer feedback"], [.ok, .solved]),
        ]
        for (text, names, statuses) in cases {
            var moment = TacticMoment(reply: text, tactic: tactic, form: .number)
            try await moment.observe(observers)
            #expect(moment.round.observations.map(\.observer) == names, "\(text)")
            #expect(moment.round.observations.map(\.status) == statuses, "\(text)")
        }
    }

    @Test func runsEndAtTheirLimits() async throws {
        let (plan, bad) = (reply("Plan", "x"), "bad")
        let cases: [([String], TacticTrajectory.End, Int)] = [
            (Array(repeating: plan, count: 7), .tooManyRounds, 7),
            ([bad, bad, bad], .tooManyWrong, 3),
            ([bad, bad, plan, bad, bad, plan, bad], .tooManyRounds, 7),
            ([plan, reply("Aggregate and answer", "none"), reply("Aggregate and answer", "4")], .answered, 3),
            ([reply("Tactic check", "Tactic Bad")], .deemedFailed, 1),
        ]
        for (replies, end, rounds) in cases {
            let (agent, model) = try agent(replies)
            let run = try await agent.run(problem())
            #expect(run.end == end && run.rounds.count == rounds && model.requests.count == rounds)
        }
        var (few, _) = try agent([bad, plan, bad])
        few.limits.wrong = 2
        #expect(try await few.run(problem()).end == .tooManyWrong)
        // Feedback goes on after a wrong answer and is never shown without being asked for.
        let replies = ["4", "5"].map { reply("Aggregate and answer", $0) }
        let (told, model) = try agent(replies)
        #expect(try await told.run(problem(), givesFeedback: true).end == .solved)
        #expect(model.requests[1].prompt.plainText.contains("The answer is wrong."))
        #expect(model.requests.map { $0.prompt.plainText.contains("### Examples") } == [true, true])
        #expect(model.requests[0].adapter == "s" && model.requests[0].stop.maxTokens == 1024)
        let (silent, asked) = try agent([plan, plan, replies[0]])
        #expect(try await silent.run(problem()).answer == "4")
        #expect(!asked.requests.contains { $0.prompt.plainText.contains("The answer is") })
        // The third round's prompt is short.
        #expect(asked.requests.map { $0.prompt.plainText.contains("### Examples") } == [true, true, false])
    }

    @Test func programsRunUnderTheirTactic() async throws {
        let execution = TacticExecution(errorLines: 1)
        let book = try TacticBook.standard()
        let cases: [(String, String, TacticStatus, String)] = [
            ("math", "print(2 + 3)", .ok, "Output: 5"),
            ("math", "x = 1", .wrong, "The program printed nothing"),
            ("math", "print(1", .wrong, "SyntaxError"),
            ("math", "import os\nprint(1)", .wrong, "imports os"),
            ("graph", "def main():\n    return [('a', 'b'), ('b', 'c')]", .ok, "Output: a -> b ; b -> c"),
            ("graph", "def main():\n    return [('a', 'b'), ('b', 'a')]", .wrong, "a cycle"),
            ("graph", "def main():\n    return [('a', 'b'), ('c', 'd')]", .wrong, "not connected"),
            ("graph", "main = lambda: []", .wrong, "no edges"),
            ("any-program", "import os\nprint('yes')", .ok, "Output: yes"),
        ]
        for (name, code, status, text) in cases {
            let outcome = try await execution.run(code, under: book.tactic(name))
            #expect(outcome.status == status && outcome.text.contains(text), "\(outcome)")
        }
    }

    @Test(.enabled(if: LogicSolver.isAvailable)) func claimsAreTested() async throws {
        let tactic = try TacticBook.standard().tactic("predicate-logic")
        let start = "(declare-const p Bool)(declare-const q Bool)(assert (=> p q))"
        let cases: [(String, TacticStatus, String)] = [
            ("\(start)(assert p)(claim q)", .ok, "Output: Agree"),
            ("\(start)(assert p)(claim (not q))", .ok, "Output: Contradict"),
            ("\(start)(claim q)", .ok, "Output: Uncertain"),
            ("\(start)(assert p)(assert (not q))(claim q)", .wrong, "contradict each other"),
            ("\(start)", .wrong, "0 claims"),
            ("\(start)(claim p)(claim q)", .wrong, "2 claims"),
            ("\(start)(check-sat)(claim p)", .wrong, "Error"),
            ("\(start)(define-fun r () Bool p)(assert r)(claim q)", .warning, "functions of its own"),
        ]
        for (code, status, text) in cases {
            let outcome = try await TacticExecution().run(code, under: tactic)
            #expect(outcome.status == status && outcome.text.contains(text), "\(code): \(outcome)")
        }
    }

    // MARK: Training sets

    /// Rounds by kind, wrong ones marked, as a collector leaves them.
    private func trajectory(_ steps: [(name: String, output: String, status: TacticStatus)]) -> TacticTrajectory {
        var run = TacticTrajectory(id: "t", dataset: "math", tactic: "math", prompt: "P", hints: ["[hint] 5"])
        let kinds: [String: TacticRound.Kind] = [
            "Plan": .plan, "Build math model": .program, "Revise code": .revision, "Reason": .reason,
            "Aggregate and answer": .answer,
        ]
        for step in steps {
            var round = TacticRound(reply: reply(step.name, step.output) + "\n[hint] it is 5")
            round.kind = kinds[step.name]
            round.output = step.output
            let source: TacticObservation.Source = round.kind == .answer ? .feedback : .environment
            round.observations = [TacticObservation("o", step.status, "saw \(step.output)", source: source)]
            run.rounds.append(round)
        }
        run.end = run.rounds.last?.isSolved == true ? .solved : .tooManyRounds
        return run
    }

    @Test func perfectAndImperfectSetsKeepTheRightRounds() throws {
        let (plan, build, revise) = ("Plan", "Build math model", "Revise code")
        let (reason, answer) = ("Reason", "Aggregate and answer")
        // What stands in a perfect one, and which rounds of the imperfect one count.
        let cases: [([(String, String, TacticStatus)], [String]?, [Int])] = [
            (
                [(plan, "p", .ok), (build, "a", .ok), (reason, "r", .ok), (answer, "5", .solved)],
                ["p", "a", "r", "5"], [0, 1, 2, 3]
            ),
            (
                [
                    (plan, "p", .ok), (build, "a", .wrong), (revise, "b", .ok), (reason, "r", .ok),
                    (answer, "5", .solved),
                ],
                ["p", "b", "r", "5"], [0, 2, 3, 4]
            ),
            (
                [
                    (plan, "p", .ok), (build, "a", .ok), (reason, "r", .ok), (answer, "4", .wrong), (revise, "b", .ok),
                    (reason, "s", .ok), (answer, "5", .solved),
                ], ["p", "b", "s", "5"], [0, 4, 5, 6]
            ),
            // The last revision fails: the one before it stands.
            (
                [(build, "a", .ok), (revise, "b", .wrong), (answer, "5", .solved)], ["a", "5"], [0, 2]
            ),
            // No program ran, and no right answer: nothing to learn.
            ([(plan, "p", .ok), (build, "a", .wrong), (answer, "5", .solved)], nil, []),
            ([(plan, "p", .ok), (build, "a", .ok), (answer, "4", .wrong)], nil, []),
        ]
        for (steps, kept, counted) in cases {
            let run = trajectory(steps)
            let perfect = TacticTrainingSet.perfect(run)
            let outputs = perfect.map { sample in
                sample.messages.filter { $0.role == .assistant }.compactMap {
                    try? TacticResponse($0.content, fuzzy: true).output
                }
            }
            #expect(outputs == kept)
            let imperfect = TacticTrainingSet.imperfect(run)
            let places = imperfect.map { $0.counting.filter { $0.isMultiple(of: 2) == false }.map { $0 / 2 }.sorted() }
            #expect(places ?? [] == counted)
            guard let imperfect, let perfect else { continue }
            // Observations count unless only feedback spoke; the prompt never does.
            let observed = Set(imperfect.counting.filter { $0.isMultiple(of: 2) })
            #expect(observed == Set(steps.indices.dropLast().filter { steps[$0].0 != answer }.map { 2 * $0 + 2 }))
            for message in perfect.messages + imperfect.messages {
                #expect(!message.content.contains("[hint]") && !message.content.contains("saw 4"))
            }
            #expect(TacticTrainingSet.samples(.imperfect, of: [run]) == [perfect, imperfect])
            #expect(TacticTrainingSet.raw(run)?.messages == imperfect.messages)
        }
        // What is read back is what was written.
        let run = trajectory(cases[1].0)
        #expect(try JSONValueDecoder.decode(TacticTrajectory.self, from: run.json) == run)
    }

    @Test func collectorsRunAgainWithAHint() async throws {
        let (plan, wrong) = (reply("Plan", "p"), reply("Aggregate and answer", "4"))
        let (agent, model) = try agent(
            [plan] + Array(repeating: wrong, count: 3) + [
                reply("Build math model", "print(5)"), reply("Aggregate and answer", "5"),
            ])
        let found = try await TacticCollector(agent: agent).collect(problem())
        #expect(found.isAccepted && found.trajectory.rounds.count == 3 && found.trajectory.hints.count == 1)
        #expect(model.requests[4].prompt.plainText.contains("[hint] The right answer is 5"))
        // A right answer without a program is no reasoning.
        let (lazy, _) = try self.agent(Array(repeating: reply("Aggregate and answer", "5"), count: 2))
        #expect(try await !TacticCollector(agent: lazy).collect(problem()).isAccepted)
    }

    // MARK: Hybrids and scores

    @Test func blendsKeepEveryFact() throws {
        let first = problem()
        var second = problem(gold: "8")
        second.text = "Then Bob buys 4 nuts. Bob doubles them."
        var generator = SeededGenerator(seed: 1)
        let hybrid = try HybridBlend.hybrid("h", of: [first, second], wrong: ["1", "2"], using: &generator)
        let right = hybrid.options.enumerated().filter { HybridBlend.stated(in: $1) == [first, second][$0].gold }
        #expect(right.map { "\($0.offset + 1)" } == [hybrid.gold])
        #expect(throws: TacticError.self) { try HybridBlend.verify("Then Bob buys nuts.", sources: [second.text]) }
        #expect(throws: TacticError.self) {
            try HybridBlend.hybrid("h", of: [first, second], wrong: ["5", "2"], using: &generator)
        }
    }

    @Test func hybridsAreRoutedAndScored() async throws {
        var other = problem(gold: "8")
        other.text = "Bob doubles 4."
        let hybrid = problem(
            "routing", form: .option(2), gold: "2", options: ["5 is wrong", "8 is right"], parts: [problem(), other])
        let solve = { (code: String, answer: String) in
            [self.reply("Build math model", code), self.reply("Aggregate and answer", answer)]
        }
        let replies =
            [reply("Call tactic: math", "### option 3 ### subproblem x")]
            + [reply("Call tactic: math", "### option 1 ### subproblem Ann has 2 and gets 3.")] + solve("print(5)", "5")
            + [reply("Call tactic: general program", "### option 2 ### subproblem Bob doubles 4.")]
            + [reply("Write program", "print(8)"), reply("Aggregate and answer", "8")]
            + [reply("Aggregate and answer", "2")]
        let (agent, model) = try agent(replies)
        let run = try await agent.run(hybrid)
        #expect(run.answer == "2" && run.rounds.count == 4 && run.rounds[0].isWrong)
        #expect(model.requests.map(\.adapter) == ["r", "r", "s", "s", "r", "s", "s", "r"])
        #expect(model.requests[4].prompt.plainText.contains("Tactic execution successful. Answer: 5"))
        let scores = HybridScores([TacticResult(hybrid, run)])
        // The second option has the right answer of the wrong tactic, so the whole is right and not strictly.
        #expect(scores.right == [true] && scores.strictlyRight == [false])
        #expect(scores.tacticHits == [true, false] && scores.optionRight == [true, true])
        #expect(abs(scores.meanBLEU - 1) < 1e-9)
    }

    @Test func answersWithoutProgramsAreShortcuts() async throws {
        var withReference = problem()
        withReference.program = "print(2 + 3)"
        let runs = [
            [reply("Aggregate and answer", "5")],
            [reply("Build math model", "print(2 + 3)"), reply("Aggregate and answer", "5")],
            [reply("Aggregate and answer", "about 15"), reply("Plan", "p")], Array(repeating: "bad", count: 3),
        ]
        var results: [TacticResult] = []
        for replies in runs {
            results.append(TacticResult(withReference, try await agent(replies).0.run(withReference)))
        }
        let scores = TacticScores(results, threshold: 0.15)
        #expect(scores.right == [true, true, false, false])
        #expect(scores.rightWithProgram == [false, true, false, false])
        #expect(scores.rightWithLikeProgram == [false, true, false, false])
        #expect(scores.softlyRight == [true, true, true, false])
        #expect(scores.shortcutRate == 0.25)
        #expect(scores.failures == [.wrongAnswer: 1, .runtime: 1])
        // One of four has a program; missing ones count 0.
        let itself = CodeBLEU("print(2 + 3)\n", reference: "print(2 + 3)", weights: .tactics).score
        #expect(try abs(#require(scores.meanSimilarity) - itself / 4) < 1e-9)
        #expect(itself > 0.5)
    }

    @Test func comparesAsAStrategy() async throws {
        let question = Question(id: "1", "What is 2 + 3?", kind: .number, golds: ["5"])
        let model = ScriptedModel([
            reply("Call tactic: math", "### option 1 ### subproblem What is 2 + 3?"),
            reply("Build math model", "print(2 + 3)"), reply("Aggregate and answer", "5"),
            reply("Aggregate and answer", "5"),
        ])
        let attempt = try await TacticPrograms().strategy(.init(), around: nil)
            .attempt(question, asking: model, seed: 1)
        #expect(attempt.isRight && attempt.cost.calls == 4)
        #expect(attempt.solution.outcome == "answered with a program")
    }
}
