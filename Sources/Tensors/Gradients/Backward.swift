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

    mutating func accumulate(_ gradient: Tensor, for node: GradientNode) {
        let key = ObjectIdentifier(node)
        guard var sum = entries.removeValue(forKey: key)?.gradient else {
            entries[key] = (node, gradient)
            return
        }
        sum.addReusing(gradient)
        entries[key] = (node, sum)
    }

    mutating func take(_ node: GradientNode) -> Tensor? {
        entries.removeValue(forKey: ObjectIdentifier(node))?.gradient
    }

    /// Removes and gives ∂loss/∂tensor.
    package mutating func take(_ tensor: Tensor) -> Tensor? { tensor.node.flatMap { take($0) } }

    /// Removes and gives a sum that nobody else looks at.
    fileprivate mutating func takeUnshared(_ node: GradientNode) -> Tensor? {
        guard var sum = take(node) else { return nil }
        if sum.isUnshared { return sum }
        accumulate(sum, for: node)
        return nil
    }
}

/// Hears of leaves while a backward pass goes on: of each one as soon as the pass adds nothing more to its gradient.
package struct FinalGradients {
    fileprivate let places: [ObjectIdentifier: Int]
    fileprivate let body: (_ place: Int, _ gradient: consuming Tensor) -> Void

    /// - Parameter body: gets a leaf's place among these and its gradient, the sum of earlier parts included, which is taken out of the pass's
    ///   gradients for that. Leaves that this part of the batch doesn't reach are not heard of.
    package init(of leaves: [Tensor], _ body: @escaping (_ place: Int, _ gradient: consuming Tensor) -> Void) {
        places = Dictionary(
            leaves.enumerated().compactMap { place, leaf in leaf.node.map { (ObjectIdentifier($0), place) } },
            uniquingKeysWith: { first, _ in first })
        self.body = body
    }
}

extension Tensor {
    /// self += other, written over this tensor's own numbers when nobody else looks at them.
    fileprivate mutating func addReusing(_ other: Tensor) {
        if other.isContiguous && isUnshared {
            accumulate(other)
        } else {
            self = self + other
        }
    }

    /// Whether these are f32 numbers in row-major order in memory of their own that nobody else looks at.
    fileprivate var isUnshared: Bool {
        mutating get {
            isContiguous && dtype == .f32 && count * 4 == storage.byteCount && isKnownUniquelyReferenced(&storage)
        }
    }

    /// The same f32 numbers in memory that nobody else looks at: its own, where that is so.
    package consuming func unshared() -> Tensor { isUnshared ? self : copied() }

    /// factor · self, in this tensor's own memory when nobody else looks at it. Outside the gradient graph.
    package consuming func multiplied(by factor: Float) -> Tensor {
        if factor == 1 { return self }
        let result = unshared()
        result.scale(by: factor)
        return result
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
        accumulateGradients(into: &gradients, factor: factor, observer: observer, final: nil)
    }

    /// The same for the last part of a batch.
    /// - Parameter final: hears of leaves whose gradients are done.
    package func accumulateGradients(
        into gradients: inout Gradients, factor: Float = 1, observer: LinearObserver? = nil,
        final watch: FinalGradients?
    ) {
        precondition(count == 1, "gradients of a tensor of shape \(shape), which is not one number")
        guard let root = node else { return }
        propagate(
            Tensor.full(factor, shape), from: root, consumes: true, into: &gradients, observer: observer, final: watch)
    }
}

/// A pass backward through the graph, as the rules of operations see it. Used by one thread.
final class BackwardPass {
    let observer: LinearObserver?
    /// What has arrived at the leaves and at the nodes kept.
    fileprivate var result: Gradients
    /// What has arrived at the operations that the pass hasn't come to yet.
    fileprivate var pending = Gradients()
    /// Nodes numbered like this or less count as leaves.
    private let floor: Int
    /// The one whose rule runs now.
    private var node: GradientNode?

    fileprivate init(result: consuming Gradients, floor: Int, observer: LinearObserver?) {
        self.result = result
        self.floor = floor
        self.observer = observer
    }

    /// The sum of what has arrived so far for an input of the operation whose rule asks, in the input's shape. The rule adds its own part
    /// in place and gives the sum as its gradient. nil where nothing has arrived yet, or others look at it: the rule then gives its part alone.
    func takeSum(_ input: Int) -> Tensor? {
        guard let input = node?.inputs[input] else { return nil }
        return isLeaf(input) ? result.takeUnshared(input) : pending.takeUnshared(input)
    }

    fileprivate func isLeaf(_ node: GradientNode) -> Bool { node.backward == nil || node.number <= floor }

    fileprivate func run(_ node: GradientNode, keeps: Bool) {
        guard let gradient = pending.take(node)?.contiguous(), let rule = node.backward else { return }
        if keeps { result.accumulate(gradient, for: node) }
        self.node = node
        let gradients = rule(gradient, self)
        self.node = nil
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
    }
}

/// Sends a gradient back from `root` and adds what arrives at the leaves and at the nodes kept to `result`. Nodes numbered `floor`
/// or less count as leaves. `consumes`: each node lets go of what it saved once it has been passed.
func propagate(
    _ gradient: Tensor, from root: GradientNode, keeping kept: Set<ObjectIdentifier> = [], floor: Int = 0,
    consumes: Bool = false, into result: inout Gradients, observer: LinearObserver?,
    final watch: FinalGradients? = nil
) {
    let pass = BackwardPass(result: result, floor: floor, observer: observer)
    result = Gradients()
    defer { swap(&result, &pass.result) }
    if pass.isLeaf(root) { return pass.result.accumulate(gradient.contiguous(), for: root) }
    pass.pending.accumulate(gradient, for: root)
    GradientMode.withoutGradients {
        var rest = Array(reachable(from: root, floor: floor).reversed())
        var uses = watch?.uses(by: rest.lazy.filter { !pass.isLeaf($0) }) ?? [:]
        while let node = rest.popLast() {
            guard !pass.isLeaf(node) else { continue }
            let watched = uses.isEmpty ? [] : node.inputs.compactMap { $0 }.filter { uses[ObjectIdentifier($0)] != nil }
            pass.run(node, keeps: kept.contains(ObjectIdentifier(node)))
            if consumes { node.release() }
            // Behind the pass, where nobody else holds the gradients any more.
            for leaf in watched { watch?.settle(leaf, &uses, &pass.result) }
        }
    }
}

extension FinalGradients {
    /// How often each leaf is read by these operations.
    fileprivate func uses(by nodes: some Sequence<GradientNode>) -> [ObjectIdentifier: Int] {
        var uses: [ObjectIdentifier: Int] = [:]
        for node in nodes {
            for case let input? in node.inputs where places[ObjectIdentifier(input)] != nil {
                uses[ObjectIdentifier(input), default: 0] += 1
            }
        }
        return uses
    }

    /// One use of a leaf is behind the pass.
    fileprivate func settle(_ leaf: GradientNode, _ uses: inout [ObjectIdentifier: Int], _ result: inout Gradients) {
        let key = ObjectIdentifier(leaf)
        guard let left = uses[key] else { return }
        uses[key] = left > 1 ? left - 1 : nil
        guard left == 1, let place = places[key], let gradient = result.take(leaf) else { return }
        body(place, consume gradient)
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
