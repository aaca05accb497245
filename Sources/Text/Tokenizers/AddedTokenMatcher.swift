/// Finds added tokens in a text: at each place the longest one, from left to right.
struct AddedTokenMatcher: Sendable {
    /// A node of a byte trie: its children are a list of siblings.
    private struct Node {
        var byte: UInt8 = 0
        var token: Int32 = -1
        var firstChild: Int32 = -1
        var sibling: Int32 = -1
    }

    struct Match {
        var range: Range<Int>
        var id: TokenID
    }

    private let tokens: [AddedToken]
    private var nodes: [Node] = [Node()]
    private var firstBytes = [Bool](repeating: false, count: 256)
    private let allSpecial: Bool

    /// - Parameter contents: What to look for, for each token, as UTF-8; empty ones are never found.
    init(_ tokens: [AddedToken], contents: [[UInt8]]) {
        self.tokens = tokens
        allSpecial = tokens.allSatisfy(\.isSpecial)
        for (index, content) in contents.enumerated() where !content.isEmpty {
            insert(content, index)
            firstBytes[Int(content[0])] = true
        }
    }

    /// Whether nothing can be found.
    func isEmpty(special: SpecialTokens) -> Bool {
        tokens.isEmpty || allSpecial && special == .asText
    }

    private mutating func insert(_ content: [UInt8], _ token: Int) {
        var node = 0
        for byte in content {
            if let child = child(of: node, byte) {
                node = child
            } else {
                nodes.append(Node(byte: byte, sibling: nodes[node].firstChild))
                nodes[node].firstChild = Int32(nodes.count - 1)
                node = nodes.count - 1
            }
        }
        nodes[node].token = Int32(token)
    }

    private func child(of node: Int, _ byte: UInt8) -> Int? {
        var child = nodes[node].firstChild
        while child >= 0 {
            if nodes[Int(child)].byte == byte { return Int(child) }
            child = nodes[Int(child)].sibling
        }
        return nil
    }

    /// Calls `body` for every match in `text[start..<end]`, from left to right, without overlaps.
    func forEachMatch(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, special: SpecialTokens, _ body: (Match) -> Void
    ) {
        var position = start
        var done = start
        firstBytes.withUnsafeBufferPointer { firstBytes in
            while position < end {
                if !firstBytes[Int(text[position])] {
                    position += 1
                    continue
                }
                guard let (token, length) = longest(text, position, end) else {
                    position += 1
                    continue
                }
                let found = position..<position + length
                position += length
                guard found.lowerBound >= done,
                    let match = accept(tokens[token], found, text, start: start, from: done, end, special)
                else { continue }
                body(match)
                done = match.range.upperBound
            }
        }
    }

    private func longest(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> (token: Int, length: Int)? {
        var best: (Int, Int)?
        var node = 0
        var position = start
        while position < end, let child = child(of: node, text[position]) {
            node = child
            position += 1
            if nodes[node].token >= 0 { best = (Int(nodes[node].token), position - start) }
        }
        return best
    }

    /// The match with the whitespace that its token takes along, or nil when the token does not count here.
    private func accept(
        _ token: AddedToken, _ found: Range<Int>, _ text: UnsafePointer<UInt8>, start: Int, from done: Int, _ end: Int,
        _ special: SpecialTokens
    ) -> Match? {
        if token.isSpecial, special == .asText { return nil }
        var range = found
        if token.singleWord {
            if range.lowerBound > start, Self.isWord(UTF8Text.scalar(text, before: range.lowerBound).value) {
                return nil
            }
            if range.upperBound < end, Self.isWord(UTF8Text.scalar(text, at: range.upperBound).value) { return nil }
        }
        if token.stripsLeft {
            var left = range.lowerBound
            while left > done {
                let (scalar, length) = UTF8Text.scalar(text, before: left)
                if !UnicodeClass.of(scalar).contains(.whitespace) { break }
                left -= length
            }
            range = left..<range.upperBound
        }
        if token.stripsRight {
            var right = range.upperBound
            while right < end {
                let (scalar, length) = UTF8Text.scalar(text, at: right)
                if !UnicodeClass.of(scalar).contains(.whitespace) { break }
                right += length
            }
            range = range.lowerBound..<right
        }
        return Match(range: range, id: token.id)
    }

    static func isWord(_ scalar: UInt32) -> Bool {
        scalar == 0x5F || scalar == 0x200C || scalar == 0x200D
            || !UnicodeClass.of(scalar).isDisjoint(with: [.letter, .number, .mark])
    }
}
