import Text

/// The bytes of every token of a vocabulary, as constrained decoding needs them, with a tree over them built once.
///
/// Special tokens have no bytes: no constraint ever permits them, except the end-of-text tokens where the text may end.
public final class TokenVocabulary: Sendable {
    /// How many token ids there are: the number of logits, unused ids included.
    public let count: Int
    /// Tokens that end the text.
    public let endOfText: [TokenID]
    /// Length of the longest token in bytes.
    public let longestToken: Int
    let trie: TokenTrie
    private let bytes: [UInt8]
    private let offsets: [Int32]

    /// 64-bit words of a mask over the vocabulary.
    public var maskWords: Int { (count + 63) / 64 }

    /// - Parameters:
    ///   - tokens: the bytes of each token by id; empty for special and unused ones.
    ///   - count: the number of logits where it exceeds the number of tokens.
    public init(tokens: [[UInt8]], endOfText: [TokenID], count: Int? = nil) {
        self.count = max(count ?? tokens.count, tokens.count)
        self.endOfText = endOfText.filter { $0 >= 0 && $0 < max(count ?? 0, tokens.count) }
        let ending = Set(endOfText)
        var bytes: [UInt8] = []
        var offsets: [Int32] = [0]
        bytes.reserveCapacity(tokens.reduce(0) { $0 + $1.count })
        offsets.reserveCapacity(tokens.count + 1)
        var longest = 0
        for (id, token) in tokens.enumerated() {
            if !ending.contains(TokenID(id)) {
                bytes += token
                longest = max(longest, token.count)
            }
            offsets.append(Int32(bytes.count))
        }
        self.bytes = bytes
        self.offsets = offsets
        longestToken = longest
        trie = TokenTrie(bytes: bytes, offsets: offsets)
    }

    /// The bytes of a token; empty for special and unknown ones.
    public func bytes(of token: TokenID) -> ArraySlice<UInt8> {
        guard token >= 0, Int(token) < offsets.count - 1 else { return [] }
        return bytes[Int(offsets[Int(token)])..<Int(offsets[Int(token) + 1])]
    }
}

/// A tree of the vocabulary's tokens in depth-first order: a node is followed by its subtree, and `skip` leads past it.
struct TokenTrie: Sendable {
    /// Per node: its byte, its depth (1 for first bytes), the node behind its subtree, and the range of its tokens.
    private(set) var byte: [UInt8] = []
    private(set) var depth: [Int32] = []
    private(set) var skip: [Int32] = []
    private(set) var tokenStart: [Int32] = [0]
    /// Tokens in the order of their nodes; several tokens may have the same bytes.
    private(set) var tokens: [TokenID] = []

    private(set) var maximumDepth = 0
    /// Per first byte, its node or -1.
    private var roots = [Int32](repeating: -1, count: 256)

    var nodeCount: Int { byte.count }

    init(bytes: [UInt8], offsets: [Int32]) {
        func token(_ id: Int32) -> ArraySlice<UInt8> { bytes[Int(offsets[Int(id)])..<Int(offsets[Int(id) + 1])] }
        var order = (0..<Int32(offsets.count - 1)).filter { !token($0).isEmpty }
        order.sort { token($0).lexicographicallyPrecedes(token($1)) }
        // Nodes on the path to the token before, by depth.
        var path: [Int] = []
        var previous: ArraySlice<UInt8> = []
        for id in order {
            let current = token(id)
            var common = 0
            for (a, b) in zip(previous, current) {
                guard a == b else { break }
                common += 1
            }
            while path.count > common { skip[path.removeLast()] = Int32(byte.count) }
            for value in current.dropFirst(common) {
                if path.isEmpty { roots[Int(value)] = Int32(byte.count) }
                path.append(byte.count)
                byte.append(value)
                depth.append(Int32(path.count))
                skip.append(0)
                tokenStart.append(Int32(tokens.count))
            }
            maximumDepth = max(maximumDepth, path.count)
            tokens.append(id)
            tokenStart[tokenStart.count - 1] = Int32(tokens.count)
            previous = current
        }
        for node in path { skip[node] = Int32(byte.count) }
    }

    /// The node that a byte leads to from `node` (-1: the root).
    func child(of node: Int, _ wanted: UInt8) -> Int? {
        if node < 0 { return roots[Int(wanted)] < 0 ? nil : Int(roots[Int(wanted)]) }
        var candidate = node + 1
        let end = Int(skip[node])
        while candidate < end {
            if byte[candidate] == wanted { return candidate }
            if byte[candidate] > wanted { return nil }
            candidate = Int(skip[candidate])
        }
        return nil
    }

    func hasToken(_ node: Int) -> Bool { tokenStart[node + 1] > tokenStart[node] }
}
