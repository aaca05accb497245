/// Hopcroft's partition refinement: groups the states of a complete deterministic automaton that accept the same texts.
///
/// O(classes · states · log states).
struct Minimizer {
    private let classCount: Int
    private let stateCount: Int
    /// [classes, states + 1] offsets into `sources`.
    private var offsets: [Int32]
    private var sources: [Int32]

    /// States grouped by block; each block is a run of `elements`.
    private var elements: [Int]
    private var location: [Int]
    private var blockOf: [Int]
    private var first: [Int]
    private var end: [Int]
    private var marked: [Int]

    /// `transitions` is [states, classes], every entry a state.
    init(transitions: [Int32], accepting: [Bool], classCount: Int) {
        self.classCount = classCount
        stateCount = accepting.count
        let rows = stateCount + 1
        offsets = [Int32](repeating: 0, count: classCount * rows)
        for (index, target) in transitions.enumerated() {
            offsets[(index % classCount) * rows + Int(target) + 1] += 1
        }
        var total: Int32 = 0
        for index in offsets.indices {
            total += offsets[index]
            offsets[index] = total
        }
        sources = [Int32](repeating: 0, count: transitions.count)
        var cursor = offsets
        for (index, target) in transitions.enumerated() {
            let slot = (index % classCount) * rows + Int(target)
            sources[Int(cursor[slot])] = Int32(index / classCount)
            cursor[slot] += 1
        }
        let yes = accepting.indices.filter { accepting[$0] }
        let no = accepting.indices.filter { !accepting[$0] }
        elements = yes + no
        location = [Int](repeating: 0, count: stateCount)
        for (index, state) in elements.enumerated() { location[state] = index }
        blockOf = accepting.map { $0 || yes.isEmpty ? 0 : 1 }
        let sizes = [yes.count, no.count].filter { $0 > 0 }
        first = sizes.count == 2 ? [0, sizes[0]] : [0]
        end = sizes.count == 2 ? [sizes[0], stateCount] : [stateCount]
        marked = [Int](repeating: 0, count: first.count)
    }

    /// The block of every state, numbered from 0.
    mutating func blocks() -> [Int] {
        var waiting: [Int] = first.indices.map { $0 }
        var isWaiting = [Bool](repeating: true, count: first.count)
        while let splitter = waiting.popLast() {
            isWaiting[splitter] = false
            let members = Array(elements[first[splitter]..<end[splitter]])
            for index in 0..<classCount {
                for block in mark(sourcesOf: members, index) {
                    guard let fresh = split(block) else { continue }
                    isWaiting.append(false)
                    let chosen =
                        isWaiting[block] || end[fresh] - first[fresh] <= end[block] - first[block] ? fresh : block
                    isWaiting[chosen] = true
                    waiting.append(chosen)
                }
            }
        }
        return blockOf
    }

    /// Moves every state that class `index` leads into `members` to the front of its block; returns the blocks touched.
    private mutating func mark(sourcesOf members: [Int], _ index: Int) -> [Int] {
        var touched: [Int] = []
        for member in members {
            let slot = index * (stateCount + 1) + member
            for cursor in Int(offsets[slot])..<Int(offsets[slot + 1]) {
                let state = Int(sources[cursor])
                let block = blockOf[state]
                let boundary = first[block] + marked[block]
                guard location[state] >= boundary else { continue }
                if marked[block] == 0 { touched.append(block) }
                let other = elements[boundary]
                elements.swapAt(boundary, location[state])
                location[other] = location[state]
                location[state] = boundary
                marked[block] += 1
            }
        }
        return touched
    }

    /// Cuts a block into its marked and unmarked states; nil when all are marked.
    private mutating func split(_ block: Int) -> Int? {
        let count = marked[block]
        marked[block] = 0
        guard first[block] + count < end[block] else { return nil }
        let fresh = first.count
        first.append(first[block])
        end.append(first[block] + count)
        marked.append(0)
        first[block] += count
        for index in first[fresh]..<end[fresh] { blockOf[elements[index]] = fresh }
        return fresh
    }
}
