import Laboratory

/// A function whose body can be finished only by reading its examples: `return x + ` with the constant missing.
package struct ExampleOnlyFunction: Sendable, Hashable {
    package enum Operation: String, Sendable, CaseIterable {
        case plus = "+"
        case minus = "-"
        case times = "*"

        func apply(_ x: Int, _ k: Int) -> Int {
            switch self {
            case .plus: x + k
            case .minus: x - k
            case .times: x * k
            }
        }
    }

    package var operation: Operation
    /// k, the gold continuation: one digit from 2 to 9.
    package var constant: Int
    package var inputs: [Int]

    /// x⁺: signature, a docstring that tells nothing, three examples, the body up to the constant.
    package var prompt: String { text(examples: inputs) }

    /// x⁻: the same without the examples, made as `LamePrompt` makes it.
    package var lamePrompt: String { LamePrompt(.docstring)(prompt) }

    package var gold: String { String(constant) }

    private func text(examples: [Int]) -> String {
        let shown = examples.map { "    >>> f(\($0))\n    \(operation.apply($0, constant))\n" }.joined()
        return
            "def f(x):\n    \"\"\"Return the result for x.\n\n\(shown)    \"\"\"\n    return x \(operation.rawValue) "
    }

    /// Functions over all operations and constants in turn, with inputs drawn from 2 to 20.
    package static func make(_ count: Int, using generator: inout SeededGenerator) -> [ExampleOnlyFunction] {
        let all = Operation.allCases.flatMap { operation in (2...9).map { (operation, $0) } }
        var functions: [ExampleOnlyFunction] = []
        while functions.count < count {
            for (operation, constant) in generator.shuffled(all).prefix(count - functions.count) {
                functions.append(
                    ExampleOnlyFunction(
                        operation: operation, constant: constant, inputs: generator.sample(3, of: 2...20)))
            }
        }
        return functions
    }
}
