import Inference
import Laboratory
import Text

extension TacticPrograms {
    /// Trajectories that the demo's expert writes, and problems that it keeps apart.
    package static let demoTrajectories = 400
    package static let demoProblems = 100

    /// An expert who slips in every other first program writes trajectories in the real environment; three small models are trained on
    /// them as they are, on perfect ones, and on imperfect ones, and solve problems that none of them has seen. Each also goes on from a
    /// first program that failed.
    ///
    /// Models are sampled at temperature 1, as they were trained: a greedy one hides slips that it has learnt. All take the same number of
    /// steps from one model that can repeat words.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let execution = TacticExecution(errorLines: 1)
        let (known, unseen) = Self.items(
            known: Self.demoTrajectories, unseen: lab.limit ?? Self.demoProblems, using: lab.random("problems"))
        var chance = lab.random("slips")
        let slips = known.map { _ in chance.chance(0.5) ? chance.pick(TacticWorld.Slip.allCases) : nil }
        let runs = try await lab.forEach("The expert", Array(zip(known, slips)), inFlight: 8) { item, slip in
            try await TacticWorld.expertRun(item, slip: slip, execution: execution)
        }
        let failures = try await lab.forEach("First programs that fail", unseen, inFlight: 8) {
            try await TacticWorld.failedStart($0, execution: execution)
        }

        var generator = lab.random("copying")
        var small = WordChatModel()
        small.layers = 4
        small.samplesPerStep = 64
        let base = try await small.train(
            "copying", on: TacticWorld.copying(20_000, using: &generator),
            words: TacticWorld.words
                + runs.flatMap { run in
                    TacticTrainingSet.samples(.imperfect, of: [run], inOneLine: true).flatMap {
                        $0.messages.map(\.content)
                    }
                }, in: lab)
        small.samplesPerStep = 16
        small.steps = 350
        var arms: [TacticTrainingKind: Arm] = [:]
        for kind in [TacticTrainingKind.raw, .perfect, .imperfect] {
            let samples = TacticTrainingSet.samples(kind, of: runs, inOneLine: true)
                .map { WordChatModel.Sample($0.messages, counting: $0.counting) }
            let model = try await small.train(kind.rawValue, on: samples, from: base, in: lab)
            arms[kind] = try await Arm(
                kind.rawValue, model, on: unseen, failures: failures, execution: execution, in: lab)
        }
        guard let raw = arms[.raw], let perfect = arms[.perfect], let imperfect = arms[.imperfect] else {
            throw TacticError.nothingSolved
        }
        let shortcut = try await Self.shortcutMeter(unseen, execution: execution, in: lab)
        let exact = try await Self.exactChecks(runs, slips: slips)
        let hybrids = try await Self.hybrids(unseen, solver: imperfect.model, execution: execution, in: lab)

