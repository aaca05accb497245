import Tensors

/// Which samples each step of a run takes: all of them in an order drawn anew for every epoch, as many a step as asked for. The order
/// depends on the seed and the step alone, so a run that goes on after an interruption takes what it would have taken.
package struct DataOrder {
    package let count: Int
    package let perStep: Int
    package let seed: UInt64
    package let shuffles: Bool
    /// How many samples are taken in all; nil: without end.
    private let limit: Int?
    /// The order of the epoch looked at last.
    private var epoch = -1
    private var order: [Int] = []

    /// - Parameter epochs: how often every sample is taken; nil: without end.
    package init(count: Int, perStep: Int, seed: UInt64, shuffles: Bool = true, epochs: Double? = nil) {
        precondition(count > 0 && perStep > 0)
        self.count = count
        self.perStep = perStep
        self.seed = seed
        self.shuffles = shuffles
        limit = epochs.map { Self.limit(count, $0) }
    }

    private static func limit(_ count: Int, _ epochs: Double) -> Int {
        max(1, Int((Double(count) * epochs).rounded()))
    }

    /// How many steps take every sample so often.
    package static func steps(count: Int, perStep: Int, epochs: Double) -> Int {
        (limit(count, epochs) + perStep - 1) / perStep
    }

    /// How many steps there are; nil: without end.
    package var steps: Int? { limit.map { ($0 + perStep - 1) / perStep } }

    /// The samples of a step, counted from 1. Steps go on over the end of an epoch; the very last one may have fewer samples.
    package mutating func samples(ofStep step: Int) -> [Int] {
        let first = (step - 1) * perStep
        return (first..<min(first + perStep, limit ?? .max)).map { place in
            guard shuffles else { return place % count }
            if place / count != epoch {
                epoch = place / count
                order = Array(0..<count)
                var generator = SplitMixGenerator(seed: seed &+ UInt64(epoch) &* 0xd134_2543_de82_ef95)
                order.shuffle(using: &generator)
            }
            return order[place % count]
        }
    }
}
