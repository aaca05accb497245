import Tensors

/// A weight [out, in] in the form it is held.
public indirect enum Weight: Sendable {
    /// Quantised, read as it is.
    case packed(PackedMatrix)
    /// f32 or bf16, multiplied in its own precision.
    case dense(Tensor)
    /// f32 numbers that are multiplied in low precision: what training in it changes.
    case mixed(Tensor)
    /// A weight with low-rank changes beside it.
    case adapted(Weight, [LowRankAdapter])

    /// [out, in]
    public var shape: Shape {
        switch self {
        case .packed(let matrix): [matrix.rows, matrix.columns]
        case .dense(let tensor), .mixed(let tensor): tensor.shape
        case .adapted(let base, _): base.shape
        }
    }

    /// The bytes it takes, adapters included.
    public var byteCount: Int {
        switch self {
        case .packed(let matrix): matrix.byteCount
        case .dense(let tensor), .mixed(let tensor): tensor.byteCount
        case .adapted(let base, let adapters):
            adapters.reduce(base.byteCount) { $0 + $1.byteCount }
        }
    }

    /// Whether products with it round their input to bf16.
    var multipliesBF16: Bool {
        switch self {
        case .packed: false
        case .dense(let tensor): tensor.dtype == .bf16 && Processor.multipliesBF16
        case .mixed: Processor.multipliesBF16
        case .adapted(let base, _): base.multipliesBF16
        }
    }

    /// The matrix that adapters stand beside, without them.
    var bareMatrix: Tensor {
        switch self {
        case .packed(let matrix): matrix.rows(0..<matrix.rows)
        case .dense(let tensor), .mixed(let tensor): tensor.detached()
        case .adapted(let base, _): base.bareMatrix
        }
    }

    /// Whether it is not held in f32, so that what stands beside it needn't be either.
    var isInBF16: Bool {
        if case .packed = self { Processor.multipliesBF16 } else { multipliesBF16 }
    }

    /// The whole matrix and the precision that `linear` is to be told, nil where adapters stand beside it. Quantised weights are widened
    /// to bf16, which takes time: for what is asked seldom.
    var matrix: (tensor: Tensor, precision: DType?)? {
        switch self {
        case .packed(let matrix): (matrix.rows(0..<matrix.rows).cast(to: .bf16), nil)
        case .dense(let tensor): (tensor, nil)
        case .mixed(let tensor): (tensor, .bf16)
        case .adapted: nil
        }
    }
}

/// What happens to activations on their way into a projection.
public enum Entrance: Sendable {
    case identity
    /// RMS normalisation with a learned scale.
    case norm(weight: Tensor, epsilon: Float)
    /// silu(gate) · up of rows that hold gate, then up.
    case swiglu
}

/// One or several linear layers over the same input: out_j = W_j · entrance(x) + b_j.
///
/// A packed weight may hold the stacked rows of several layers; dense weights stand one by one, so that each can be trained.
public struct Projection: Sendable {
    /// A weight and how its rows are shared out among layers.
    public struct Part: Sendable {
        public var weight: Weight
        public var sizes: [Int]

        public init(_ weight: Weight, sizes: [Int]) {
            self.weight = weight
            self.sizes = sizes
        }
    }

    private(set) var parts: [Part]
    private(set) var biases: [Tensor?]
    /// The layers' names in a Hugging Face folder, such as `model.layers.0.mlp.down_proj.weight`; none for a projection that
    /// isn't changed by name. A part of stacked weights has several.
    let names: [String]
    /// Low-rank changes beside each named layer, for weights that are stacked and so can't hold them; empty where there are none.
    private var adapters: [[Beside]] = []
    /// A change with the gains of the layer's rows, which stay as they are; nil for one without a magnitude.
    private struct Beside: Sendable {
        var adapter: LowRankAdapter
        var gains: Tensor?
    }
    private let stackedSizes: [Int]

    /// - Parameters:
    ///   - biases: one a layer, or none at all.
    ///   - names: one a layer, or none at all.
    ///   - stackedSizes: output features of each named layer, where one output stands for several.
    public init(_ parts: [Part], biases: [Tensor?] = [], names: [String] = [], stackedSizes: [Int] = []) {
        self.parts = parts
        self.biases = biases
        self.names = names
        self.stackedSizes = stackedSizes
    }

    /// Output features of each layer.
    public var sizes: [Int] { parts.flatMap(\.sizes) }

    /// The bytes the weights take.
    public var byteCount: Int {
        adapters.joined().reduce(parts.reduce(0) { $0 + $1.weight.byteCount }) {
            $0 + $1.adapter.byteCount
        }
    }

