/// A binary heap of merges: the lowest rank first, and of equal ranks the leftmost position.
struct MergeQueue {
    private var heap: [UInt64]

    /// Uses the memory of an earlier queue.
    init(storage: consuming [UInt64]) {
        heap = storage
        heap.removeAll(keepingCapacity: true)
    }

    consuming func takeStorage() -> [UInt64] { heap }

    /// Adds a merge without ordering; `order` must follow.
    mutating func append(_ rank: UInt32, _ position: Int) {
        heap.append(UInt64(rank) << 32 | UInt64(truncatingIfNeeded: position))
    }

    mutating func order() {
        let count = heap.count
        heap.withUnsafeMutableBufferPointer { heap in
            for position in stride(from: count / 2 - 1, through: 0, by: -1) { Self.sink(heap, position, count) }
        }
    }

    mutating func push(_ rank: UInt32, _ position: Int) {
        if rank == MergeTable.never { return }
        append(rank, position)
        heap.withUnsafeMutableBufferPointer { heap in
            var child = heap.count - 1
            let value = heap[child]
            while child > 0 {
                let parent = (child - 1) / 2
                if heap[parent] <= value { break }
                heap[child] = heap[parent]
                child = parent
            }
            heap[child] = value
        }
    }

    mutating func popFirst() -> (rank: UInt32, position: Int)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            let count = heap.count
            heap.withUnsafeMutableBufferPointer { Self.sink($0, 0, count) }
        }
        return (UInt32(first >> 32), Int(first & 0xFFFF_FFFF))
    }

    private static func sink(_ heap: UnsafeMutableBufferPointer<UInt64>, _ start: Int, _ count: Int) {
        var parent = start
        let value = heap[parent]
        while true {
            var child = parent * 2 + 1
            if child >= count { break }
            if child + 1 < count, heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= value { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = value
    }
}
