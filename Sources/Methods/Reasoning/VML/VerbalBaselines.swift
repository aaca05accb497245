import Foundation
import Inference
import Laboratory

/// What verbal models are compared with.
public enum VerbalBaseline: String, OptionChoice {
    /// All training points in the prompt of each prediction.
    case inContext = "in-context"
    /// Descriptions proposed without the model's errors, the best on the training points kept (prompt search in the way of APE).
    case propose
    /// Least squares.
    case classical
}

/// The baselines of a verbal model.
package struct VerbalBaselines: Sendable {
    package var learner: VerbalLearner
    package var optimizer: VerbalOptimizer
    /// Descriptions that `propose` chooses among.
    package var candidates = 5

    package init(learner: VerbalLearner, optimizer: VerbalOptimizer) {
        self.learner = learner
        self.optimizer = optimizer
    }

    package func predictions(_ baseline: VerbalBaseline, _ data: VerbalData) async throws -> [VerbalValue?] {
        switch baseline {
        case .inContext: try await inContext(data)
        case .propose: try await proposed(data)
        case .classical: LeastSquares.predictions(data, learner.task.target)
        }
    }

    private func inContext(_ data: VerbalData) async throws -> [VerbalValue?] {
        let decimals = learner.task.decimals
        let pairs = data.train.map { "\($0.input.text(decimals: decimals)) -> \($0.target.text(decimals: decimals))" }
        let parameters =
            learner.task.opening + " These inputs have these outputs:\n" + pairs.joined(separator: "\n")
        return try await learner.predictAll(data.test, parameters: parameters, as: "in-context").map(\.value)
    }

    /// Each candidate is asked for with the first batch's pairs and no predictions, so nothing is learnt from errors.
    private func proposed(_ data: VerbalData) async throws -> [VerbalValue?] {
        let task = learner.task
        var best: (descriptions: String, loss: Double) = ("", .infinity)
        for candidate in 1...max(1, candidates) {
            var proposer = optimizer
            proposer.calls.temperature = max(1, proposer.calls.temperature)
            let shown = Array(data.train.prefix(10))
            let update = try await proposer.update(
                shown, predictions: shown.map { _ in nil }, parameters: task.opening, memory: [],
                as: "proposal \(candidate)")
            guard let descriptions = update.descriptions else { continue }
            let found = try await learner.predictAll(
                data.train, parameters: task.parameters(descriptions), as: "proposal \(candidate)")
            let loss = VerbalLoss(found.map(\.value), of: data.train, task).value
            if loss < best.loss { best = (descriptions, loss) }
        }
        return try await learner.predictAll(
            data.test, parameters: task.parameters(best.descriptions), as: "proposed"
        ).map(\.value)
    }
}

/// A classical fit: least squares over 1, the features, their squares and products; classes by the largest of one regression a
/// class (a quadratic discriminant by regression). Where the points are too few for squares, features alone.
package enum LeastSquares {
    package static func predictions(_ data: VerbalData, _ target: VerbalTask.Target) -> [VerbalValue?] {
        let inputs = data.train.compactMap { VerbalData.numbers($0.input) }
        let tests = data.test.map { VerbalData.numbers($0.input) }
        guard inputs.count == data.train.count, let width = inputs.first?.count else { return tests.map { _ in nil } }
        let isQuadratic = inputs.count > (width + 1) * (width + 2) / 2
        let rows = inputs.map { features($0, isQuadratic) }
        switch target {
        case .numbers(let count):
            let weights = (0..<count).map { column in
                solve(rows, data.train.map { VerbalData.numbers($0.target)?[column] ?? 0 })
            }
            return tests.map { input in
                input.map { input in .numbers(weights.map { dot($0, features(input, isQuadratic)) }) }
            }
        case .labels(let labels):
            let weights = labels.map { label in solve(rows, data.train.map { $0.target == .text(label) ? 1 : 0 }) }
            return tests.map { input in
                guard let input else { return nil }
                let scores = weights.map { dot($0, features(input, isQuadratic)) }
                return scores.indices.max { scores[$0] < scores[$1] }.map { .text(labels[$0]) }
            }
        }
    }

    private static func features(_ x: [Double], _ isQuadratic: Bool) -> [Double] {
        var row = [1] + x
        if isQuadratic { for i in x.indices { for j in i..<x.count { row.append(x[i] * x[j]) } } }
        return row
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    /// The normal equations (XᵀX + εI) w = Xᵀy by Gaussian elimination; ε keeps features that depend on each other solvable.
    package static func solve(_ rows: [[Double]], _ y: [Double]) -> [Double] {
        let width = rows.first?.count ?? 0
        var matrix = (0..<width).map { i in
            (0..<width).map { j in rows.reduce(0) { $0 + $1[i] * $1[j] } + (i == j ? 1e-9 : 0) }
                + [zip(rows, y).reduce(0) { $0 + $1.0[i] * $1.1 }]
        }
        for pivot in 0..<width {
            let best = (pivot..<width).max { abs(matrix[$0][pivot]) < abs(matrix[$1][pivot]) } ?? pivot
            matrix.swapAt(pivot, best)
            guard matrix[pivot][pivot] != 0 else { continue }
            for row in 0..<width where row != pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot]
                if factor != 0 { for column in pivot...width { matrix[row][column] -= factor * matrix[pivot][column] } }
            }
        }
        return (0..<width).map { matrix[$0][$0] == 0 ? 0 : matrix[$0][width] / matrix[$0][$0] }
    }
}
