import Laboratory
import Text

/// Functions of one digit in words: what a small model can learn to follow and to rewrite in minutes. A function is a line
/// y = a·x + b, or a step with one value up to a border and another above it.
enum TinyFunction: Hashable, Sendable {
    case line(a: Int, b: Int)
    case step(border: Int, low: Int, high: Int)

    static let inputs = 0...9

    func callAsFunction(_ x: Int) -> Int {
        switch self {
        case .line(let a, let b): a * x + b
        case .step(let border, let low, let high): x > border ? high : low
        }
    }

    var isLine: Bool { if case .line = self { true } else { false } }

    static func random(isLine: Bool, using generator: inout SeededGenerator) -> TinyFunction {
        if isLine {
            // A slope of 0 would be a step without a border.
            let a = (1 + generator.below(9)) * (generator.chance(0.5) ? 1 : -1)
            return .line(a: a, b: generator.below(19) - 9)
        }
        let low = generator.below(19) - 9
        let high = (low + 9 + 1 + generator.below(18)) % 19 - 9
        return .step(border: 1 + generator.below(7), low: low, high: high)
    }

    /// The function in one of two wordings.
    func description(_ wording: Int) -> String {
        switch self {
        case .line(let a, let b):
            wording == 0 ? "multiply the input by \(a) and add \(b)" : "the output is \(a) times the input plus \(b)"
        case .step(let border, let low, let high):
            wording == 0
                ? "the output is \(high) when the input is above \(border) and \(low) otherwise"
                : "inputs above \(border) give \(high) and all others give \(low)"
        }
    }

    /// Six different inputs in order, on both sides of a step's border.
    func batch(using generator: inout SeededGenerator) -> [Int] {
        while true {
            let inputs = generator.sample(6, of: Self.inputs).sorted()
            if isLine || Set(inputs.map { self($0) }).count == 2 { return inputs }
        }
    }
}

/// The two roles' prompts and right replies over tiny functions.
enum TinyVerbalWorld {
    static let task = VerbalTask(.numbers(1), sentence: "predict a number from a number .", decimals: 0)

    static var wording: VerbalWording {
        var wording = VerbalWording(
            learner: "apply {descriptions} to {input}", optimizer: "improve {descriptions} for {rows}")
        wording.outputMarker = "output:"
        wording.descriptionsMarker = "descriptions:"
        return wording
    }

    /// Every whole number that can occur, and the sign of no prediction.
    static let words = (-99...99).map(String.init) + ["?"]

    private static func product(_ a: Int, _ x: Int) -> String { "\(a) times \(x) is \(a * x)" }
    private static func sum(_ a: Int, _ b: Int) -> String { "\(a) plus \(b) is \(a + b)" }
    private static func difference(_ a: Int, _ b: Int) -> String { "\(a) minus \(b) is \(a - b)" }

    /// Sentences of arithmetic as both roles write them: the cheapest way to learn its tables.
    private static func drill(using generator: inout SeededGenerator) -> String {
        let small = generator.below(19) - 9
        let product = (generator.below(19) - 9) * generator.below(10)
        switch generator.below(5) {
        case 0: return Self.product(small, generator.below(10))
        case 1, 2: return sum(product, small)
        // A difference of at most 9: between a value and a product, as an offset is computed, or between neighbouring values, as a slope
        // is; neighbours are rarely products.
        case 3: return difference(product + small, product)
        default:
            let value = product + generator.below(19) - 9
            return difference(value + small, value)
        }
    }

    static func learnerReply(_ function: TinyFunction, _ x: Int) -> String {
        switch function {
        case .line(let a, let b):
            "\(product(a, x)) and \(sum(a * x, b)) output: \(function(x))"
        case .step(let border, _, _): "\(x) is \(x > border ? "above" : "not above") \(border) output: \(function(x))"
        }
    }

