/// A fixed block of trivial values that is filled once, while it is made, and only read afterwards.
///
/// The tables of a tokenizer are read a few times per word; a bare pointer there costs neither bounds checks nor reference
/// counting.
// Unchecked: the memory is written only inside `init`, before any other thread can hold the object.
final class FrozenBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafePointer<Element>
    let count: Int

    /// Makes a block of `count` copies of `value` and lets `fill` change them.
    init(repeating value: Element, count: Int, fill: (UnsafeMutableBufferPointer<Element>) throws -> Void) rethrows {
        let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(count, 1))
        memory.initialize(repeating: value)
        do {
            try fill(UnsafeMutableBufferPointer(rebasing: memory[0..<count]))
        } catch {
            memory.deallocate()
            throw error
        }
        self.base = UnsafePointer(memory.baseAddress.unsafelyUnwrapped)
        self.count = count
    }

    convenience init(_ elements: [Element], filler: Element) {
        self.init(repeating: filler, count: elements.count) { block in
            for (index, element) in elements.enumerated() { block[index] = element }
        }
    }

    deinit { base.deallocate() }

    var buffer: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }
}
