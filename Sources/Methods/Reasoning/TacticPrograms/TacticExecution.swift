import Inference
import Laboratory
import Synchronization
import Text

/// Runs the programs of tactics. The sandbox and the solver are made on their first use, so that tactics without them need neither.
package final class TacticExecution: Sendable {
    /// What a program did.
    package struct Outcome: Sendable, Hashable {
        package var status: TacticStatus
        package var text: String
    }

    private let limits: SandboxLimits
    private let errorLines: Int
    private let started = Mutex<Task<Sandbox, any Error>?>(nil)

    /// - Parameter errorLines: how much of an error's end is shown.
    package init(limits: SandboxLimits = SandboxLimits(), errorLines: Int = 8) {
        self.limits = limits
        self.errorLines = max(1, errorLines)
    }

    /// The most bytes of a program, and of what is shown of its output.
    package static let mostCode = 20_000
    package static let mostOutput = 2_000

    package func run(_ output: String, under tactic: Tactic) async throws -> Outcome {
        let code = TacticResponse.code(in: output).trimmingSpaces
        guard code.utf8.count <= Self.mostCode else {
            return Outcome(status: .wrong, text: "The program has more than \(Self.mostCode) bytes.")
        }
        switch tactic.engine {
        case .python: return try await python(code, tail: "", tactic)
        case .graph: return try await python(code, tail: Self.graphHelper, tactic)
        case .logic: return try Self.logic(code)
        case .routing: return Outcome(status: .wrong, text: "This tactic runs no programs.")
        }
    }

    // MARK: Python

    private func python(_ code: String, tail: String, _ tactic: Tactic) async throws -> Outcome {
        if !tactic.libraries.isEmpty {
            let foreign = Self.imports(of: code).filter { !tactic.libraries.contains($0) }
            guard foreign.isEmpty else {
                return Outcome(
                    status: .wrong,
                    text: "The program imports \(foreign.joined(separator: ", ")); allowed are "
                        + "\(tactic.libraries.joined(separator: ", ")).")
            }
        }
        let sandbox = started.withLock { task in
            let made = task ?? Task { [limits] in try await Sandbox(limits: limits) }
            task = made
            return made
        }
        let result = try await sandbox.value.run(code + tail)
        if result.succeeded {
            let printed = result.output.trimmingSpaces
            return printed.isEmpty
                ? Outcome(status: .wrong, text: "The program printed nothing; print what it found.")
                : Outcome(status: .ok, text: "Output: \(printed.prefix(Self.mostOutput))")
        }
        if let limit = result.limit {
            return Outcome(status: .wrong, text: "Error: the program went over its limit of \(limit.title).")
        }
        let lines = result.errors.split(whereSeparator: \.isNewline).suffix(errorLines).joined(separator: "\n")
        return Outcome(status: .wrong, text: "Error: \(lines.prefix(Self.mostOutput))")
    }

    /// The top names of what a program imports, as far as its text shows; the sandbox is what protects.
    static func imports(of code: String) -> [String] {
        var names: [String] = []
        for statement in code.split(whereSeparator: { $0.isNewline || $0 == ";" }) {
            let words = statement.split { $0.isWhitespace || $0 == "," }
            guard let first = words.first, first == "import" || first == "from", words.count > 1 else { continue }
            var modules = first == "from" ? [words[1]] : Array(words.dropFirst())
            while let place = modules.firstIndex(of: "as") {
                modules.removeSubrange(place..<min(place + 2, modules.count))
            }
            for module in modules {
                let top = String(module.prefix { $0 != "." })
                if !names.contains(top) { names.append(top) }
            }
        }
        return names
    }

    /// Runs `main`, and prints the edges of the graph where it is weakly connected and has no cycle.
    private static let graphHelper = """


        def _show_graph(edges):
            edges = list(dict.fromkeys((str(a), str(b)) for a, b in edges))
            if not edges:
                raise SystemExit("the graph has no edges")
            neighbours, later = {}, {}
            for a, b in edges:
                neighbours.setdefault(a, set()).add(b)
                neighbours.setdefault(b, set()).add(a)
                later.setdefault(a, []).append(b)
            seen, waiting = set(), [edges[0][0]]
            while waiting:
                node = waiting.pop()
                if node not in seen:
                    seen.add(node)
                    waiting.extend(neighbours[node])
            if len(seen) < len(neighbours):
                raise SystemExit("the graph is not connected")
            degree = {node: 0 for node in neighbours}
            for a, b in edges:
                degree[b] += 1
            free = [node for node in degree if degree[node] == 0]
            for node in free:
                for other in later.get(node, []):
                    degree[other] -= 1
                    if degree[other] == 0:
                        free.append(other)
            if len(free) < len(degree):
                raise SystemExit("the graph has a cycle")
            print(" ; ".join(a + " -> " + b for a, b in edges))


        _show_graph(main())
        """

    // MARK: Logic

    /// Tests the program's one `(claim c)` against the rest of it. Functions that the program defines itself are flagged: the test is
    /// the helper's.
    private static func logic(_ code: String) throws -> Outcome {
        let (theory, claims) = splitClaims(code)
        guard claims.count == 1 else {
            return Outcome(
                status: .wrong, text: "Error: the program states \(claims.count) claims; state one, as (claim …).")
        }
        do {
            let entailment = try LogicSolver().entailment(theory, claim: claims[0])
            switch entailment {
            case .agree, .contradict, .uncertain:
                let defines = theory.contains("(define-fun")
                return Outcome(
                    status: defines ? .warning : .ok,
                    text: "Output: \(entailment.rawValue.capitalized)"
                        + (defines ? "\nIt defines functions of its own: only the claim is tested." : ""))
            case .unsolvable:
                return Outcome(status: .wrong, text: "Error: unsolvable; the solver finds no answer within its limits.")
            case .inconsistent:
                return Outcome(
                    status: .wrong,
                    text: "Error: the premises contradict each other, so everything would follow. Repair them.")
            }
        } catch LogicError.missingLibrary {
            throw LogicError.missingLibrary
        } catch {
            return Outcome(status: .wrong, text: "Error: \("\(error)".prefix(mostOutput))")
        }
    }

    /// The formulas of `(claim …)`, and the program without them.
    static func splitClaims(_ code: String) -> (theory: String, claims: [String]) {
        var theory = ""
        var claims: [String] = []
        var rest = code[...]
        while let open = rest.range(of: "(claim") {
            theory += rest[..<open.lowerBound]
            var depth = 1
            var place = open.upperBound
            while place < rest.endIndex, depth > 0 {
                if rest[place] == "(" { depth += 1 }
                if rest[place] == ")" { depth -= 1 }
                place = rest.index(after: place)
            }
            let inner = rest[open.upperBound..<place]
            claims.append((depth == 0 ? inner.dropLast() : inner).trimmingSpaces)
            rest = rest[place...]
        }
        return (theory + rest, claims)
    }
}
