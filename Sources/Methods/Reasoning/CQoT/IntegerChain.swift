import Laboratory
import Text

/// A start and three steps in whole numbers: "start 7 ; add 4 ; double ; subtract 5". Signs stand between spaces, so that each is a
/// word of a small model.
package struct IntegerChain: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        case add(Int)
        case subtract(Int)
        case double

        package func callAsFunction(_ value: Int) -> Int {
            switch self {
            case .add(let number): value + number
            case .subtract(let number): value - number
            case .double: 2 * value
            }
        }

        /// What a step makes of a value when its carry or its borrow is dropped; nil where there is none.
        package func withoutCarry(_ value: Int) -> Int? {
            let unit = value % 10
            return switch self {
            case .add(let number): unit + number > 9 ? value + number - 10 : nil
            case .subtract(let number): unit < number ? value - number + 10 : nil
            case .double: unit > 4 ? 2 * value - 10 : nil
            }
        }

        /// As a problem says it.
        package var text: String {
            switch self {
            case .add(let number): "add \(number)"
            case .subtract(let number): "subtract \(number)"
            case .double: "double"
            }
        }

        /// As an equation of a plan has it.
        package var sign: String {
            switch self {
            case .add(let number): "+ \(number)"
            case .subtract(let number): "- \(number)"
            case .double: "* 2"
            }
        }

        package static func random(using generator: inout SeededGenerator) -> Step {
            let number = 1 + generator.below(9)
            return switch generator.below(3) {
            case 0: .add(number)
            case 1: .subtract(number)
            default: .double
            }
        }
    }

    /// What values may come out of a step, right or wrong.
    package static let range = 0...99

    package var start: Int
    package var steps: [Step]

    package init(start: Int, steps: [Step]) {
        self.start = start
        self.steps = steps
    }

    /// A chain one step of which carries or borrows: there is one place where its planner may slip, and slips don't move it, as they
    /// leave the last digit alone.
    package static func random(using generator: inout SeededGenerator) -> IntegerChain {
        while true {
            let chain = IntegerChain(
                start: 2 + generator.below(18), steps: (1...3).map { _ in Step.random(using: &generator) })
            let plan = ChainPlan(chain)
            let carries = plan.lines.filter { $0.step.withoutCarry($0.from) != nil }
            if carries.count == 1, plan.isInRange, ChainPlan(chain, slip: .carry, using: &generator).isInRange {
                return chain
            }
        }
    }

    /// So many chains, none twice.
    package static func distinct(_ count: Int, using generator: SeededGenerator) -> [IntegerChain] {
        var generator = generator
        return Laboratory.distinct(count, by: \.self) { _ in random(using: &generator) }
    }

    package var result: Int { steps.reduce(start) { $1($0) } }

    package var text: String { (["start \(start)"] + steps.map(\.text)).joined(separator: " ; ") }

    package func question(_ id: String = "chain") -> Question {
        Question(id: id, text, kind: .number, golds: ["\(result)"], subject: "arithmetic")
    }
}

/// A plan for a chain: an equation a step, "7 + 4 = 11 ; 11 * 2 = 22 ; 22 - 5 = 17".
package struct ChainPlan: Sendable, Hashable {
    package struct Line: Sendable, Hashable {
        package var from: Int
        package var step: IntegerChain.Step
        package var to: Int

        package var isValid: Bool { step(from) == to }
    }

    /// What is wrong with one step of a plan; the steps behind it go on from its value.
    package enum Slip: Sendable, Hashable, CaseIterable {
        /// The carry or borrow of a step is dropped.
        case carry
        /// Any other value up to nine from the right one.
        case value
        /// A step that the problem doesn't have in its place.
        case misreading
    }

    package var lines: [Line]

    package var text: String {
        lines.map { "\($0.from) \($0.step.sign) = \($0.to)" }.joined(separator: " ; ")
    }

    /// The right plan.
    package init(_ chain: IntegerChain) { self.init(from: chain.start, chain.steps) }

    /// A plan with one corrupted step.
    package init(_ chain: IntegerChain, slip: Slip, using generator: inout SeededGenerator) {
        let right = ChainPlan(chain)
        let place = generator.below(chain.steps.count)
        switch slip {
        case .carry:
            let carry = right.lines.firstIndex { $0.step.withoutCarry($0.from) != nil } ?? place
            let line = right.lines[carry]
            self.init(from: chain.start, chain.steps, (carry, line.step.withoutCarry(line.from) ?? line.to))
        case .value:
            let away = (1 + generator.below(9)) * (generator.chance(0.5) ? 1 : -1)
            self.init(from: chain.start, chain.steps, (place, right.lines[place].to + away))
        case .misreading:
            var steps = chain.steps
            while steps[place] == chain.steps[place] { steps[place] = .random(using: &generator) }
            self.init(from: chain.start, steps)
        }
    }

    /// Reads a plan as it is written; nil where it is none.
    package init?(_ text: String) {
        var lines: [Line] = []
        for part in text.split(separator: ";") {
            let words = part.split(separator: " ")
            guard words.count == 5, words[3] == "=", let from = Int(words[0]), let number = Int(words[2]),
                let to = Int(words[4])
            else { return nil }
            switch words[1] {
            case "+": lines.append(Line(from: from, step: .add(number), to: to))
            case "-": lines.append(Line(from: from, step: .subtract(number), to: to))
            case "*" where number == 2: lines.append(Line(from: from, step: .double, to: to))
            default: return nil
            }
        }
        if lines.isEmpty { return nil }
        self.lines = lines
    }

    /// - Parameter slip: the place of a step that has another value than its own.
    private init(from start: Int, _ steps: [IntegerChain.Step], _ slip: (place: Int, value: Int)? = nil) {
        lines = []
        for (place, step) in steps.enumerated() {
            let from = lines.last?.to ?? start
            lines.append(Line(from: from, step: step, to: slip?.place == place ? slip?.value ?? 0 : step(from)))
        }
    }

    package var isInRange: Bool { lines.allSatisfy { IntegerChain.range.contains($0.to) } }

    /// Whether the plan is the chain's and comes to its result.
    package func isRight(for chain: IntegerChain) -> Bool { verdicts(on: chain).allSatisfy { $0 } }

    /// What the eight critical questions, in their order, make of the plan.
    package func verdicts(on chain: IntegerChain) -> [Bool] {
        let starts = lines.first?.from == chain.start
        let isBacked = lines.map(\.step) == chain.steps
        let isConnected = zip(lines, lines.dropFirst()).allSatisfy { $0.to == $1.from }
        let isValid = lines.allSatisfy(\.isValid)
        let isPlausible = lines.last?.to == chain.result
        return [
            // Premises are the start and the problem's steps.
            starts, isBacked,
            // Each step takes up the value before it and computes rightly.
            isConnected, isValid,
            // Nothing at all is wrong.
            starts && isBacked && isConnected && isValid,
            // The result is what the premises lead to, by the rules of arithmetic, and the right one.
            starts && isBacked && isConnected && isValid && isPlausible, isValid, isPlausible,
        ]
    }

    /// The critic's reply with these verdicts.
    package static func reply(_ verdicts: [Bool]) -> String {
        verdicts.enumerated().map { "\($0 + 1). \($1 ? "Yes" : "No")" }.joined(separator: " ")
    }
}
