import Laboratory
import Text

/// What goes into a verbal model or comes out of it.
package enum VerbalValue: Sendable, Hashable, Codable {
    case numbers([Double])
    case text(String)

    /// As prompts show it: numbers rounded, several of them in brackets.
    package func text(decimals: Int) -> String {
        switch self {
        case .numbers(let values):
            let texts = values.map { NumberStyle.decimals(decimals).text($0) }
            return texts.count == 1 ? texts[0] : "[" + texts.joined(separator: ", ") + "]"
        case .text(let text): return text
        }
    }
}

/// A record: what is given and what is to be predicted.
package struct VerbalPoint: Sendable, Hashable, Codable {
    package var input: VerbalValue
    package var target: VerbalValue

    package init(_ input: VerbalValue, _ target: VerbalValue) {
        self.input = input
        self.target = target
    }

    package init(_ x: Double, _ y: Double) { self.init(.numbers([x]), .numbers([y])) }
}

/// What a verbal model is to learn, in words: the sentence that every prompt keeps (θ₀) and the form of a prediction.
package struct VerbalTask: Sendable, Hashable, Codable {
    package enum Target: Sendable, Hashable, Codable {
        /// So many numbers.
        case numbers(Int)
        case labels([String])
    }

    package var sentence: String
    /// What is known beforehand, such as "The function is periodic."; empty: nothing.
    package var prior: String
    package var target: Target
    /// Digits behind the point of everything that is shown.
    package var decimals: Int

    package init(_ target: Target, sentence: String? = nil, prior: String = "", decimals: Int = 2) {
        self.target = target
        self.prior = prior
        self.decimals = decimals
        switch target {
        case .numbers(let count):
            let output = count == 1 ? "a real number" : "\(count) real numbers"
            self.sentence =
                sentence ?? "You do regression: you predict the output of a given input. The output is \(output)."
        case .labels(let labels):
            self.sentence =
                sentence ?? "You do classification: you predict the class of a given input. The classes are "
                + labels.joined(separator: ", ") + "."
        }
    }

    /// θ₀: the task's sentence and the prior. It stands before every later description.
    package var opening: String { prior.isEmpty ? sentence : "\(sentence) \(prior)" }

    /// What a prompt shows as the model's parameters: θ₀, then the descriptions learnt last. Those before are gone.
    package func parameters(_ descriptions: String) -> String {
        descriptions.isEmpty ? opening : "\(opening) \(descriptions)"
    }

    /// How prompts ask for a prediction.
    package var format: String {
        switch target {
        case .numbers(1): "a number rounded to \(decimals) decimals"
        case .numbers(let count): "a list of \(count) numbers, each rounded to \(decimals) decimals"
        case .labels(let labels): "one of the classes " + labels.joined(separator: ", ")
        }
    }

    /// A loss of a prediction: the mean squared error over the target's numbers, or 1 for a wrong class. No prediction of a class is
    /// wrong; of numbers it has no loss and is counted apart.
    package func loss(_ prediction: VerbalValue?, of target: VerbalValue) -> Double? {
        switch (prediction, target) {
        case (.numbers(let predicted), .numbers(let expected)) where predicted.count == expected.count:
            zip(predicted, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(1, expected.count))
        case (.text(let predicted), .text(let expected)): predicted == expected ? 0 : 1
        case (_, .text): 1
        default: nil
        }
    }
}

/// The mean loss over points.
package struct VerbalLoss: Sendable, Hashable, Codable {
    /// Not finite where there is no prediction at all.
    package var value: Double
    package var count: Int
    /// Points without a prediction that could be read.
    package var unread: Int

    package init(_ predictions: [VerbalValue?], of points: [VerbalPoint], _ task: VerbalTask) {
        let losses = zip(predictions, points).compactMap { task.loss($0, of: $1.target) }
        value = losses.isEmpty ? .infinity : losses.reduce(0, +) / Double(losses.count)
        count = points.count
        unread = predictions.count { $0 == nil }
    }
}

/// Why data or a file can't be learnt from or with.
public enum VerbalError: Error, Hashable, CustomStringConvertible {
    case notFinite(point: Int)
    case constantFeature(Int)
    case mixedShapes(point: Int, expected: String)
    case batchTooLarge(batch: Int, points: Int)
    case noPoints(String)
    case badCard(path: String, String)

    public var description: String {
        switch self {
        case .notFinite(let point):
            "Point \(point) holds a number that is not finite; leave such points out."
        case .constantFeature(let feature):
            "Feature \(feature) is the same number in all training points, so nothing about its scale can be learnt; leave it out."
        case .mixedShapes(let point, let expected):
            "Point \(point) has another shape than the first one, which has \(expected)."
        case .batchTooLarge(let batch, let points):
            "A batch of \(batch) points is more than the \(points) training points; give --batch-size \(points) at most."
        case .noPoints(let part): "There are no points for \(part)."
        case .badCard(let path, let reason): "\(path) is no model card of VML: \(reason)."
        }
    }
}

/// Points divided into those that are learnt from, those that choose among descriptions, and those that judge.
package struct VerbalData: Sendable {
    package var train: [VerbalPoint]
    package var validation: [VerbalPoint]
    package var test: [VerbalPoint]

    package init(train: [VerbalPoint], validation: [VerbalPoint] = [], test: [VerbalPoint]) {
        self.train = train
        self.validation = validation
        self.test = test
    }

    /// Refuses what can't be learnt from.
    package func check(batchSize: Int) throws(VerbalError) {
        guard let first = train.first else { throw .noPoints("training") }
        guard batchSize <= train.count else { throw .batchTooLarge(batch: batchSize, points: train.count) }
        for (index, point) in (train + validation + test).enumerated() {
            for value in [point.input, point.target] {
                if case .numbers(let numbers) = value, !numbers.allSatisfy(\.isFinite) {
                    throw .notFinite(point: index + 1)
                }
            }
            guard Self.shape(point) == Self.shape(first) else {
                throw .mixedShapes(point: index + 1, expected: Self.shape(first))
            }
        }
        guard case .numbers(let features) = first.input, train.count > 1 else { return }
        for feature in features.indices {
            let values = Set(train.compactMap { Self.numbers($0.input)?[feature] })
            if values.count == 1 { throw .constantFeature(feature + 1) }
        }
    }

    private static func shape(_ point: VerbalPoint) -> String {
        func name(_ value: VerbalValue) -> String {
            numbers(value).map { $0.count == 1 ? "a number" : "\($0.count) numbers" } ?? "a text"
        }
        return "\(name(point.input)) and, to be predicted, \(name(point.target))"
    }

    static func numbers(_ value: VerbalValue) -> [Double]? {
        if case .numbers(let values) = value { values } else { nil }
    }

    /// Whether an input lies between the training inputs' ends in every feature. Texts always do.
    package func isInRange(_ input: VerbalValue) -> Bool {
        guard let values = Self.numbers(input) else { return true }
        return values.indices.allSatisfy { feature in
            let seen = train.compactMap { Self.numbers($0.input)?[feature] }
            return (seen.min() ?? 0)...(seen.max() ?? 0) ~= values[feature]
        }
    }
}
