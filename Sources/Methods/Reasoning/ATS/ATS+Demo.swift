import Inference
import Laboratory
import Models

extension ATS {
    package static let costItems = 50
    package static let testedItems = 150
    /// Instances of each kind whose checkers are compared with exhaustive search.
    static let exactItems = 40
    /// Steps of training, of 64 transcripts.
    static let trainingSteps = 1000

    /// Tunes adapters of the subject on straight solutions and on searches of the same 300 puzzles. It takes long, so that the demo doesn't.
    static let tuningCommand =
        "lyceum run ats --action tune --task number-path --teacher program --form lora --group nct --examples 300 --tune-steps 300"

    /// What is shown, and what is not:
    /// - the cost of one reply against a search outside the model, with scripts that make no mistake, real prompts and the subject's tokens;
    /// - that a model of 0.8M parameters that starts from nothing learns to write breadth-first searches on puzzles that it never saw;
    /// - the checkers, exactly.
    ///
    /// That searching models solve more than directly answering ones is the paper's finding on large pretrained models and is not claimed
    /// here: tuned on the same few puzzles a small model solves fewer by search, as long transcripts take more steps to learn.
    /// ``tuningCommand`` measures that.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let costs = try await Self.costComparison(lab.limit ?? Self.costItems, in: lab)
        let (ats, wide) = (0, 1)
        let ratio = costs.mean(ats, \.cost.tokens) / max(1, costs.mean(wide, \.cost.tokens))
        let narrow = costs.mean(2, \.cost.tokens) / max(1, costs.mean(wide, \.cost.tokens))
        let exactness = try Self.exactness()
        let learned = try await Self.learning(in: lab)

