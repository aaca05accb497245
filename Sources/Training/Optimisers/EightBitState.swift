import Tensors

/// Numbers held in 8 bits each: blocks of 256, each with its largest magnitude in f32, and a code for the share of it (block-wise dynamic
/// quantisation, Dettmers et al. 2022). The codes lie close together near 0 and apart near 1, so that small numbers beside large ones keep their
/// order of magnitude.
package struct EightBitCodes: Sendable {
    static let block = 256

    /// 256 values from -1 or 0 to 1, rising.
    package let values: [Float]
    /// Halfway between neighbours.
    private let bounds: [Float]

    /// Of numbers of both signs.
    package static let signed = EightBitCodes(isSigned: true)
    /// Of numbers from 0 up.
    package static let unsigned = EightBitCodes(isSigned: false)

    /// Seven decades; decade k, from the smallest, is cut into 2ᵏ (signed) or 2ᵏ⁺¹ parts whose middles are values; with 0 and 1.
    private init(isSigned: Bool) {
        var values: [Float] = [0, 1]
        for decade in 0..<7 {
            let parts = 1 << (isSigned ? decade : decade + 1)
            let size = (decade..<6).reduce(Float(1)) { value, _ in value / 10 }
            for part in 0..<parts {
                let value = (0.1 + 0.9 * (Float(part) + 0.5) / Float(parts)) * size
                values.append(value)
                if isSigned { values.append(-value) }
            }
        }
        self.values = values.sorted()
        bounds = zip(self.values, self.values.dropFirst()).map { ($0 + $1) / 2 }
    }

    /// The code whose value is nearest.
    package func code(_ share: Float) -> UInt8 {
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < share { low = middle + 1 } else { high = middle }
        }
        return UInt8(low)
    }
}

/// A state of 8-bit numbers in the tensors of a parameter's state: `name` holds four codes in the place of each f32, so that checkpoints keep
/// them to the bit, `name scales` one number a block.
struct EightBitState {
    let codes: Tensor
    let scales: Tensor
    let map: EightBitCodes
    let count: Int

    init(_ name: String, count: Int, map: EightBitCodes, state: inout ParameterState) {
        self.map = map
        self.count = count
        let isNew = state.tensors[name] == nil
        codes = state.tensor(name, [(count + 3) / 4])
        scales = state.tensor(name + " scales", [(count + EightBitCodes.block - 1) / EightBitCodes.block])
        if isNew {
            let zero = map.code(0)
            codes.withMutableBytes { bytes in for place in bytes.indices { bytes[place] = zero } }
        }
    }

    func read(_ block: Int, into numbers: UnsafeMutableBufferPointer<Float>) {
        let start = block * EightBitCodes.block
        let scale = scales.withFloats { $0[block] }
        codes.withBytes { bytes in
            for place in numbers.indices { numbers[place] = map.values[Int(bytes[start + place])] * scale }
        }
    }

    /// - Parameter isDivisor: numbers above 0 become no 0.
    func write(_ block: Int, _ numbers: UnsafeMutableBufferPointer<Float>, isDivisor: Bool = false) {
        let start = block * EightBitCodes.block
        let largest = numbers.reduce(0) { max($0, abs($1)) }
        scales.withMutableFloats { $0[block] = largest }
        let inverse = largest > 0 ? 1 / largest : 0
        codes.withMutableBytes { bytes in
            for place in numbers.indices {
                let code = map.code(numbers[place] * inverse)
                bytes[start + place] = isDivisor && numbers[place] > 0 ? max(code, 1) : code
            }
        }
    }
}

/// AdamW whose means take 8 bits a number, with a scale for each block of 256: about 2 bytes a parameter instead of 8 (Dettmers et al. 2022).
/// Vectors and small matrices, where a byte matters less than an error, keep f32.
public struct EightBitAdamW: Optimiser {
    public var exact: AdamW
    /// Parameters with fewer numbers keep their state in f32.
    public var leastCount: Int

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, leastCount: Int = 4096) {
        exact = AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon)
        self.leastCount = leastCount
    }

    public func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep) {
        let count = gradient.count
        guard count >= leastCount, parameter.isMatrix else {
            return exact.update(parameter, gradient: gradient, state: &state, step: step)
        }
        let mean = EightBitState("mean", count: count, map: .signed, state: &state)
        // The root of the mean square: half as many decades to hold as the square itself has.
        let root = EightBitState("root", count: count, map: .unsigned, state: &state)
        let rule = exact.step(step)
        let numbers = parameter.tensor.detached()
        numbers.withMutableFloats { p in
            gradient.withFloats { g in
                nonisolated(unsafe) let (p, g) = (p, g)
                parallel((count + EightBitCodes.block - 1) / EightBitCodes.block) { block in
                    Self.move(block, p, g, mean: mean, root: root, rule)
                }
            }
        }
    }

    /// One block's step of Adam, in f32 between two roundings.
    private static func move(
        _ block: Int, _ p: UnsafeMutableBufferPointer<Float>, _ g: UnsafeBufferPointer<Float>, mean: EightBitState,
        root: EightBitState, _ rule: AdamWStep
    ) {
        let start = block * EightBitCodes.block
        let size = min(EightBitCodes.block, p.count - start)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * size) { scratch in
            let m = UnsafeMutableBufferPointer(rebasing: scratch[..<size])
            let v = UnsafeMutableBufferPointer(rebasing: scratch[size...])
            mean.read(block, into: m)
            root.read(block, into: v)
            let (first, second) = (1 / rule.corrections.first, 1 / rule.corrections.second.squareRoot())
            for k in 0..<size {
                let gradient = g[start + k]
                m[k] = rule.beta1 * m[k] + (1 - rule.beta1) * gradient
                v[k] = (rule.beta2 * v[k] * v[k] + (1 - rule.beta2) * gradient * gradient).squareRoot()
                let move = m[k] * first / (v[k] * second + rule.epsilon)
                p[start + k] = p[start + k] * (1 - rule.rate * rule.decay) - rule.rate * move
            }
            mean.write(block, m)
            root.write(block, v, isDivisor: true)
        }
    }
}
