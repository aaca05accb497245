import Laboratory
import Reasoning
import Testing
import Text

@Suite struct ATSPuzzleTests {
    // MARK: Checkers

    @Test(
        arguments: [
            ("drop-water", "6 9 3 2", "Summary: [0 / 6, 0 / 9] -> [0 / 6, 9 / 9] -> [6 / 6, 3 / 9]", true),
            ("drop-water", "6 9 3 2", "**Summary: [0/6, 0/9] -> (fill the second) [0/6, 9/9] → [6/6, 3/9].**", true),
            // A step too many, a wrong size, a start that isn't empty, water that comes from nowhere, and a step that does nothing.
            (
                "drop-water", "6 9 3 2",
                "[0 / 6, 0 / 9] -> [6 / 6, 0 / 9] -> [0 / 6, 0 / 9] -> [0 / 6, 9 / 9] -> [6 / 6, 3 / 9]",
                false
            ),
            ("drop-water", "6 9 3 2", "[0 / 6, 0 / 8] -> [0 / 6, 9 / 9] -> [6 / 6, 3 / 9]", false),
            ("drop-water", "6 9 3 2", "[0 / 6, 9 / 9] -> [6 / 6, 3 / 9]", false),
            ("drop-water", "6 9 3 2", "[0 / 6, 0 / 9] -> [6 / 6, 3 / 9]", false),
            ("drop-water", "6 9 3 3", "[0 / 6, 0 / 9] -> [0 / 6, 0 / 9] -> [0 / 6, 9 / 9] -> [6 / 6, 3 / 9]", false),
            ("drop-water", "6 9 3 2", "[0 / 6, 0 / 9] -> [0 / 6, 9 / 9]", false),
            ("number-path", "4 1 10", "Summary: 1 -> 2 -> 4 -> 5 -> 10", true),
            ("number-path", "4 1 10", "The path is [1] -> (x2) [2] -> (x2) [4] -> (+1) [5] -> (x2) [10]", true),
            ("number-path", "4 1 10", "1 -> 2 -> 4 -> 5 -> 10 -> 11", false),
            ("number-path", "4 1 10", "1 -> 2 -> 4 -> 8 -> 10", false),
            ("number-path", "4 1 10", "2 -> 3 -> 4 -> 5 -> 10", false),
            ("number-path", "4 1 10", "1 -> 2 -> 5 -> 10", false),
            ("arithmetic", "2 3 6 24", "Summary: [2, 3, 6] -> (2 + 6 = 8) -> [3, 8] -> (3 * 8 = 24) -> [24]", true),
            ("arithmetic", "2 3 6 24", "[6, 2, 3] -> (6 + 2 = 8) [8, 3] -> (8 × 3 = 24) [24]", true),
            // A false equation, a number used twice, a number lost, no equation, a power, and a name instead of numbers.
            ("arithmetic", "2 3 6 24", "[2, 3, 6] -> (2 + 6 = 9) -> [3, 9] -> (3 * 9 = 24) -> [24]", false),
            ("arithmetic", "2 3 6 24", "[2, 3, 6] -> (6 + 6 = 12) -> [2, 12] -> (2 * 12 = 24) -> [24]", false),
            ("arithmetic", "2 3 6 24", "[2, 3, 6] -> (2 * 6 = 12) -> [12, 2] -> (12 * 2 = 24) -> [24]", false),
            ("arithmetic", "2 3 6 24", "[2, 3, 6] -> [3, 8] -> [24]", false),
            ("arithmetic", "2 3 6 24", "[2, 3, 6] -> (2 ** 3 = 8) -> [6, 8] -> (6 * 8 = 24) -> [24]", false),
            ("arithmetic", "2 3 6 24", "[2, 3, 6] -> (__import__ = 8) -> [3, 8] -> (3 * 8 = 24) -> [24]", false),
            ("number-split", "1 6 2", "Summary: ans=24", true),
            ("number-split", "1 6 2", "[4, 6] -> (4 * 6) 24.", true),
            ("number-split", "1 6 2", "Summary: ans=25", false),
            ("number-split", "1 6 2", "Summary: ans=", false),
        ] as [(String, String, String, Bool)])
    func checkersVerifyEveryTransition(kind: String, instance: String, line: String, isRight: Bool) throws {
        let puzzle = try #require(PuzzleKind(rawValue: kind)).puzzle(instance)
        #expect(puzzle.accepts(line) == isRight)
        #expect(puzzle.question.accepts(line) == isRight)
        #expect(!puzzle.accepts(line + String(repeating: " ", count: 3_000)))
    }

