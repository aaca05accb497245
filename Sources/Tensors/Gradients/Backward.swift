/// Gradients of a loss, found by the tensor they belong to.
public struct Gradients: Sendable {
    private var entries: [ObjectIdentifier: (node: GradientNode, gradient: Tensor)] = [:]

    public init() {}

    /// ∂loss/∂tensor in the tensor's shape, f32; nil when the loss doesn't depend on it.
    public subscript(tensor: Tensor) -> Tensor? {
        guard let node = tensor.node else { return nil }
        return entries[ObjectIdentifier(node)]?.gradient
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// Adds the gradients of another part of the batch.
    public mutating func add(_ other: Gradients, scale: Float = 1) {
        for entry in other.entries.values {
            accumulate(scale == 1 ? entry.gradient : entry.gradient * scale, for: entry.node)
        }
    }

    /// Multiplies every gradient by a factor, as clipping does.
    public mutating func scale(by factor: Float) {
        entries = entries.mapValues { ($0.node, $0.gradient * factor) }
    }

    /// √ Σ g² over every gradient.
    public var norm: Float {
        entries.values.reduce(0) { $0 + dot($1.gradient, $1.gradient) }.squareRoot()
    }

    fileprivate mutating func accumulate(_ gradient: Tensor, for node: GradientNode) {
        let key = ObjectIdentifier(node)
        guard var sum = entries.removeValue(forKey: key)?.gradient else {
            entries[key] = (node, gradient)
            return
        }
        sum.addReusing(gradient)
        entries[key] = (node, sum)
    }

    fileprivate mutating func take(_ node: GradientNode) -> Tensor? {
        entries.removeValue(forKey: ObjectIdentifier(node))?.gradient
    }

    fileprivate func gradient(of node: GradientNode) -> Tensor? { entries[ObjectIdentifier(node)]?.gradient }
}

extension Tensor {
    /// self += other, written over this tensor's own numbers when nobody else looks at them.
    fileprivate mutating func addReusing(_ other: Tensor) {
        let whole = isContiguous && dtype == .f32 && count * 4 == storage.byteCount
        if whole && other.isContiguous && isKnownUniquelyReferenced(&storage) {
            accumulate(other)
        } else {
            self = self + other
        }
    }
}

extension Tensor {
    /// The gradients of this number with respect to every leaf it was made from (`requiringGradient`), and to the
    /// intermediate results listed in `retaining`.
    ///
    /// - Parameters:
    ///   - gradient: ∂loss/∂self; 1 when nil, and then this tensor must hold one number.
    ///   - retaining: results inside the graph whose gradients are wanted too.
    /// - Complexity: one visit of each operation between this tensor and the leaves.
    public func backward(_ gradient: Tensor? = nil, retaining: [Tensor] = []) -> Gradients {
        guard let root = node else { return Gradients() }
        precondition(gradient != nil || count == 1, "backward from a tensor of shape \(shape) needs its gradient")
        let kept = Set(retaining.compactMap { $0.node.map(ObjectIdentifier.init) })
        var pending = Gradients()
        var result = Gradients()
        pending.accumulate((gradient ?? Tensor.full(1, shape)).detached(), for: root)
        GradientMode.withoutGradients {
            for node in reachable(from: root) {
                guard let gradient = pending.take(node) else { continue }
                if node.backward == nil || kept.contains(ObjectIdentifier(node)) {
                    result.accumulate(gradient.contiguous(), for: node)
                }
                guard let rule = node.backward else { continue }
                let gradients = rule(gradient.contiguous())
                precondition(
                    gradients.count == node.inputs.count, "an operation's backward gives one gradient an input")
                for (input, gradient) in zip(node.inputs, gradients) {
                    if let input, let gradient { pending.accumulate(gradient.detached(), for: input) }
                }
            }
        }
        return result
    }
}

/// Every node the root depends on, latest first.
private func reachable(from root: GradientNode) -> [GradientNode] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    var found = [root]
    var next = 0
    while next < found.count {
        for case let input? in found[next].inputs where seen.insert(ObjectIdentifier(input)).inserted {
            found.append(input)
        }
        next += 1
    }
    return found.sorted { $0.number > $1.number }
}
