import Laboratory

/// A way of solving one kind of problem with programs: what it is for, what its programs may use, and what actions it has.
package struct Tactic: Sendable, Hashable {
    /// What becomes of a program.
    package enum Engine: String, Sendable, Hashable, Codable {
        /// Python in the sandbox; what it prints is the observation.
        case python
        /// The same, and `main()` returns the edges of a directed graph, which a fixed helper checks and prints.
        case graph
        /// Declarations and assertions of SMT-LIB 2, and one `(claim …)` that a fixed helper tests.
        case logic
        /// No programs: actions call other tactics.
        case routing
    }

    /// One entry of the action space.
    package struct Action: Sendable, Hashable {
        package enum Kind: Sendable, Hashable {
            case plan, program, revision, reason, answer, check
            /// Hands a subproblem to the tactic of this name.
            case call(String)
        }

        package var name: String
        package var kind: Kind
        package var use: String

        package init(_ name: String, _ kind: Kind, _ use: String) {
            self.name = name
            self.kind = kind
            self.use = use
        }
    }

    package var name: String
    package var problemType: String
    package var use: String
    /// Modules that programs may import; empty: any.
    package var libraries: [String]
    package var template: String
    package var engine: Engine
    package var actions: [Action]
    /// Worked trajectories, shown in the first rounds.
    package var examples: String

    /// - Throws: `TacticError` for a tactic without an answer, with two actions of one name, or with programs that nothing writes.
    package init(
        _ name: String, problemType: String, use: String, libraries: [String] = [], template: String = "",
        engine: Engine, actions: [Action], examples: String = ""
    ) throws(TacticError) {
        self.name = name
        self.problemType = problemType
        self.use = use
        self.libraries = libraries
        self.template = template
        self.engine = engine
        self.actions = actions
        self.examples = examples
        guard actions.contains(where: { $0.kind == .answer }) else {
            throw .badTactic(name, "it has no action that answers, so no run could end well")
        }
        guard Set(actions.map { $0.name.lowercased() }).count == actions.count else {
            throw .badTactic(name, "two of its actions have the same name")
        }
        let calls = actions.contains { if case .call = $0.kind { true } else { false } }
        let writes = actions.contains { $0.kind == .program }
        guard engine == .routing ? calls && !writes : writes && !calls else {
            throw .badTactic(
                name,
                engine == .routing
                    ? "a routing tactic calls others and writes no programs" : "no action writes its program")
        }
    }

    /// The action of a name, whatever its case.
    package func action(_ name: String) -> Action? {
        let name = name.trimmingSpaces.lowercased()
        return actions.first { $0.name.lowercased() == name }
    }

    /// The tactic as a prompt states it.
    package var text: String {
        var lines = [
            "Name: \(name)", "Problem type: \(problemType)", "Typical use: \(use)",
        ]
        if !libraries.isEmpty { lines.append("Allowed libraries: \(libraries.joined(separator: ", "))") }
        if !template.isEmpty { lines.append("Code template:\n\(template)") }
        lines.append("Actions:")
        lines += actions.map { "- \($0.name): \($0.use)" }
        return lines.joined(separator: "\n")
    }
}

/// Why a tactic or its data can't be used.
package enum TacticError: Error, Hashable, CustomStringConvertible {
    case badTactic(String, String)
    case badFile(String, String)
    case unknownTactic(String, known: [String])
    case badProblem(String, String)
    case lostFacts([String])
    case nothingSolved

    package var description: String {
        switch self {
        case .badTactic(let name, let reason): "The tactic \(name.debugDescription) can't be used: \(reason)."
        case .badFile(let file, let reason): "The tactic file \(file) can't be read: \(reason)."
        case .unknownTactic(let name, let known):
            "There is no tactic \(name.debugDescription); there are \(known.joined(separator: ", "))."
        case .badProblem(let id, let reason): "The problem \(id.debugDescription) can't be used: \(reason)."
        case .lostFacts(let facts):
            "The blend lost \(facts.joined(separator: ", ")): every number and name of the sources has to stand in it."
        case .nothingSolved:
            "None of the trajectories is solved, so there is nothing to train on. Collect with answer feedback first."
        }
    }
}

/// The tactics of a run by name.
package struct TacticBook: Sendable {
    package private(set) var tactics: [Tactic]

    package init(_ tactics: [Tactic]) { self.tactics = tactics }

    package subscript(_ name: String) -> Tactic? { tactics.first { $0.name == name } }

    package func tactic(_ name: String) throws(TacticError) -> Tactic {
        guard let tactic = self[name] else { throw .unknownTactic(name, known: tactics.map(\.name)) }
        return tactic
    }

    /// The tactic that routes to the others.
    package func router() throws(TacticError) -> Tactic {
        guard let tactic = tactics.first(where: { $0.engine == .routing }) else {
            throw .unknownTactic("routing", known: tactics.map(\.name))
        }
        return tactic
    }

    /// Puts a tactic in place of the one of its name, or adds it.
    package mutating func add(_ tactic: Tactic) {
        if let place = tactics.firstIndex(where: { $0.name == tactic.name }) {
            tactics[place] = tactic
        } else {
            tactics.append(tactic)
        }
    }

    /// Which tactic the sources of ReWild are for; other data sets name their tactic.
    package static let sources = [
        "gsm8k": "math", "folio": "predicate-logic", "proscript": "graph", "reclor": "any-program", "hyb": "routing",
    ]
}