        var report = Report(
            "Tactic-guided programs in a small world",
            summary:
                "With a program right: raw \(Self.percent(raw.withProgram)), pj \(Self.percent(perfect.withProgram)), ipj "
                + "\(Self.percent(imperfect.withProgram)). After a first program that failed: "
                + "\(Self.percent(raw.recovery)), \(Self.percent(perfect.recovery)), \(Self.percent(imperfect.recovery))."
        )
        var table = Table(
            "Three training sets",
            columns: [
                .text("set"), .number("accuracy"), .number("with program"), .number("greedy, with program"),
                .number("mean CodeBLEU"), .number("recovery"), .number("rounds"),
            ])
        for arm in [raw, perfect, imperfect] {
            table.add(
                arm.name, Self.percent(arm.accuracy), Self.percent(arm.withProgram), Self.percent(arm.greedy),
                NumberStyle.decimals(2).text(arm.similarity), Self.percent(arm.recovery),
                NumberStyle.decimals(1).text(arm.rounds))
        }
        report.add(table)
        report.add([
            Metric("hybrids, accuracy of the final option", try .accuracy(hybrids.right), style: .percent),
            Metric("hybrids, strict accuracy", try .accuracy(hybrids.strictlyRight), style: .percent),
            Metric("hybrids, BLEU of subproblems", hybrids.meanBLEU),
        ])
        report.note("The router of the hybrids is scripted; the solver is the model trained on ipj.")
        return Demonstration(
            report,
            checks: [
                Check("share of expert runs solved in the environment", exact.solved, .atLeast(1), role: .mechanism),
                Check("share of pj and ipj samples built as stated", exact.built, .atLeast(1), role: .mechanism),
                Check(
                    "answers without programs: accuracy with a program", shortcut.withProgram, .atMost(0),
                    role: .mechanism),
                Check(
                    "answers without programs: distance of accuracy from its real value", shortcut.distance,
                    .atMost(1e-9),
                    role: .mechanism),
                Check("accuracy with a program, ipj less raw", imperfect.withProgram - raw.withProgram, .atLeast(0.1)),
                Check("recovery, ipj less pj", imperfect.recovery - perfect.recovery, .atLeast(0.15)),
            ],
            controls: [
                .init("accuracy with a program, raw", raw.withProgram),
                .init("accuracy with a program, pj", perfect.withProgram),
                .init("accuracy with a program, ipj", imperfect.withProgram),
                .init("recovery, raw", raw.recovery),
                .init("recovery, pj", perfect.recovery),
                .init("recovery, ipj", imperfect.recovery),
                .init("greedy accuracy with a program, raw", raw.greedy),
                .init("greedy accuracy with a program, ipj", imperfect.greedy),
                .init("hybrids, strict accuracy", TacticScores.share(hybrids.strictlyRight)),
            ])
    }

    private static func percent(_ value: Double) -> String { NumberStyle.percent.text(value) }

    /// Problems to learn from and others, no text twice.
    private static func items(
        known: Int, unseen: Int, using generator: SeededGenerator
    ) -> (known: [TacticWorld.Item], unseen: [TacticWorld.Item]) {
        var generator = generator
        let all = distinct(known + unseen, by: \.problem.text) { place in
            TacticWorld.item("problem \(place + 1)", using: &generator)
        }
        return (Array(all.prefix(known)), Array(all.dropFirst(known)))
    }

    /// What a trained model does on unseen problems.
    private struct Arm: Sendable {
        var name: String
        var model: any LanguageModel
        var accuracy: Double
        var withProgram: Double
        var greedy: Double
        var similarity: Double
        var recovery: Double
        var rounds: Double

        init(
            _ name: String, _ model: any LanguageModel, on items: [TacticWorld.Item], failures: [[TacticRound]],
            execution: TacticExecution, in lab: Lab
        ) async throws {
            let sampled = try TacticWorld.agent(
                model, execution: execution, temperature: 1, seed: lab.seed("sampling"))
            let greedy = try TacticWorld.agent(model, execution: execution)
            func results(_ label: String, _ agent: TacticAgent, after starts: [[TacticRound]]?) async throws
                -> [TacticResult]
            {
                try await lab.forEach("\(name), \(label)", Array(items.enumerated())) { index, item in
                    TacticResult(item.problem, try await agent.run(item.problem, keeping: starts?[index] ?? []))
                }
            }
            let free = try await results("unseen problems", sampled, after: nil)
            let scores = TacticScores(free, threshold: 0.15)
            for result in free.prefix(8) { await lab.recorder.record(TacticReport.sample(result, arm: name)) }
            self.name = name
            self.model = model
            accuracy = TacticScores.share(scores.right)
            withProgram = TacticScores.share(scores.rightWithProgram)
            similarity = scores.meanSimilarity ?? 0
            rounds = Double(free.reduce(0) { $0 + $1.trajectory.rounds.count }) / Double(max(1, free.count))
            self.greedy = TacticScores.share(
                TacticScores(try await results("greedy", greedy, after: nil), threshold: 0.15).rightWithProgram)
            recovery = TacticScores.share(
                TacticScores(try await results("after a failure", sampled, after: failures), threshold: 0.15)
                    .rightWithProgram)
        }
    }

    /// An agent that only answers, right on two of five problems.
    private static func shortcutMeter(
        _ items: [TacticWorld.Item], execution: TacticExecution, in lab: Lab
    ) async throws -> (withProgram: Double, distance: Double) {
        var results: [TacticResult] = []
        for (index, item) in items.enumerated() {
            let value = index % 5 < 2 ? item.problem.gold : item.turnedAnswer
            let reply = TacticResponse(
                thought: "known", name: "Aggregate and answer", input: "problem", output: value
            ).text()
            let agent = try TacticWorld.agent(ScriptedModel([reply]), execution: execution)
            results.append(TacticResult(item.problem, try await agent.run(item.problem)))
        }
        let scores = TacticScores(results, threshold: 0.15)
        let real = Double(items.indices.count { $0 % 5 < 2 }) / Double(max(1, items.count))
        return (TacticScores.share(scores.rightWithProgram), abs(TacticScores.share(scores.right) - real))
    }

    /// Whether the expert's runs end solved, and whether the training sets say of them what they must: pj as many turns as a run
    /// without a slip has, ipj loss on as many replies.
    private static func exactChecks(
        _ runs: [TacticTrajectory], slips: [TacticWorld.Slip?]
    ) async throws -> (solved: Double, built: Double) {
        let solved = runs.count { $0.end == .solved && $0.program != nil }
        let built = zip(runs, slips).count { run, slip in
            let replies = run.tactic == "math" ? 4 : 3
            guard let perfect = TacticTrainingSet.perfect(run, inOneLine: true),
                let imperfect = TacticTrainingSet.imperfect(run)
            else { return false }
            let counted = imperfect.counting.filter { imperfect.messages[$0].role == .assistant }.count
            let mentions = (perfect.messages + imperfect.messages).contains { $0.content.contains("The answer is") }
            return perfect.messages.count == 2 * replies && counted == replies && !mentions
                && (slip == nil) == (imperfect.messages.count == perfect.messages.count)
        }
        return (Double(solved) / Double(max(1, runs.count)), Double(built) / Double(max(1, runs.count)))
    }

    /// Twenty hybrids of two or three unseen problems, by a router that knows them.
    private static func hybrids(
        _ items: [TacticWorld.Item], solver: any LanguageModel, execution: TacticExecution, in lab: Lab
    ) async throws -> HybridScores {
        var generator = lab.random("hybrids")
        var hybrids: [TacticProblem] = []
        while hybrids.count < min(20, max(1, items.count / 3)) {
            let parts = generator.sample(2 + generator.below(2), of: items)
            hybrids.append(
                try HybridBlend.hybrid(
                    "hybrid \(hybrids.count + 1)", of: parts.map(\.problem), wrong: parts.map(\.turnedAnswer),
                    using: &generator))
        }
        let results = try await lab.forEach("Hybrids", hybrids) { hybrid in
            var agent = try TacticWorld.agent(solver, execution: execution)
            agent.router = TacticRole("router", TacticWorld.router(of: hybrid), maxTokens: 64)
            return TacticResult(hybrid, try await agent.run(hybrid))
        }
        return HybridScores(results)
    }
}

extension TacticWorld {
    /// Calls the right tactic with the text of each option's problem, and answers with the option that agrees with what came back.
    static func router(of hybrid: TacticProblem) -> ScriptedModel {
        ScriptedModel(name: "scripted router", capabilities: [.completion]) { request, _ in
            guard case .chat(let messages, _) = request.prompt else { return "" }
            let done = messages.count / 2
            if hybrid.parts.indices.contains(done) {
                let part = hybrid.parts[done]
                return TacticResponse(
                    thought: "option \(done + 1)", name: "Call tactic: \(part.tactic)", input: "text",
                    output: "### option \(done + 1) ### subproblem \(part.text)"
                ).text()
            }
            let answers = messages.filter { $0.role == .user }.dropFirst().map(\.content)
            let agrees = zip(hybrid.parts.indices, answers).first { index, observation in
                guard let found = observation.ranges(of: "Answer: ").last else { return false }
                return hybrid.parts[index].form.isRight(
                    String(observation[found.upperBound...]), gold: HybridBlend.stated(in: hybrid.options[index]))
            }
            return TacticResponse(
                thought: "aggregate", name: "Aggregate and answer", input: "answers",
                output: "\(agrees.map { $0.0 + 1 } ?? 1)"
            ).text()
        }
    }
}
