/// `body(inputs)` with nothing kept for the backward pass but the inputs: going backward runs `body` again (Chen et al. 2016).
/// For a stack of layers, each in a checkpoint, memory falls from all activations to one a layer and those of a single layer,
/// for one more forward pass.
///
/// `body` must give the same result both times: randomness comes from seeds. Gradients reach everything the body reads,
/// captured weights as well as `inputs`.
public func checkpoint(_ inputs: [Tensor], _ body: @escaping @Sendable ([Tensor]) -> Tensor) -> Tensor {
    guard GradientMode.isRecording else { return body(inputs) }
    // The first run is recorded only to learn what it depends on.
    let before = GradientNode.latest
    let result = body(inputs)
    guard let root = result.node, root.number > before else { return result }
    let outside = reachable(from: root, floor: before).filter { $0.number <= before }
    let node = GradientNode(inputs: outside) { gradient, pass in
        GradientMode.withGradients {
            let floor = GradientNode.latest
            let again = body(inputs)
            guard let root = again.node else { return outside.map { _ in nil } }
            var gradients = Gradients()
            // What is added to in place outside is added to in place here, too.
            for (place, node) in outside.enumerated() {
                if let sum = pass.takeSum(place) { gradients.accumulate(sum, for: node) }
            }
            propagate(gradient, from: root, floor: floor, consumes: true, into: &gradients, observer: pass.observer)
            return outside.map { gradients.take($0) }
        }
    }
    return result.with(node: node)
}
