import CZ3
import Foundation

/// Satisfiability of first-order formulas with theories, by Z3 through its C library, in SMT-LIB 2.
///
/// The library is loaded when a solver is made; without it everything else builds and runs. A script runs in a context of its own
/// with limits on its length, the time of each check and the solver's steps. Scripts that read files, set options or print at will are refused: what
/// a model writes is untrusted.
///
/// Source: de Moura and Bjørner, "Z3: An Efficient SMT Solver" (2008); Barrett et al., "The SMT-LIB Standard" (2017).
public struct LogicSolver: Sendable {
    public var limits: LogicLimits

    /// - Throws: `LogicError.missingLibrary`, saying what to install.
    public init(limits: LogicLimits = LogicLimits()) throws(LogicError) {
        guard z3_is_available() == 1 else { throw .missingLibrary }
        self.limits = limits
    }

    /// Whether the library is installed.
    public static var isAvailable: Bool { z3_is_available() == 1 }

    /// The answer to a check.
    public enum Satisfiability: String, Sendable, Hashable, Codable {
        case satisfiable = "sat"
        case unsatisfiable = "unsat"
        /// Too hard within the limits, or undecidable.
        case unknown
    }

    /// Whether declarations and assertions can hold together.
    ///
    /// - Parameter theory: `declare-…`, `define-…` and `assert` commands of SMT-LIB 2.
    public func check(_ theory: String) throws(LogicError) -> Satisfiability {
        try check(theory, and: [nil])[0]
    }

    /// What follows from premises for a claim c, by two checks: P ∧ c and P ∧ ¬c. Premises that contradict each other make everything
    /// follow, so they are checked first.
    ///
    /// - Parameter claim: a formula of SMT-LIB 2 over what the theory declares.
    public func entailment(_ theory: String, claim: String) throws(LogicError) -> Entailment {
        let claim = claim.trimmingSpaces
        try Self.checkFormula(claim)
        let found = try check(theory, and: [nil, claim, "(not \(claim))"])
        return Entailment(premises: found[0], claim: found[1], negation: found[2])
    }

    /// One check for each claim, in turn on the same theory.
    private func check(_ theory: String, and claims: [String?]) throws(LogicError) -> [Satisfiability] {
        guard theory.utf8.count <= limits.bytes else { throw .tooLong(bytes: theory.utf8.count, limit: limits.bytes) }
        try Self.checkTheory(theory)
        let checks = claims.map { "(push)\n" + ($0.map { "(assert \($0))\n" } ?? "") + "(check-sat)\n(pop)\n" }
        let output = try run(
            "(set-option :timeout \(limits.milliseconds))\n(set-option :rlimit \(limits.steps))\n\(theory)\n"
                + checks.joined())
        let lines = output.split(whereSeparator: \.isNewline).map(\.trimmingSpaces)
        // A limit may end the solver between two checks, too.
        if lines.contains(where: { $0.hasPrefix("(error") && $0.contains("cancel") }) {
            return claims.map { _ in .unknown }
        }
        if let error = lines.first(where: { $0.hasPrefix("(error") }) { throw .rejected(String(error.prefix(500))) }
        let found = lines.compactMap(Satisfiability.init)
        guard found.count == claims.count else {
            throw .rejected("it gave \(found.count) answers to \(claims.count) checks")
        }
        return found
    }

    private func run(_ script: String) throws(LogicError) -> String {
        guard let output = z3_run(script, UInt32(limits.milliseconds), UInt32(limits.steps)) else {
            throw .missingLibrary
        }
        defer { free(output) }
        return String(cString: output)
    }

    /// Commands that a theory may consist of.
    private static let commands: Set<String> = [
        "declare-sort", "declare-const", "declare-fun", "declare-datatype", "declare-datatypes", "define-sort",
        "define-fun",
        "define-fun-rec", "define-const", "assert",
    ]

    /// Refuses anything but declarations and assertions, and brackets that don't match.
    private static func checkTheory(_ theory: String) throws(LogicError) {
        for form in try SymbolicExpressions.topLevel(theory) {
            let name = form.dropFirst().drop(while: \.isWhitespace).prefix {
                !$0.isWhitespace && $0 != ")" && $0 != "("
            }
            guard form.hasPrefix("("), commands.contains(String(name)) else {
                throw .rejected(
                    "\(form.prefix(60).debugDescription) is no declaration and no assertion; a theory consists of "
                        + commands.sorted().joined(separator: ", "))
            }
        }
    }

