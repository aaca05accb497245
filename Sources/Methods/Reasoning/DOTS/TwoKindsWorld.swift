import Inference
import Laboratory
import Text

/// Two kinds of questions in varied wording: products, which a program gets right and a small model doesn't, and letters of words,
/// which a small model has learnt and can't program.
package struct TwoKindsWorld: Sendable {
    package struct Item: Sendable {
        package var question: Question
        /// The product a · b; nil for a question about letters.
        var factors: (a: Int, b: Int)?
        /// How it is said in words and what a program would print.
        var worked: String
        var expression: String

        package var isProduct: Bool { factors != nil }
        package var answer: String { question.golds[0] }
    }

    static let factors = 11...60
    /// None has the letter a, which as a word of its own is no part of an answer in the normal form of texts.
    static let words = [
        "lemon", "tiger", "melon", "river", "stone", "cloud", "house", "mouse", "green", "night", "light", "bread",
        "chest",
        "spoon", "knife", "plum", "cherry", "onion", "copper", "silver", "winter", "summer", "spring", "forest",
        "desert",
        "pencil", "button", "ribbon", "cotton", "velvet", "monkey", "turtle", "rocket", "engine", "bridge", "tunnel",
        "circle",
        "corner", "mirror", "window", "kitten", "puppy", "horse", "sheep", "donkey", "insect", "violin", "drum",
        "flute", "piper",
    ].filter { !$0.contains("a") }

    static let products = [
        "What is {a} times {b} ?", "Multiply {a} by {b} .",
        "A shop sells {a} boxes of {b} pens each . How many pens is that ?",
        "There are {a} rows of {b} chairs . How many chairs are there ?", "Find the product of {a} and {b} .",
        "Each of {a} buses holds {b} people . How many people is that ?",
    ]
    static let endings = [
        "Take the last letters of {u} and {v} .", "What letters do {u} and {v} end with ?",
        "Write down the last letter of {u} and then the last letter of {v} .",
    ]
    static let reversals = [
        "Reverse the word {u} .", "Spell {u} backwards .", "How is {u} written from right to left ?",
    ]

    /// Questions by turns of either kind, none twice and none of those before.
    package static func items(
        _ count: Int, without used: inout Set<String>, using generator: inout SeededGenerator
    ) -> [Item] {
        // Of a product both orders and all wordings are one question.
        distinct(
            count, without: &used,
            by: { item in item.factors.map { "\(min($0.a, $0.b)) \(max($0.a, $0.b))" } ?? item.question.text },
            { item(isProduct: $0.isMultiple(of: 2), $0, &generator) })
    }

    static func item(isProduct: Bool, _ number: Int, _ generator: inout SeededGenerator) -> Item {
        let id = "\(isProduct ? "product" : "letters")-\(number)"
        func filled(_ texts: [String], _ values: [String: String]) -> String {
            (generator.pick(texts) ?? "").split(separator: " ").map { values[String($0)] ?? String($0) }
                .joined(separator: " ")
        }
        if isProduct {
            let (a, b) = (Self.factors.lowerBound + generator.below(50), Self.factors.lowerBound + generator.below(50))
            return Item(
                question: Question(
                    id: id, filled(products, ["{a}": String(a), "{b}": String(b)]), kind: .number,
                    golds: [String(a * b)],
                    subject: "products"),
                factors: (a, b), worked: "\(a) times \(b) is \(a * b)", expression: "\(a) * \(b)")
        }
        let (u, v) = (generator.pick(words) ?? "", generator.pick(words) ?? "")
        let ends = generator.chance(0.75)
        let letters = ends ? [u, v].compactMap(\.last) : Array(u.reversed())
        let answer = letters.map(String.init).joined(separator: " ")
        return Item(
            question: Question(
                id: id, filled(ends ? endings : reversals, ["{u}": u, "{v}": v]), kind: .text, golds: [answer],
                subject: "letters"),
            factors: nil,
            worked: ends
                ? "\(u) ends with \(letters[0]) and \(v) ends with \(letters[1])" : "\(u) backwards is \(answer)",
            expression: ends ? "\(u) + \(v)" : u)
    }

    /// What the small solver is told: the steps of the method, each in a word or two.
    static var wording: TrajectoryWording {
        var wording = TrajectoryWording()
        wording.queryRewriting = "rewrite"
        wording.planning = "plan"
        wording.chainOfThought = "words"
        wording.program = "program"
        wording.directAnswering = "answer"
        wording.verifier = "verify"
        wording.solvingAgain = "again"
        wording.stepRule = ""
        wording.executed = "result"
        return wording
    }

    // MARK: Teaching the solver

    /// Conversations over all trajectories as a solver has them that knows letters, copies results and finds no contradictions. What a
    /// program gives is any product, so that it is copied and not recalled.
    package static func samples(
        _ count: Int, without used: Set<String>, using generator: SeededGenerator
    ) async throws -> [WordChatModel.Sample] {
        var generator = generator
        let all = ActionCatalogue.standard.trajectories
        var samples: [WordChatModel.Sample] = []
        for number in 0..<count {
            var item = item(isProduct: number.isMultiple(of: 2), number, &generator)
            if let (a, b) = item.factors, used.contains("\(min(a, b)) \(max(a, b))") { continue }
            let shown =
                (Self.factors.lowerBound + generator.below(50)) * (Self.factors.lowerBound + generator.below(50))
            let trajectory = generator.pick(all) ?? .plain
            if item.isProduct, trajectory.solution == .program { item.question.golds = [String(shown)] }
            var runner = TrajectoryRunner(programs: TrajectoryPrograms { [item] _ in result(of: item, shown: shown) })
            runner.wording = wording
            let run = try await runner.run(
                trajectory, Inquiry(item.question, asking: teacher(item, trajectory), seed: 0))
            samples.append(.init(run.turns.map { ChatMessage(role: Role($0.role), content: $0.text) }))
        }
        return samples
    }

    private static func result(of item: Item, shown: Int) -> SandboxResult {
        let name = item.expression.split(separator: " ").first ?? ""
        return item.isProduct
            ? SandboxResult(output: String(shown), errors: "", status: 0, limit: nil, seconds: 0)
            : SandboxResult(
                output: "", errors: "NameError: name '\(name)' is not defined", status: 1, limit: nil, seconds: 0)
    }

    private static func teacher(_ item: Item, _ trajectory: ReasoningTrajectory) -> ScriptedModel {
        let knows = item.isProduct || trajectory.solution == .chainOfThought
        let answer = "the answer is \(knows ? item.answer : "unknown")"
        return ScriptedModel { request, index in
            guard index > 0 else {
                return trajectory.actions.filter { $0 != .verifier }.enumerated().compactMap { place, action in
                    let text: String? =
                        switch action {
                        case .queryRewriting: "the core is \(item.expression)"
                        case .planning: "first read and then solve"
                        case .chainOfThought: item.worked
                        case .program: "```python print( \(item.expression) ) ```"
                        case .directAnswering: trajectory.solution == .program ? nil : answer
                        case .verifier: nil
                        }
                    return text.map { "#### Step \(place + 1) #### \($0)" }
                }.joined(separator: " ")
            }
            return request.prompt.plainText.hasSuffix("verify") ? "no contradiction is found so it is correct" : answer
        }
    }
}
