import Laboratory
import Text

/// A problem and what a run made of it.
package struct TacticResult: Sendable {
    package var problem: TacticProblem
    package var trajectory: TacticTrajectory

    package init(_ problem: TacticProblem, _ trajectory: TacticTrajectory) {
        self.problem = problem
        self.trajectory = trajectory
    }

    package var isRight: Bool {
        trajectory.answer.map { problem.form.isRight($0, gold: problem.gold) } ?? false
    }

    package var hasProgram: Bool { trajectory.program != nil }

    /// How like the reference the program is; 0 without a program, nil without a reference. Python by CodeBLEU with the paper's
    /// weights, formulas of logic by the BLEU of their words.
    package var similarity: Double? {
        guard let reference = problem.program else { return nil }
        guard let program = trajectory.program else { return 0 }
        if problem.form == .truth { return BLEU.sentence(program, references: [reference]).score / 100 }
        return CodeBLEU(program, reference: reference, weights: .tactics).score
    }

    /// Why there is no right answer.
    package enum Failure: String, Sendable, Hashable, CaseIterable {
        case runtime = "no answer"
        case wrongFormat = "wrong format"
        case wrongAnswer = "wrong answer"
    }

    package var failure: Failure? {
        if isRight { return nil }
        if trajectory.answer != nil { return .wrongAnswer }
        return trajectory.rounds.contains { $0.kind == .answer } ? .wrongFormat : .runtime
    }

    /// Whether the digits of a right number stand somewhere in the last answer, whatever is around them.
    package var isSoftlyRight: Bool {
        guard problem.form == .number else { return isRight }
        let gold = Grader(.number).answer(in: problem.gold).filter { $0 != "," }
        guard !gold.isEmpty, let output = trajectory.rounds.last(where: { $0.kind == .answer })?.output else {
            return false
        }
        return output.filter { $0 != "," }.contains(gold)
    }
}

/// The measures of standalone problems.
package struct TacticScores: Sendable {
    package var right: [Bool]
    /// Right, and a program ran.
    package var rightWithProgram: [Bool]
    /// Right, and the program is like the reference. Problems without a reference count where a program ran.
    package var rightWithLikeProgram: [Bool]
    package var softlyRight: [Bool]
    /// Over the problems with a reference; nil where there are none.
    package var meanSimilarity: Double?
    package var failures: [TacticResult.Failure: Int]

    package init(_ results: [TacticResult], threshold: Double) {
        let similarities = results.map(\.similarity)
        right = results.map(\.isRight)
        rightWithProgram = results.map { $0.isRight && $0.hasProgram }
        rightWithLikeProgram = zip(results, similarities).map { result, similarity in
            result.isRight && result.hasProgram && similarity.map { $0 > threshold } ?? true
        }
        softlyRight = results.map(\.isSoftlyRight)
        let known = similarities.compactMap { $0 }
        meanSimilarity = known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
        failures = Dictionary(results.compactMap(\.failure).map { ($0, 1) }, uniquingKeysWith: +)
    }

    package static func share(_ values: [Bool]) -> Double {
        values.isEmpty ? 0 : Double(values.count { $0 }) / Double(values.count)
    }

    /// The share that is answered right without a program.
    package var shortcutRate: Double { Self.share(right) - Self.share(rightWithProgram) }
}

/// The measures of hybrids.
package struct HybridScores: Sendable {
    package var right: [Bool]
    /// Right, and every option solved by the right tactic with a program and a right answer.
    package var strictlyRight: [Bool]
    /// One for each option of each hybrid.
    package var tacticHits: [Bool]
    package var optionRight: [Bool]
    /// Of the subproblems that were handed on against the problems behind their options, from 0 to 1; 0 where none was.
    package var subproblemBLEU: [Double]

    package init(_ results: [TacticResult]) {
        right = results.map(\.isRight)
        strictlyRight = []
        tacticHits = []
        optionRight = []
        subproblemBLEU = []
        for result in results {
            var isStrict = result.isRight
            for (index, part) in result.problem.parts.enumerated() {
                // The last call for an option is the one that its answer stands on.
                let round = result.trajectory.rounds.last { $0.option == index + 1 }
                let run = round?.subTrajectories.last
                let answer = run?.answer.flatMap { part.form.read($0) }
                let hits = round?.called == part.tactic
                let solves = answer.map { part.form.isRight($0, gold: part.gold) } ?? false
                tacticHits.append(hits)
                optionRight.append(solves)
                isStrict = isStrict && hits && solves && run?.program != nil
                let text = TacticResponse.subproblem(in: round?.output ?? "")?.text
                subproblemBLEU.append(text.map { BLEU.sentence($0, references: [part.text]).score / 100 } ?? 0)
            }
            strictlyRight.append(isStrict)
        }
    }

    package var meanBLEU: Double {
        subproblemBLEU.isEmpty ? 0 : subproblemBLEU.reduce(0, +) / Double(subproblemBLEU.count)
    }
}

extension CodeBLEU.Weights {
    /// The paper's: syntax and flow of data count most.
    package static let tactics = CodeBLEU.Weights(words: 0.15, keywords: 0.15, syntax: 0.35, dataFlow: 0.35)
}