    private static func checkFormula(_ formula: String) throws(LogicError) {
        guard try SymbolicExpressions.topLevel(formula).count == 1 else {
            throw .rejected("\(formula.prefix(60).debugDescription) is not one formula")
        }
    }
}

/// What a script of logic may use up.
public struct LogicLimits: Sendable, Hashable, Codable {
    /// Of a theory.
    public var bytes: Int
    /// Of each check, by the clock.
    public var milliseconds: Int
    /// Of each check, in the solver's own count, the same on every machine; 0: no limit.
    public var steps: Int

    public init(bytes: Int = 1 << 18, milliseconds: Int = 5_000, steps: Int = 50_000_000) {
        self.bytes = max(0, bytes)
        self.milliseconds = min(max(1, milliseconds), 3_600_000)
        self.steps = min(max(0, steps), 4_000_000_000)
    }
}

/// What premises say of a claim.
public enum Entailment: String, Sendable, Hashable, Codable {
    /// P ∧ c can hold and P ∧ ¬c can't.
    case agree
    /// The reverse.
    case contradict
    /// Both can hold.
    case uncertain
    /// A check has no answer within the limits.
    case unsolvable
    /// The premises can't hold together, so that everything would follow.
    case inconsistent

    init(
        premises: LogicSolver.Satisfiability, claim: LogicSolver.Satisfiability, negation: LogicSolver.Satisfiability
    ) {
        switch (premises, claim, negation) {
        case (.unsatisfiable, _, _): self = .inconsistent
        case (_, .satisfiable, .unsatisfiable): self = .agree
        case (_, .unsatisfiable, .satisfiable): self = .contradict
        case (_, .satisfiable, .satisfiable): self = .uncertain
        // With premises that nothing refutes, both refuted is what an unknown check leaves.
        case (_, .unsatisfiable, .unsatisfiable): self = .inconsistent
        case (_, .unknown, _), (_, _, .unknown): self = .unsolvable
        }
    }
}

/// Why a question of logic has no answer.
public enum LogicError: Error, Hashable, CustomStringConvertible {
    case missingLibrary
    case tooLong(bytes: Int, limit: Int)
    /// What the solver or the reader says is wrong with the script.
    case rejected(String)

    public var description: String {
        switch self {
        case .missingLibrary:
            "Formal logic needs the library of Z3. Debian and Ubuntu: apt-get install libz3-dev. macOS: brew install z3."
        case .tooLong(let bytes, let limit): "The theory has \(bytes) bytes; at most \(limit) are read."
        case .rejected(let reason): "The script of logic is not accepted: \(reason)"
        }
    }
}

/// Reads the outermost brackets of symbolic expressions, with SMT-LIB's comments, strings and quoted names.
enum SymbolicExpressions {
    /// The expressions of a text that stand in no other, as they are written.
    static func topLevel(_ text: String) throws(LogicError) -> [Substring] {
        var forms: [Substring] = []
        var depth = 0
        var start: String.Index?
        var position = text.startIndex
        while position < text.endIndex {
            let character = text[position]
            switch character {
            case ";":
                if depth == 0, let open = start {
                    forms.append(text[open..<position])
                    start = nil
                }
                position = text[position...].firstIndex(where: \.isNewline) ?? text.endIndex
                continue
            case "\"", "|":
                guard let close = text[text.index(after: position)...].firstIndex(of: character) else {
                    throw .rejected("a \(character) is not closed")
                }
                if start == nil { start = position }
                position = close
            case "(":
                if depth == 0 {
                    if let open = start { forms.append(text[open..<position]) }
                    start = position
                }
                depth += 1
                guard depth < 1_000 else { throw .rejected("brackets are nested deeper than 1000") }
            case ")":
                guard depth > 0 else { throw .rejected("a closing bracket has no opening one") }
                depth -= 1
                if depth == 0, let open = start {
                    forms.append(text[open...position])
                    start = nil
                }
            default:
                if character.isWhitespace {
                    if depth == 0, let open = start {
                        forms.append(text[open..<position])
                        start = nil
                    }
                } else if start == nil {
                    start = position
                }
            }
            position = text.index(after: position)
        }
        guard depth == 0 else { throw .rejected("\(depth) brackets are not closed") }
        if let open = start { forms.append(text[open...]) }
        return forms
    }
}
