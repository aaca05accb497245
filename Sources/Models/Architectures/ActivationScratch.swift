import Synchronization
import Tensors

/// Memory for quantised activations, kept between products. A forward pass uses one at a time; passes of several engines each
/// take their own.
final class ActivationScratch: Sendable {
    static let shared = ActivationScratch()

    // Sendable: a box is in the list or with one caller, never both.
    private final class Box: @unchecked Sendable {
        var activations = QuantisedActivations()
    }

    private let idle = Mutex<[Box]>([])

    private init() {}

    func with(_ body: (inout QuantisedActivations) -> Void) {
        let box = idle.withLock { $0.popLast() } ?? Box()
        body(&box.activations)
        idle.withLock { $0.append(box) }
    }
}
