import Inference
import Laboratory
import Text

/// Word problems and orders of events from four templates each, and an expert who solves them, with a controlled chance of a wrong
/// first program. Texts and programs are words between spaces, so that a small model of words can read and write them.
enum TacticWorld {
    static let actors = ["Anna", "Ben", "Cleo", "Dan", "Emma", "Finn", "Gita", "Hugo"]
    static let things = ["apples", "books", "coins", "stones", "pens", "cups", "nuts", "shells"]
    static let events = [
        "boil", "pour", "drink", "wash", "peel", "cut", "cook", "serve", "plan", "pack", "drive", "park", "sow",
        "water",
        "harvest", "sell", "wake", "dress", "eat", "leave",
    ]

    /// What is wrong with the expert's first program.
    enum Slip: CaseIterable {
        /// A bracket is left open, which the environment tells.
        case syntax
        /// A sign or an edge is turned round, which only the right answer tells.
        case sign
    }

    /// A problem with what the expert knows of it.
    struct Item: Sendable {
        var problem: TacticProblem
        var program: String
        var broken: String
        var turned: String
        /// What the turned program prints.
        var turnedAnswer: String
        var build: String
    }

    static func item(_ id: String, using generator: inout SeededGenerator) -> Item {
        generator.chance(0.5) ? math(id, &generator) : graph(id, &generator)
    }

    private static func math(_ id: String, _ generator: inout SeededGenerator) -> Item {
        func pick(_ words: [String]) -> String { generator.pick(words) ?? "" }
        let (actor, thing) = (pick(actors), pick(things))
        let text: String
        let (right, turned): (String, String)
        let (gold, wrong): (Int, Int)
        switch generator.below(4) {
        case 0:
            let b = 2 + generator.below(9)
            let a = b + 1 + generator.below(12)
            text = "\(actor) has \(a) \(thing) . \(actor) gives away \(b) of them . How many \(thing) are left ?"
            (right, turned) = ("\(a) - \(b)", "\(a) + \(b)")
            (gold, wrong) = (a - b, a + b)
        case 1:
            let (a, b) = (3 + generator.below(12), 2 + generator.below(12))
            text = "\(actor) has \(a) \(thing) . \(actor) finds \(b) more . How many \(thing) are there now ?"
            (right, turned) = ("\(a) + \(b)", "\(a) - \(b)")
            (gold, wrong) = (a + b, a - b)
        case 2:
            let (a, b) = (2 + generator.below(5), 3 + generator.below(5))
            let c = 1 + generator.below(5)
            text =
                "\(actor) fills \(a) boxes with \(b) \(thing) each . Then \(c) of them get lost . How many \(thing) remain ?"
            (right, turned) = ("\(a) * \(b) - \(c)", "\(a) * \(b) + \(c)")
            (gold, wrong) = (a * b - c, a * b + c)
        default:
            let (a, b) = (2 + generator.below(5), 3 + generator.below(5))
            let c = 1 + generator.below(5)
            text = "\(actor) gets \(a) \(thing) a day for \(b) days and \(c) on top . How many \(thing) are that ?"
            (right, turned) = ("\(a) * \(b) + \(c)", "\(a) * \(b) - \(c)")
            (gold, wrong) = (a * b + c, a * b - c)
        }
        let program = "print ( \(right) )"
        return Item(
            problem: TacticProblem(
                id: id, dataset: "math", text, tactic: "math", form: .number, gold: "\(gold)", program: program),
            program: program, broken: "print ( \(right)", turned: "print ( \(turned) )", turnedAnswer: "\(wrong)",
            build: "Build math model")
    }