        var report = Report(
            "ATS: the cost of a search in one reply, and learning to write one",
            summary:
                "One reply costs \(NumberStyle.percent.text(ratio)) of the tokens of Tree of Thoughts at width 5. A model of 0.8M "
                + "parameters solves \(NumberStyle.percent.text(learned.solved)) of unseen puzzles by search.")
        report.add(try Self.costs(costs))
        var table = Table(
            "Searches by a model trained from nothing",
            columns: [
                .text("model"), .number("solved"), .number("legal transitions"), .number("summary shown, of solved"),
            ])
        let percent = NumberStyle.percent
        table.add("before training", percent.text(learned.before), "", "")
        table.add(
            "after \(Self.trainingSteps) steps", percent.text(learned.solved), percent.text(learned.legal),
            percent.text(learned.shown))
        report.add(table)
        report.note(
            "The searchers of the cost table are scripts without mistakes. The model is trained on \(learned.trained) puzzles and examined "
                + "on \(learned.tested) whose numbers and operations, in either order, it never saw.")
        report.note(
            "Tuning a pretrained model on straight solutions and on searches of the same puzzles is off here, as it takes long. This "
                + "does it and reports both without a bar: \(Self.tuningCommand)")
        return Demonstration(
            report,
            checks: [
                Check("calls a puzzle, ats", costs.mean(ats, \.cost.calls), .between(1, 1), role: .mechanism),
                Check("tokens of ats over tot at width 5", ratio, .atMost(0.4), role: .mechanism),
                Check(
                    "solved by scripts, the least of ats and tot at width 5",
                    min(try costs.accuracy(ats).value, try costs.accuracy(wide).value), .atLeast(1), role: .mechanism),
                Check(
                    "enumerated solutions that the checkers accept",
                    Double(exactness.accepted) / Double(max(1, exactness.solutions)), .atLeast(1), role: .mechanism),
                Check(
                    "changed solutions that the checkers reject",
                    Double(exactness.rejected) / Double(max(1, exactness.mutants)), .atLeast(1), role: .mechanism),
                Check("solved before training", learned.before, .atMost(0)),
                Check("solved by learned search", learned.solved, .atLeast(0.3)),
                Check("legal transitions", learned.legal, .atLeast(0.9)),
                Check("solved whose summary is a scenario", learned.shown, .atLeast(0.9)),
            ],
            controls: [
                .init("tokens of tot at width 1 over width 5", narrow),
                .init("solved by scripts, tot at width 1", try costs.accuracy(2).value),
                .init("calls a puzzle, tot at width 5", costs.mean(wide, \.cost.calls)),
                .init("puzzles trained on", Double(learned.trained)),
                .init("solutions enumerated", Double(exactness.solutions)),
                .init("changed solutions", Double(exactness.mutants)),
            ])
    }

    // MARK: Cost

    /// ATS-BFS and Tree of Thoughts at widths 5 and 1 with a perfect writer, proposer and valuer, counted in the subject's tokens.
    package static func costComparison(_ count: Int, in lab: Lab) async throws -> StrategyComparison {
        let puzzles = try PuzzleKind.numberPath.puzzles(.training, count: count)
        let reference = try ModelReference(lab.languageModel().identity.reference)
        let words = try ModelText(path: (reference.isLocal ? reference : .embedded).localPath())
        let replies = perfectReplies(to: puzzles)
        let model = ScriptedModel(name: "scripted searchers", countingAs: words) { request, _ in
            guard case .chat(let messages, _) = request.prompt, let prompt = messages.last?.content,
                let reply = replies[prompt]
            else { throw ScriptError.noRule(prompt: request.prompt.plainText) }
            return reply
        }
        return try await StrategyComparison(
            [TreeSearchAnswering(.nct, .init()), TreeOfThoughts(width: 5), TreeOfThoughts(width: 1)],
            on: puzzles.map(\.question), asking: model, in: lab.aside(isSilent: true))
    }

    /// What a searcher without mistakes answers to every prompt that the puzzles can lead to.
    package static func perfectReplies(to puzzles: [any Puzzle]) -> [String: String] {
        var replies: [String: String] = [:]
        for puzzle in puzzles {
            replies[puzzle.task] = SearchTranscript(puzzle).text(.breadthFirst)
            func visit(_ path: [PuzzleMove]) {
                let state = puzzle.state(after: path)
                replies[TreeOfThoughts.valuePrompt(path, of: puzzle)] = PuzzleLine.text(
                    puzzle.value(state, after: path.count))
                guard path.count < puzzle.steps else { return }
                replies[TreeOfThoughts.proposalPrompt(path, of: puzzle)] = TreeOfThoughts.proposals(
                    from: path, of: puzzle)
                for move in puzzle.moves(from: state, after: path.count) { visit(path + [move]) }
            }
            visit([])
        }
        return replies
    }

    static func exactness() throws -> PuzzleExactness {
        try PuzzleKind.allCases.flatMap { try $0.puzzles(.validation, count: exactItems) }
            .reduce(PuzzleExactness()) { $0 + PuzzleExactness($1) }
    }

    // MARK: Learning

    private static func learning(
        in lab: Lab
    ) async throws -> (before: Double, solved: Double, legal: Double, shown: Double, trained: Int, tested: Int) {
        let all = LearnedSearch.instances()
        let training = all.filter { !LearnedSearch.isHeldOut($0) }
        var generator = lab.random("tested")
        let tested = generator.sample(lab.limit ?? testedItems, of: all.filter(LearnedSearch.isHeldOut))
        var small = WordChatModel()
        small.layers = 4
        small.contextLength = 256
        small.samplesPerStep = 64
        small.epochs = Double(trainingSteps * small.samplesPerStep) / Double(training.count)
        let model = try await small.train(
            "searcher", on: training.map(LearnedSearch.sample), words: LearnedSearch.words, in: lab)
        let untrained = try lab.open(lab.outputFile("searcher-start").path)
        let before = try await LearnedSearch.grades("Before training", of: untrained, on: tested, in: lab)
        let after = try await LearnedSearch.grades("Unseen puzzles", of: model, on: tested, in: lab)
        let solved = after.filter(\.isSolved)
        func share(_ part: Int, of whole: Int) -> Double { Double(part) / Double(max(1, whole)) }
        return (
            share(before.count(where: \.isSolved), of: before.count), share(solved.count, of: after.count),
            share(after.reduce(0) { $0 + $1.legal }, of: after.reduce(0) { $0 + $1.transitions }),
            share(solved.count(where: \.isSummaryShown), of: solved.count), training.count, tested.count
        )
    }
}
