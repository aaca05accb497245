import Synchronization

/// The rule of one operation: from ∂loss/∂output to ∂loss/∂input for each input, nil for an input that needs none.
public typealias Backward = @Sendable (_ gradient: Tensor) -> [Tensor?]

/// Makes a result of the forward pass once more, to the bit, without recording.
typealias Remake = @Sendable () -> Tensor

/// A tensor's place in the gradient graph: what it was made from and how gradients go back. A leaf has no inputs.
///
/// Nodes are numbered in the order they are made, so inputs always have smaller numbers than what is made from them:
/// running backward in falling order of numbers is a topological order.
final class GradientNode: Sendable {
    let number: Int
    /// A backward rule that knows the pass it is part of.
    typealias Rule = @Sendable (_ gradient: Tensor, _ pass: BackwardPass) -> [Tensor?]

    /// Written only while nobody else uses the node: when it goes, or by the one pass that consumes its graph.
    private(set) nonisolated(unsafe) var inputs: [GradientNode?]
    private(set) nonisolated(unsafe) var backward: Rule?
    /// Makes the result's numbers once more out of what the rule keeps anyway, at little cost: what reads the result need not keep it for
    /// the backward pass. nil: it is kept.
    private(set) nonisolated(unsafe) var remake: Remake?

    private static let counter = Atomic<Int>(0)

    /// The number of the latest node: whatever is made from now on has a larger one.
    static var latest: Int { counter.load(ordering: .relaxed) }

    init(inputs: [GradientNode?], backward: Rule?, remake: Remake? = nil) {
        number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        self.inputs = inputs
        self.backward = backward
        self.remake = remake
    }

    deinit {
        // A long chain of nodes would otherwise release itself one inside the other, as deep as the graph. Taking the
        // inputs of every node that nobody else holds keeps the depth at one.
        var pending = takeInputs()
        while var node = pending.popLast() {
            if isKnownUniquelyReferenced(&node) { pending.append(contentsOf: node.takeInputs()) }
        }
    }

    /// Lets go of the inputs and of what the rule saved.
    func release() {
        inputs = []
        backward = nil
        remake = nil
    }

    private func takeInputs() -> [GradientNode] {
        defer { inputs = [] }
        return inputs.compactMap { $0 }
    }
}

/// Whether operations note how to go backward.
public enum GradientMode {
    /// Whether what happens now is noted.
    @TaskLocal public static var isRecording = true

    /// Runs `body` without recording: results need no gradient even where the inputs do.
    public static func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isRecording.withValue(false, operation: body)
    }

    /// Runs `body` without recording: results need no gradient even where the inputs do.
    public static func withoutGradients<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await $isRecording.withValue(false, operation: body, isolation: isolation)
    }

    /// Runs `body` with recording on, inside a part that runs without.
    static func withGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isRecording.withValue(true, operation: body)
    }
}

extension Tensor {
    /// Whether results made from this tensor are recorded in the gradient graph.
    public var requiresGradient: Bool { node != nil }

    /// The same numbers as a leaf of the gradient graph: `backward` gives its gradient under this tensor's name. Its own past
    /// is forgotten.
    public func requiringGradient() -> Tensor {
        precondition(dtype.isFloatingPoint, "a \(dtype) tensor has no gradient")
        return with(node: GradientNode(inputs: [], backward: nil))
    }

    /// The same numbers outside the gradient graph.
    public func detached() -> Tensor { node == nil ? self : with(node: nil) }

    func with(node: GradientNode?) -> Tensor {
        Tensor(
            storage: storage, byteOffset: byteOffset, shape: shape, strides: strides, dtype: dtype, node: node)
    }

    /// This result of an operation on `inputs`, noted in the gradient graph: the way for rooms above to add an operation with its
    /// own gradient. `backward` gets ∂loss/∂self, f32 and contiguous, and gives one gradient an input, in order and shape.
    public func recorded(from inputs: [Tensor], backward: @escaping Backward) -> Tensor {
        recorded(from: inputs) { gradient, _ in backward(gradient) }
    }

    /// - Parameter remake: gives this result again out of what `rule` keeps.
    func recorded(from inputs: [Tensor], remake: Remake? = nil, rule: @escaping GradientNode.Rule) -> Tensor {
        guard inputs.contains(where: { $0.node != nil }), GradientMode.isRecording else { return detached() }
        return with(node: GradientNode(inputs: inputs.map(\.node), backward: rule, remake: remake))
    }

    /// `recorded` for one input, without the cost of a list when nothing is to be noted.
    @inline(__always)
    func recordedIfNeeded(from input: Tensor, backward: @escaping Backward) -> Tensor {
        input.node == nil ? self : recorded(from: [input], backward: backward)
    }
}

/// Whether an operation on these inputs has to be recorded.
@inline(__always)
func records(_ first: Tensor, _ second: Tensor? = nil, _ third: Tensor? = nil) -> Bool {
    guard first.node != nil || second?.node != nil || third?.node != nil else { return false }
    return GradientMode.isRecording
}