    /// The same layers with other weights and biases: `matrix` and `vector` get each layer's name and what it holds. Layers
    /// whose quantised weights are stacked in one matrix stay as they are.
    func replacing(
        matrix: (String, Weight) throws -> Weight, vector: (String, Tensor) throws -> Tensor
    ) rethrows -> Projection {
        var changed = self
        guard names.count == parts.count else { return self }
        for (index, name) in names.enumerated() {
            changed.parts[index].weight = try matrix(name, parts[index].weight)
            if biases.indices.contains(index), let bias = biases[index] {
                changed.biases[index] = try vector(name.biasName, bias)
            }
        }
        return changed
    }

    /// The same layers with low-rank changes beside those that `find` knows by name. The rows of A and B stand in the file's order.
    func adding(_ find: (String, Shape) throws -> LowRankAdapter?) rethrows -> Projection {
        var changed = self
        let columns = parts[0].weight.shape[1]
        var found: [[Beside]] = []
        for (index, name) in names.enumerated() {
            let adapter = try find(name, [namedSizes[index], columns])
            let beside = adapter.map {
                Beside(adapter: $0, gains: $0.magnitude == nil ? nil : $0.gains(beside: matrix(ofLayer: index)))
            }
            found.append((adapters.isEmpty ? [] : adapters[index]) + [beside].compactMap { $0 })
        }
        if found.contains(where: { !$0.isEmpty }) { changed.adapters = found }
        return changed
    }

    /// The rows of a named layer, of stacked weights, too.
    private func matrix(ofLayer index: Int) -> Tensor {
        if names.count == parts.count { return parts[index].weight.bareMatrix }
        let start = namedSizes[..<index].reduce(0, +)
        let range = start..<start + namedSizes[index]
        if case .packed(let matrix) = parts[0].weight { return matrix.rows(range) }
        return parts[0].weight.bareMatrix.rows(range)
    }

    /// Output features of each named layer, also where outputs are merged.
    private var namedSizes: [Int] {
        let all = parts.map(\.weight.shape[0])
        return names.count == parts.count ? all : sizes.count == names.count ? sizes : stackedSizes
    }

    /// Applies the layers to x [rows, in] → [rows, sizes[j]] each.
    public func callAsFunction(_ x: Tensor, entrance: Entrance = .identity) -> [Tensor] {
        guard adapters.isEmpty else { return adapted(x, entrance: entrance) }
        return plain(x, entrance: entrance)
    }

    /// The layers with their changes, which meet the input behind its entrance.
    private func adapted(_ x: Tensor, entrance: Entrance) -> [Tensor] {
        let outputs = plain(x, entrance: entrance)
        let input = enter(x, entrance)
        var sums: [Tensor] = []
        var layer = 0
        for (output, size) in zip(outputs, sizes) {
            // An output may stand for several layers side by side.
            var changes: [Tensor] = []
            var width = 0
            while width < size {
                let own = namedSizes[layer]
                let none = Tensor.zeros([x.shape[0], own])
                changes.append(
                    adapters[layer].reduce(none) { sum, beside in
                        let low = beside.adapter(input, precision: .f32)
                        guard let gains = beside.gains, let magnitude = beside.adapter.magnitude else {
                            return sum + low
                        }
                        var plain = size == own ? output : output.slice(1, width..<width + own)
                        if biases.indices.contains(layer), let bias = biases[layer] { plain = plain - bias }
                        return sum + magnitude.change(of: plain, low, gains: gains)
                    })
                width += own
                layer += 1
            }
            sums.append(output + (changes.count == 1 ? changes[0] : concatenate(changes, axis: 1)))
        }
        return sums
    }

    private func plain(_ x: Tensor, entrance: Entrance) -> [Tensor] {
        // Only a lone product of quantised weights takes the entrance in; for the others it is done once.
        let fuses = parts.allSatisfy { if case .packed = $0.weight { !x.isRecorded(with: entrance) } else { false } }
        var (input, rest) = fuses ? (x, entrance) : (enter(x, entrance), .identity)
        // Several bf16 products round their common input once. (A few rows stay in f32; see `linear`.)
        if x.shape[0] > linearFewRows, parts.allSatisfy({ $0.weight.multipliesBF16 }) { input = input.cast(to: .bf16) }
        var outputs: [Tensor] = []
        for part in parts {
            let biases = biases.isEmpty ? [] : Array(biases[outputs.count..<outputs.count + part.sizes.count])
            outputs += product(part.weight, input, entrance: rest, sizes: part.sizes, biases: biases)
        }
        return outputs
    }