    /// The update that a good optimizer makes: none where all is right; a line through two neighbouring inputs; of borders that
    /// the batch allows the one nearest to the present.
    static func optimizerReply(
        to truth: TinyFunction, from current: TinyFunction, _ xs: [Int], wording: Int
    ) -> String {
        if xs.allSatisfy({ truth($0) == current($0) }) {
            return "all is right descriptions: \(current.description(wording))"
        }
        switch truth {
        case .line(let a, let b):
            let place = zip(xs, xs.dropFirst()).first { $0.1 == $0.0 + 1 }?.0 ?? 0
            return "\(place) gives \(truth(place)) and \(place + 1) gives \(truth(place + 1)) . "
                + "\(difference(truth(place + 1), truth(place))) . \(product(a, place)) . "
                + "\(difference(truth(place), a * place)) so \(b) is added descriptions: "
                + truth.description(wording)
        case .step(_, let low, let high):
            let last = xs.last { truth($0) == low } ?? 0
            let first = xs.first { truth($0) == high } ?? 9
            var border = last
            if case .step(let now, _, _) = current { border = min(max(now, last), first - 1) }
            return "up to \(last) it is \(low) and from \(first) it is \(high) descriptions: "
                + TinyFunction.step(border: border, low: low, high: high).description(wording)
        }
    }

    /// Conversations of both roles, and sentences of arithmetic; none about a function to be tested on.
    static func samples(
        learner: Int, optimizer: Int, drills: Int, without tested: Set<TinyFunction>, using generator: SeededGenerator
    ) -> [WordChatModel.Sample] {
        var generator = generator
        func drawn(isLine: Bool) -> TinyFunction {
            while true {
                let function = TinyFunction.random(isLine: isLine, using: &generator)
                if !tested.contains(function) { return function }
            }
        }
        let reading = VerbalLearner(task, wording: wording, calls: VerbalCalls(ScriptedModel([])))
        let writing = VerbalOptimizer(task, wording: wording, calls: VerbalCalls(ScriptedModel([])))
        var samples: [WordChatModel.Sample] = []
        for _ in 0..<learner {
            let function = drawn(isLine: generator.chance(0.7))
            let x = generator.below(10)
            let prompt = reading.messages(
                .numbers([Double(x)]), parameters: task.parameters(function.description(generator.below(2))))
            samples.append(.init(prompt + [.assistant(learnerReply(function, x))]))
        }
        for _ in 0..<optimizer {
            let truth = drawn(isLine: generator.chance(0.6))
            let current =
                generator.chance(0.15)
                ? truth : drawn(isLine: generator.chance(0.3) ? !truth.isLine : truth.isLine)
            let wording = generator.below(2)
            let xs = truth.batch(using: &generator)
            let prompt = writing.prompt(
                xs.map { VerbalPoint(Double($0), Double(truth($0))) },
                predictions: xs.map { .numbers([Double(current($0))]) },
                parameters: task.parameters(current.description(wording)))
            samples.append(
                .init([.user(prompt), .assistant(optimizerReply(to: truth, from: current, xs, wording: wording))]))
        }
        for _ in 0..<drills {
            // "7 plus -3 is" can't be foreseen.
            samples.append(.init([.assistant(drill(using: &generator))], unpredictable: 4))
        }
        return generator.shuffled(samples)
    }

    /// Five batches of six points to learn from, and all ten inputs to test with.
    static func data(
        of function: TinyFunction, shufflesTargets: Bool, using generator: inout SeededGenerator
    ) -> VerbalData {
        let train = (0..<5).flatMap { _ in
            let xs = function.batch(using: &generator)
            let ys = shufflesTargets ? generator.shuffled(xs.map { function($0) }) : xs.map { function($0) }
            return zip(xs, ys).map { VerbalPoint(Double($0), Double($1)) }
        }
        return VerbalData(train: train, test: TinyFunction.inputs.map { VerbalPoint(Double($0), Double(function($0))) })
    }
}
