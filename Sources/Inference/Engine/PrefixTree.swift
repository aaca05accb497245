import Tensors
import Text

/// The KV cache as a tree of blocks: each node is one full block of tokens, and every path from a root is a prefix whose keys
/// and values are there (or on their way). Sequences hold their path by reference counts, so a fork costs nothing and
/// a prefix that several requests share is computed and stored once, whenever they arrive.
///
/// Blocks of paths that nobody holds stay until memory is needed, least recently used first.
struct PrefixTree: ~Copyable {
    /// One full block of tokens after its parent's.
    final class Node {
        let tokens: [TokenID]
        let block: Int32
        let parent: Node?
        var children: [ArraySlice<TokenID>: Node] = [:]
        /// Sequences whose path goes through this node.
        var holders = 0
        /// Whether keys and values are written. Until then `owner` computes them.
        var isReady = false
        var owner: Int?
        var lastUse: UInt64 = 0
        /// Under a private root: nobody else can find it.
        let isPrivate: Bool
        /// Taken out of the tree when its owner gave up; waiting sequences then compute their own.
        var isDetached = false

        init(tokens: [TokenID], block: Int32, parent: Node?, isPrivate: Bool) {
            self.isPrivate = isPrivate
            self.tokens = tokens
            self.block = block
            self.parent = parent
        }
    }

    private(set) var free: [Int32]
    private var roots: [String: Node] = [:]
    private var clock: UInt64 = 0
    /// Nodes that nobody holds, by block.
    private var idle: [Int32: Node] = [:]
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        // Low numbers are handed out first, so that memory is touched only as it is needed.
        free = (0..<Int32(capacity)).reversed()
    }

    var freeBlocks: Int { free.count + idle.count }
    var heldBlocks: Int { capacity - freeBlocks }

    /// The root of a world of prefixes: an adapter's, or the plain model's (""). nil key: a private root that nobody else finds.
    mutating func root(_ key: String?) -> Node {
        guard let key else { return Node(tokens: [], block: -1, parent: nil, isPrivate: true) }
        if let root = roots[key] { return root }
        let root = Node(tokens: [], block: -1, parent: nil, isPrivate: false)
        root.isReady = true
        roots[key] = root
        return root
    }

    /// A block for private use, or nil when all are held.
    mutating func takeBlock() -> Int32? {
        if free.isEmpty { evict() }
        return free.popLast()
    }

    mutating func giveBack(_ block: Int32) {
        free.append(block)
    }

    func child(of node: Node, tokens: ArraySlice<TokenID>) -> Node? {
        node.children[tokens]
    }

    /// Adds a child for tokens that stand in `block`, held by the caller.
    mutating func insert(_ tokens: ArraySlice<TokenID>, block: Int32, under parent: Node, owner: Int?, isReady: Bool)
        -> Node
    {
        let node = Node(tokens: Array(tokens), block: block, parent: parent, isPrivate: parent.isPrivate)
        node.owner = owner
        node.isReady = isReady
        node.holders = 1
        touch(node)
        parent.children[node.tokens[...]] = node
        return node
    }

    mutating func hold(_ node: Node) {
        if node.holders == 0 { idle[node.block] = nil }
        node.holders += 1
        touch(node)
    }

    /// Lets go of a node. What is not ready when its last holder leaves is dropped; the rest stays for later requests.
    mutating func release(_ node: Node) {
        node.holders -= 1
        guard node.holders == 0 else { return }
        if node.isReady && !node.isDetached && !node.isPrivate {
            idle[node.block] = node
        } else {
            detach(node)
            free.append(node.block)
        }
    }

    private mutating func touch(_ node: Node) {
        clock += 1
        node.lastUse = clock
    }

    private func detach(_ node: Node) {
        if let parent = node.parent, parent.children[node.tokens[...]] === node {
            parent.children[node.tokens[...]] = nil
        }
        node.isDetached = true
    }

    /// Frees the least recently used tenth of the idle leaves (at least one), again and again up the tree while nothing is free.
    private mutating func evict() {
        while free.isEmpty {
            let leaves = idle.values.filter { $0.children.isEmpty }.sorted { $0.lastUse < $1.lastUse }
            guard !leaves.isEmpty else { return }
            for node in leaves.prefix(max(1, leaves.count / 10)) {
                idle[node.block] = nil
                detach(node)
                free.append(node.block)
            }
        }
    }

    /// Forgets everything that nobody holds: after the weights have changed.
    mutating func forgetIdle() {
        for node in idle.values {
            detach(node)
            free.append(node.block)
        }
        idle.removeAll()
        roots.removeAll()
    }
}
