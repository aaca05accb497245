import Laboratory
import Testing

@Suite struct LogicErrorTests {
    @Test func whatIsMissingIsSaid() {
        let text = LogicError.missingLibrary.description
        #expect(text.contains("apt-get install libz3-dev") && text.contains("brew install z3"))
    }
}

@Suite(.enabled(if: LogicSolver.isAvailable, "Z3 is not installed; scripts/setup.sh installs it"))
struct LogicSolverTests {
    private let theory = """
        ; People: all who are kind are happy, Ada is kind, Bo is not happy.
        (declare-sort Person)
        (declare-fun kind (Person) Bool)
        (declare-fun happy (Person) Bool)
        (declare-const ada Person)
        (declare-const bo Person)
        (assert (forall ((x Person)) (=> (kind x) (happy x))))
        (assert (kind ada))
        (assert (not (happy bo)))
        """

    static let claims: [(claim: String, found: Entailment)] = [
        ("(happy ada)", .agree), ("(kind bo)", .contradict), ("(= ada bo)", .contradict),
        ("(exists ((x Person)) (and (happy x) (not (kind x))))", .uncertain), ("true", .agree), ("false", .contradict),
    ]

    @Test(arguments: claims) func claimsFollowOrNot(claim: String, found: Entailment) throws {
        #expect(try LogicSolver().entailment(theory, claim: claim) == found)
    }

    @Test func contradictoryPremisesAreNoticed() throws {
        let solver = try LogicSolver()
        let both = theory + "\n(assert (happy bo))"
        #expect(try solver.check(theory) == .satisfiable && solver.check(both) == .unsatisfiable)
        #expect(try solver.entailment(both, claim: "(happy ada)") == .inconsistent)
    }

    @Test func whatIsTooHardIsUnsolvable() throws {
        var solver = try LogicSolver()
        solver.limits.steps = 1
        let hard = "(declare-const x Int)(declare-const y Int)(declare-const z Int)(assert (> x 0))(assert (> y 0))"
        let claim = "(= (+ (* x x x) (* y y y)) (* z z z))"
        #expect(try solver.entailment(hard, claim: claim) == .unsolvable)
    }

    static let refused = [
        "(set-option :produce-proofs true)", "(include \"/etc/passwd\")", "(check-sat)", "(exit)", "hello",
        "(assert true",
        "(assert true))", "(assert |a)", "(get-model)", "(echo \"sat\")",
    ]

    @Test(arguments: refused) func scriptsAreDeclarationsAndAssertions(script: String) throws {
        let solver = try LogicSolver()
        #expect(throws: LogicError.self) { try solver.check(script) }
    }

    @Test func mistakesAreReported() throws {
        let solver = try LogicSolver()
        for script in ["(assert (p x))", "(declare-const x Int)(assert x)", "(assert)"] {
            #expect(throws: LogicError.self) { try solver.check(script) }
        }
        #expect(throws: LogicError.self) { try solver.entailment(theory, claim: "(happy ada) (kind bo)") }
        #expect(throws: LogicError.self) { try solver.entailment(theory, claim: "true))(exit)(assert (not false") }
        var short = solver
        short.limits.bytes = 10
        #expect(throws: LogicError.tooLong(bytes: theory.utf8.count, limit: 10)) { try short.check(theory) }
    }

    @Test func manyAskAtOnce() async throws {
        let solver = try LogicSolver()
        let theory = theory
        let found = try await withThrowingTaskGroup(of: Entailment.self) { group in
            for _ in 0..<16 { group.addTask { try solver.entailment(theory, claim: "(happy ada)") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found == Array(repeating: .agree, count: 16))
    }
}