    /// 1 / 3 · 24: rounded on the way, but within the tolerance.
    @Test func roundedNumbersAreWithinTheTolerance() throws {
        let puzzle = try PuzzleKind.arithmetic.puzzle("1 3 24 8")
        #expect(puzzle.accepts("[1, 3, 24] -> (1 / 3 = 0.333) -> [0.333, 24] -> (0.333 * 24 = 8) -> [8]"))
        #expect(!puzzle.accepts("[1, 3, 24] -> (1 / 3 = 0.3) -> [0.3, 24] -> (0.3 * 24 = 8) -> [8]"))
    }

    @Test(arguments: PuzzleKind.allCases) func enumerationAgreesWithTheCheckers(kind: PuzzleKind) throws {
        let found = try kind.puzzles(.validation, count: 8).reduce(PuzzleExactness()) { $0 + PuzzleExactness($1) }
        #expect(found.solutions >= 8 && found.mutants > 50)
        #expect(found.accepted == found.solutions)
        #expect(found.rejected == found.mutants)
    }

    @Test func changesTouchEveryPart() {
        #expect(
            PuzzleExactness.changes(of: "Summary: 3 -> 4") == [
                "Summary: 2 -> 4", "Summary: 4 -> 4", "Summary: 3 -> 3", "Summary: 3 -> 5", "Summary: 4", "Summary: 3",
                "Summary: 3 -> 3 -> 4", "Summary: 3 -> 4 -> 4", "Summary: 4 -> 3",
            ])
    }

    // MARK: Generators

    @Test func generatorsEnumerateEachInstanceOnce() throws {
        for kind in PuzzleKind.allCases {
            let (training, validation) = (kind.instances(.training), kind.instances(.validation))
            #expect(Set(training + validation).count == training.count + validation.count)
            #expect(training == kind.instances(.training))
        }
        let paths = PuzzleKind.numberPath.enumerated()
        // From 1 by three operations: 3 → … {2} → {3, 4} → {4, 5, 6, 8}.
        #expect(paths.filter { $0[0] == 3 && $0[1] == 1 }.map { $0[2] } == [4, 5, 6, 8])
        #expect(paths.count == PuzzleKind.numberPath.instances(.training).count + paths.count / 8)
        #expect(PuzzleKind.arithmetic.instances(.validation).count == PuzzleKind.arithmetic.enumerated().count / 5)
        #expect(PuzzleKind.dropWater.enumerated().filter { $0[0] == 6 && $0[1] == 9 } == [[6, 9, 3, 2]])
        let shown = Set(PuzzleKind.numberSplit.instances(.validation).map { $0.sorted() })
        #expect(PuzzleKind.numberSplit.instances(.validation).count == 100)
        #expect(PuzzleKind.numberSplit.instances(.training).allSatisfy { !shown.contains($0.sorted()) })
    }

    @Test(arguments: [
        ("drop-water", "9 6 3 2"), ("drop-water", "0 9 3 2"), ("drop-water", "6 9 3"), ("drop-water", "6 9 x 2"),
        ("number-path", "0 1 10"), ("number-path", "99 1 10"), ("arithmetic", "-1 3 6 24"),
        ("number-split", "1 6 99999999999999999999"), ("number-split", ""),
    ]) func badInstancesAreRefused(kind: String, instance: String) throws {
        let kind = try #require(PuzzleKind(rawValue: kind))
        let error = #expect(throws: PuzzleError.self) { try kind.puzzle(instance) }
        #expect(error?.description.contains("expected") == true)
    }

    @Test(arguments: [
        ("drop-water", "6 9 4 4"), ("number-path", "2 1 100"), ("arithmetic", "1 1 1 24"),
    ]) func unsolvableInstancesAreRefused(kind: String, instance: String) throws {
        let kind = try #require(PuzzleKind(rawValue: kind))
        let error = #expect(throws: PuzzleError.self) { try kind.puzzle(instance) }
        #expect(error?.description.contains("no solution") == true)
    }

    // MARK: Transcripts

    @Test func breadthFirstNumbersScenariosAndStopsAtTheFirstSolution() throws {
        let puzzle = try PuzzleKind.numberPath.puzzle("3 1 5")
        #expect(
            SearchTranscript(puzzle).text(.breadthFirst) == """
                Step 1
                1. 1 -> (x2) 2
                2. 1 -> (+1) 2
                Step 2
                1.1. 1 -> 2 -> (x2) 4
                1.2. 1 -> 2 -> (+1) 3
                2.1. 1 -> 2 -> (x2) 4
                2.2. 1 -> 2 -> (+1) 3
                Step 3
                1.1.1. 1 -> 2 -> 4 -> (x2) 8
                1.1.2. 1 -> 2 -> 4 -> (+1) 5
                Summary: 1 -> 2 -> 4 -> 5
                """)
    }

    @Test func depthFirstStepsBackAndRevises() throws {
        var transcript = SearchTranscript(try PuzzleKind.numberPath.puzzle("3 1 5"))
        transcript.mistakes = 1
        #expect(
            transcript.text(.depthFirst) == """
                Step 1
                1 -> (x2) 2
                Step 2
                1 -> 2 -> (x2) 4
                Step 3
                1 -> 2 -> 4 -> (x2) 8
                8 is not 5: not the goal.
                Step back to 4.
                Step 3 (revised)
                1 -> 2 -> 4 -> (+1) 5
                Summary: 1 -> 2 -> 4 -> 5
                """)
        // 8 and 9 are out of reach of 7, and so is 4.
        let twice = SearchTranscript(try PuzzleKind.numberPath.puzzle("3 2 7")).text(.depthFirst)
        #expect(
            twice.contains("Step back to 8.\nStep back to 4.\nStep back to 2.\nStep 1 (revised)\n2 -> (+1) 3"))
    }

    @Test func everyTranscriptEndsInARightSummary() throws {
        for kind in PuzzleKind.allCases {
            for puzzle in try kind.puzzles(.training, count: 12) {
                for form in [SearchTranscript.Kind.direct, .breadthFirst, .depthFirst] {
                    let text = SearchTranscript(puzzle).text(form)
                    #expect(puzzle.accepts(AnswerLine.find(in: text)), "\(puzzle.id): \(text)")
                    #expect(text.split(separator: "\n").count <= 50)
                }
            }
        }
    }

    // MARK: Learned search

    @Test func learnedSearchesAreGradedByTheirTransitions() {
        let puzzle = NumberPath(steps: 3, from: 45, to: 44, operations: [.add(-2), .add(3)])
        let reply = LearnedSearch.reply(puzzle)
        let grade = LearnedSearch.grade(reply, of: puzzle)
        // Two lines of one step, four of two, and of three steps up to 45, 43, 41, 44.
        #expect(grade.isSolved && grade.isSummaryShown && grade.transitions == 16 && grade.legal == 16)
        let stub = LearnedSearch.grade("Summary: 45 -> 43 -> 41 -> 44", of: puzzle)
        #expect(stub.isSolved && !stub.isSummaryShown && stub.transitions == 0)
        let wrong = LearnedSearch.grade(
            "Step 1 1. 45 -> (-2) 48 2. 44 -> (+3) 47 1.1. 45 -> 43 -> (+3) 46 2.1. x Summary: 45 -> 48", of: puzzle)
        #expect(!wrong.isSolved && wrong.isSummaryShown && wrong.transitions == 5 && wrong.legal == 2)
    }

    @Test func heldOutPuzzlesHaveNoMirrorImageInTraining() {
        let all = LearnedSearch.instances()
        #expect(Set(all).count == all.count && all.count == 13_140)
        let held = all.filter(LearnedSearch.isHeldOut)
        #expect((0.12...0.18).contains(Double(held.count) / Double(all.count)))
        for puzzle in held.prefix(50) {
            let mirrored = NumberPath(
                steps: 3, from: puzzle.from, to: puzzle.goal, operations: puzzle.operations.reversed())
            #expect(LearnedSearch.isHeldOut(mirrored))
        }
    }
}