    private static func graph(_ id: String, _ generator: inout SeededGenerator) -> Item {
        let picked = generator.sample(3, of: events)
        let (a, b, c) = (picked[0], picked[1], picked[2])
        var edges = [(a, b), (b, c)]
        let text: String
        switch generator.below(4) {
        case 0: text = "First \(a) . Then \(b) . At last \(c) . What comes before what ?"
        case 1: text = "\(a) comes before \(b) . \(b) comes before \(c) . What comes before what ?"
        case 2: text = "\(b) comes after \(a) . \(c) comes after \(b) . What comes before what ?"
        default:
            text = "\(a) comes before both \(b) and \(c) . What comes before what ?"
            edges = [(a, b), (a, c)]
        }
        func program(_ edges: [(String, String)]) -> String {
            "main = lambda : [ " + edges.map { "( ' \($0.0) ' , ' \($0.1) ' )" }.joined(separator: " , ") + " ]"
        }
        func answer(_ edges: [(String, String)]) -> String {
            edges.map { "\($0.0) -> \($0.1)" }.joined(separator: " ; ")
        }
        let right = program(edges)
        let turned = [(edges[0].1, edges[0].0), edges[1]]
        return Item(
            problem: TacticProblem(
                id: id, dataset: "graph", text, tactic: "graph", form: .edges(threshold: 0.6), gold: answer(edges),
                program: right),
            program: right, broken: String(right.dropLast(2)), turned: program(turned), turnedAnswer: answer(turned),
            build: "Build graph model")
    }

    // MARK: The expert

    /// The expert's rounds; what is wrong comes first and is repaired when it shows.
    static func rounds(_ item: Item, slip: Slip?) -> [String] {
        func round(_ thought: String, _ name: String, _ input: String, _ output: String) -> String {
            TacticResponse(thought: thought, name: name, input: input, output: output).text(inOneLine: true)
        }
        func answer(_ value: String) -> [String] {
            // The graph tactic of the paper has no reasoning step.
            (item.problem.tactic == "math" ? [round("read it", "Reason", "output", "the result is \(value)")] : [])
                + [round("done", "Aggregate and answer", "output", value)]
        }
        let plan = round("plan first", "Plan", "problem", "write a program and run it")
        let repaired = round("repair it", "Revise code", "program", item.program)
        let right = answer(item.problem.gold)
        switch slip {
        case nil: return [plan, round("write it", item.build, "plan", item.program)] + right
        case .syntax: return [plan, round("write it", item.build, "plan", item.broken), repaired] + right
        case .sign:
            return [plan, round("write it", item.build, "plan", item.turned)] + answer(item.turnedAnswer) + [repaired]
                + right
        }
    }

    /// The agent of a model; its prompts are short from the first round on.
    static func agent(
        _ model: any LanguageModel, execution: TacticExecution, temperature: Double = 0, seed: UInt64 = 1
    ) throws -> TacticAgent {
        var solver = TacticRole("solver", model, maxTokens: 64)
        solver.temperature = temperature
        var agent = TacticAgent(
            book: try .standard(), router: TacticRole("router", model, maxTokens: 64), solver: solver,
            execution: execution)
        agent.limits.roundsWithExamples = 0
        agent.seed = seed
        return agent
    }

    /// What the expert's rounds become in the environment, with feedback on answers.
    static func expertRun(_ item: Item, slip: Slip?, execution: TacticExecution) async throws -> TacticTrajectory {
        try await agent(ScriptedModel(rounds(item, slip: slip)), execution: execution)
            .run(item.problem, givesFeedback: true)
    }

    /// The plan and a first program that fails, as the environment answers them.
    static func failedStart(_ item: Item, execution: TacticExecution) async throws -> [TacticRound] {
        var agent = try agent(ScriptedModel(rounds(item, slip: .syntax)), execution: execution)
        agent.limits.rounds = 2
        return try await agent.run(item.problem).rounds
    }

    // MARK: Copying

    /// Every word of problems and programs that a trajectory may not show.
    static let words = (0...99).map(String.init) + events + actors + things

    /// Conversations that repeat words: what a model from nothing must be able to do before it can copy a problem's numbers.
    static func copying(_ count: Int, using generator: inout SeededGenerator) -> [WordChatModel.Sample] {
        (0..<count).map { _ in
            let pool = generator.chance(0.6) ? Array(words.prefix(60)) : Array(words.dropFirst(100))
            return .repetition(of: generator.sample(4 + generator.below(8), of: pool))
        }
    }
}
