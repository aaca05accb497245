import Foundation
import Laboratory
import Text

extension TacticBook {
    /// The five tactics of the paper.
    package static func standard() throws(TacticError) -> TacticBook {
        TacticBook([
            try math(), try logic(), try graph(), try anyProgram(), try routing(),
        ])
    }

    private static let plan = Tactic.Action("Plan", .plan, "write down the steps to take; the first action")
    private static let revise = Tactic.Action("Revise code", .revision, "write the whole program again, repaired")
    private static let reason = Tactic.Action("Reason", .reason, "draw a conclusion from what has been observed")
    private static let answer = Tactic.Action("Aggregate and answer", .answer, "give the final answer and nothing else")
    private static let check = Tactic.Action(
        "Tactic check", .check, "output Tactic Bad if this tactic can't solve the problem, else Tactic Good")

    private static func math() throws(TacticError) -> Tactic {
        try Tactic(
            "math", problemType: "word problems with quantities",
            use: "state unknowns and equations as a program and let it compute the result",
            libraries: ["math", "fractions", "decimal", "itertools", "statistics", "numpy", "sympy"],
            template: "total = 3 * 4\nprint(total)", engine: .python,
            actions: [
                plan, .init("Build math model", .program, "write a program that prints the result"), revise, reason,
                answer,
                check,
            ],
            examples: """
                Problem: A crate holds 12 bottles. How many do 5 crates hold, less 2 broken ones?
                ### Thought
                Bottles are crates times bottles a crate, less what is broken.
                ### Action
                ## Name
                Build math model
                ## Input
                the plan
                ## Output
                print(12 * 5 - 2)
                """)
    }

    private static func logic() throws(TacticError) -> Tactic {
        try Tactic(
            "predicate-logic", problemType: "premises and a statement, formally stated",
            use: "state the premises in first-order logic and test whether the statement follows",
            template: """
                (declare-sort Thing 0)
                (declare-fun Bird (Thing) Bool)
                (declare-fun Flies (Thing) Bool)
                (declare-const tweety Thing)
                (assert (forall ((x Thing)) (=> (Bird x) (Flies x))))
                (assert (Bird tweety))
                (claim (Flies tweety))
                """,
            engine: .logic,
            actions: [
                plan,
                .init(
                    "Build FOL model", .program,
                    "write the premises in SMT-LIB 2 and the statement as one (claim …); it is tested for you"),
                revise, answer, check,
            ])
    }

    private static func graph() throws(TacticError) -> Tactic {
        try Tactic(
            "graph", problemType: "events and which of them come before others",
            use: "state the events as a directed graph without cycles",
            libraries: ["collections", "itertools"],
            template: "def main():\n    return [(\"boil water\", \"pour water\"), (\"pour water\", \"drink tea\")]",
            engine: .graph,
            actions: [
                plan,
                .init("Build graph model", .program, "write main(), which returns the edges; they are checked for you"),
                revise, answer, check,
            ])
    }

    private static func anyProgram() throws(TacticError) -> Tactic {
        try Tactic(
            "any-program", problemType: "ambiguous questions and questions of common sense",
            use: "state facts, rules and options as a program of any form that prints what follows", engine: .python,
            actions: [
                plan, .init("Write program", .program, "write a program that prints what its facts lead to"), revise,
                reason, answer, check,
            ])
    }

    private static func routing() throws(TacticError) -> Tactic {
        let output = "; output: ### option <index> ### subproblem <its whole text>"
        return try Tactic(
            "routing", problemType: "a text that mixes several problems, with an option for each",
            use: "take the subproblem of each option out of the text and call the tactic that fits it",
            engine: .routing,
            actions: [
                .init("Call tactic: math", .call("math"), "for quantities" + output),
                .init(
                    "Call tactic: formal logic z3", .call("predicate-logic"), "for premises and a statement" + output),
                .init("Call tactic: graph", .call("graph"), "for the order of events" + output),
                .init("Call tactic: general program", .call("any-program"), "for anything else" + output),
                answer,
            ])
    }
}

extension Tactic {
    /// Reads a tactic file: headings `# name`, `# problem type`, `# typical use`, `# libraries`, `# template`, `# engine`,
    /// `# actions` and `# examples`, each with its text below. An action is a line `Name (kind): use`, the kind one of plan, program,
    /// revision, reason, answer, check, or `call NAME`.
    package init(file text: String, named file: String) throws(TacticError) {
        var parts: [String: String] = [:]
        var heading = ""
        let known: Set<String> = [
            "name", "problem type", "typical use", "libraries", "template", "engine", "actions", "examples",
        ]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let title = line.dropFirst(2).trimmingSpaces.lowercased()
            if line.hasPrefix("# "), known.contains(title) {
                guard parts[title] == nil else { throw .badFile(file, "the heading \"# \(title)\" stands twice") }
                heading = title
                parts[title] = ""
            } else if !heading.isEmpty {
                parts[heading, default: ""] += line + "\n"
            } else if !line.allSatisfy(\.isWhitespace) {
                throw .badFile(file, "it must begin with a heading such as \"# name\"")
            }
        }
        func part(_ name: String) -> String { (parts[name] ?? "").trimmingSpaces }
        guard !part("name").isEmpty else { throw .badFile(file, "nothing stands under \"# name\"") }
        guard let engine = Engine(rawValue: part("engine")) else {
            throw .badFile(file, "\"# engine\" must be python, graph, logic or routing")
        }
        var actions: [Action] = []
        for line in part("actions").split(whereSeparator: \.isNewline) {
            guard let open = line.firstIndex(of: "("), let close = line.range(of: "):"), open < close.lowerBound,
                let kind = Action.Kind(String(line[line.index(after: open)..<close.lowerBound]))
            else {
                throw .badFile(
                    file,
                    "the action \(line.prefix(60).debugDescription) is no \"Name (kind): use\" with a kind out of plan, "
                        + "program, revision, reason, answer, check, call NAME")
            }
            actions.append(
                Action(
                    line[..<open].trimmingSpaces, kind, line[close.upperBound...].trimmingSpaces))
        }
        try self.init(
            part("name"), problemType: part("problem type"), use: part("typical use"),
            libraries: part("libraries").split { $0 == "," || $0.isWhitespace }.map(String.init),
            template: part("template"), engine: engine, actions: actions, examples: part("examples"))
    }
}

extension Tactic.Action.Kind {
    fileprivate init?(_ word: String) {
        switch word.trimmingSpaces {
        case "plan": self = .plan
        case "program": self = .program
        case "revision": self = .revision
        case "reason": self = .reason
        case "answer": self = .answer
        case "check": self = .check
        case let call where call.hasPrefix("call "): self = .call(call.dropFirst(5).trimmingSpaces)
        default: return nil
        }
    }
}
