import Foundation
import Laboratory

/// The tasks of the paper that are made from a formula, 100 points each.
public enum ReferenceTask: String, OptionChoice {
    case none
    /// y = 4 + 3x + 0.1ε, x in 0…2
    case linear
    /// y = 3x² + x + 2 + ε, x in −3…1
    case quadratic
    /// y = sin x + 2 + 0.01ε, x in −3…3
    case sine
    /// Two clouds in the plane.
    case blobs
    /// A circle within another.
    case circles

    /// Test points of regressions lie on a grid of 40 that goes beyond the training range on both sides; those of classifications are
    /// drawn as the others are.
    package func data(points: Int = 100, using generator: SeededGenerator) -> (VerbalTask, VerbalData) {
        var generator = generator
        switch self {
        case .none, .linear: return regression(0, 2, 1, noise: 0.1, points, &generator) { 4 + 3 * $0 }
        case .quadratic: return regression(-3, 1, 1, noise: 1, points, &generator) { 3 * $0 * $0 + $0 + 2 }
        case .sine: return regression(-3, 3, 3, noise: 0.01, points, &generator) { sin($0) + 2 }
        case .blobs, .circles:
            func point() -> VerbalPoint {
                let isFirst = generator.chance(0.5)
                let label = VerbalValue.text(isFirst ? "blue" : "red")
                if self == .blobs {
                    let centre = isFirst ? 1.0 : 4.0
                    return VerbalPoint(
                        .numbers([centre + 0.7 * generator.gaussian(), centre + 0.7 * generator.gaussian()]), label)
                }
                let (angle, radius) = (2 * Double.pi * generator.uniform(), isFirst ? 0.4 : 1.0)
                return VerbalPoint(
                    .numbers([
                        radius * cos(angle) + 0.03 * generator.gaussian(),
                        radius * sin(angle) + 0.03 * generator.gaussian(),
                    ]), label)
            }
            let train = (0..<points).map { _ in point() }
            return (
                VerbalTask(.labels(["blue", "red"])), VerbalData(train: train, test: (0..<40).map { _ in point() })
            )
        }
    }

    private func regression(
        _ low: Double, _ high: Double, _ margin: Double, noise: Double, _ points: Int,
        _ generator: inout SeededGenerator, _ f: (Double) -> Double
    ) -> (VerbalTask, VerbalData) {
        let train = (0..<points).map { _ in
            let x = low + (high - low) * generator.uniform()
            return VerbalPoint(x, f(x) + noise * generator.gaussian())
        }
        let test = (0..<40).map { place in
            let x = low - margin + (high - low + 2 * margin) * Double(place) / 39
            return VerbalPoint(x, f(x))
        }
        return (VerbalTask(.numbers(1)), VerbalData(train: train, test: test))
    }
}