    /// residual + W · entrance(x) for a single layer. The residual is the forward pass's own: where nothing is recorded for a
    /// backward pass it is changed in place.
    public func callAsFunction(_ x: Tensor, entrance: Entrance = .identity, addingTo residual: Tensor) -> Tensor {
        if case .packed(let matrix) = parts[0].weight, biases.allSatisfy({ $0 == nil }), adapters.isEmpty,
            !GradientMode.isRecording
        {
            multiply(matrix, x, entrance: entrance, into: [residual], sizes: parts[0].sizes, accumulate: true)
            return residual
        }
        return residual + self(x, entrance: entrance)[0]
    }

    private func enter(_ x: Tensor, _ entrance: Entrance) -> Tensor {
        switch entrance {
        case .identity: x
        case .norm(let weight, let epsilon): rmsNorm(x, weight, eps: epsilon)
        case .swiglu: swiglu(x)
        }
    }

    /// - Parameter biases: one a layer, or none at all.
    private func product(
        _ weight: Weight, _ x: Tensor, entrance: Entrance, sizes: [Int], biases: [Tensor?]
    ) -> [Tensor] {
        let first = biases.first ?? nil
        switch weight {
        case .packed(let matrix):
            var outputs = sizes.map { Tensor(unfilled: [x.shape[0], $0]) }
            multiply(matrix, x, entrance: entrance, into: outputs, sizes: sizes, accumulate: false)
            if x.requiresGradient { outputs = recorded(outputs, of: matrix, from: x, sizes: sizes) }
            return biases.isEmpty
                ? outputs : zip(outputs, biases).map { output, bias in bias.map { output + $0 } ?? output }
        case .dense(let weight): return [linear(x, weight, bias: first)]
        case .mixed(let weight): return [linear(x, weight, bias: first, precision: .bf16)]
        case .adapted(let base, let adapters):
            let plain = product(base, x, entrance: entrance, sizes: sizes, biases: [])[0]
            let precision: DType = base.isInBF16 ? .bf16 : .f32
            let changed = adapters.reduce(plain) { sum, adapter in
                sum
                    + adapter.change(of: x, output: plain, weight: { base.bareMatrix }, precision: precision) {
                        product(base, $0, entrance: .identity, sizes: sizes, biases: [])[0]
                    }
            }
            return [first.map { changed + $0 } ?? changed]
        }
    }

    /// Products of quantised weights, which are constants: dX = dY W in low precision.
    private func recorded(_ outputs: [Tensor], of matrix: PackedMatrix, from x: Tensor, sizes: [Int]) -> [Tensor] {
        var start = 0
        return zip(outputs, sizes).map { output, size in
            let range = start..<start + size
            start += size
            return output.recorded(from: [x]) { dy in
                [matmul(dy, matrix.rows(range), precision: .bf16)]
            }
        }
    }

    private func multiply(
        _ matrix: PackedMatrix, _ x: Tensor, entrance: Entrance, into outputs: [Tensor], sizes: [Int],
        accumulate: Bool
    ) {
        let rows = x.shape[0]
        let stride = x.shape[1]
        x.withFloatPointer { source in
            ActivationScratch.shared.with { activations in
                switch entrance {
                case .identity:
                    activations.quantise(source, rows: rows, stride: stride, for: matrix)
                case .norm(let weight, let epsilon):
                    weight.withFloatPointer {
                        activations.quantise(
                            source, rows: rows, stride: stride, for: matrix,
                            prologue: .rmsNorm(weight: $0, epsilon: epsilon))
                    }
                case .swiglu:
                    activations.quantise(source, rows: rows, stride: stride, for: matrix, prologue: .swiglu)
                }
                let pointers = outputs.map { $0.withMutableFloatPointer { $0 } }
                matrix.multiply(activations, into: pointers, sizes: sizes, accumulate: accumulate)
            }
        }
    }
}

extension Tensor {
    /// Whether a product of this tensor behind an entrance is noted for a backward pass.
    fileprivate func isRecorded(with entrance: Entrance) -> Bool {
        if case .norm(let weight, _) = entrance, weight.requiresGradient { return GradientMode.isRecording }
        return requiresGradient && GradientMode.isRecording
    }
}

extension String {
    /// The name of the bias that stands beside a weight.
    var biasName: String { hasSuffix(".weight") ? dropLast("weight".count) + "bias" : self }
}
