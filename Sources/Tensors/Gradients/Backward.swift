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

    func gradient(of node: GradientNode) -> Tensor? { entries[ObjectIdentifier(node)]?.gradient }
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
    ///   - observer: sees what each linear layer's backward has in hand; see `LinearObserver`.
    /// - Complexity: one visit of each operation between this tensor and the leaves.
    public func backward(
        _ gradient: Tensor? = nil, retaining: [Tensor] = [], observer: LinearObserver? = nil
    ) -> Gradients {
        guard let root = node else { return Gradients() }
        precondition(gradient != nil || count == 1, "backward from a tensor of shape \(shape) needs its gradient")
        let start = (gradient ?? Tensor.full(1, shape)).detached()
        precondition(start.shape == shape, "a gradient of shape \(start.shape) for a tensor of shape \(shape)")
        let kept = Set(retaining.compactMap { $0.node.map(ObjectIdentifier.init) })
        var result = Gradients()
        propagate(start, from: root, keeping: kept, into: &result, observer: observer)
        return result
    }

    /// Adds factor · ∂self/∂leaf to the gradients of earlier parts of a batch, for every leaf this number was made from, and lets go
    /// of everything the graph kept for that as it goes: with the least memory, and once only. Nobody else may run the same graph backward,
    /// before or after.
    public func accumulateGradients(
        into gradients: inout Gradients, factor: Float = 1, observer: LinearObserver? = nil
    ) {
        precondition(count == 1, "gradients of a tensor of shape \(shape), which is not one number")
        guard let root = node else { return }
        propagate(
            Tensor.full(factor, shape), from: root, consumes: true, into: &gradients, observer: observer)
    }
}

/// Sends a gradient back from `root` and adds what arrives at the leaves and at the nodes kept to `result`. Nodes numbered `floor`
/// or less count as leaves. `consumes`: each node lets go of what it saved once it has been passed.
func propagate(
    _ gradient: Tensor, from root: GradientNode, keeping kept: Set<ObjectIdentifier> = [], floor: Int = 0,
    consumes: Bool = false, into result: inout Gradients, observer: LinearObserver?
) {
    func isLeaf(_ node: GradientNode) -> Bool { node.backward == nil || node.number <= floor }
    if isLeaf(root) { return result.accumulate(gradient.contiguous(), for: root) }
    var pending = Gradients()
    pending.accumulate(gradient, for: root)
    GradientMode.withoutGradients {
        var rest = Array(reachable(from: root, floor: floor).reversed())
        while let node = rest.popLast() {
            guard !isLeaf(node), let gradient = pending.take(node)?.contiguous(), let rule = node.backward else {
                continue
            }
            if kept.contains(ObjectIdentifier(node)) { result.accumulate(gradient, for: node) }
            let gradients = rule(gradient, observer)
            precondition(gradients.count == node.inputs.count, "an operation's backward gives one gradient an input")
            for (input, gradient) in zip(node.inputs, gradients) {
                guard let input, let gradient = gradient?.detached() else { continue }
                // Leaves would wait to the end: their gradients go where they belong at once, and make room.
                if isLeaf(input) {
                    result.accumulate(gradient.contiguous(), for: input)
                } else {
                    pending.accumulate(gradient, for: input)
                }
            }
            if consumes { node.release() }
        }
    }
}

/// Every node the root depends on, latest first, without looking past those numbered `floor` or less.
func reachable(from root: GradientNode, floor: Int = 0) -> [GradientNode] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    var found = [root]
    var next = 0
    while next < found.count {
        let node = found[next]
        next += 1
        if node.number <= floor { continue }
        for case let input? in node.inputs where seen.insert(ObjectIdentifier(input)).inserted {
            found.append(input)
        }
    }
    return found.sorted { $0.number > $1.number }
}
