/// Turns tokens into text as they come, never giving half a character.
public struct StreamDecoder: Sendable {
    private let core: TokenizerCore
    private let skipSpecial: Bool
    /// Bytes that wait for the rest of their character.
    private var pending: [UInt8] = []
    private var isAtStart = true

    init(core: TokenizerCore, skipSpecial: Bool) {
        self.core = core
        self.skipSpecial = skipSpecial
    }

    /// Adds a token and gives the text that is certain by now.
    public mutating func append(_ id: TokenID) -> String {
        if skipSpecial, core.tokens.isSpecial(id) { return "" }
        let bytes = core.tokens.bytes(of: id)
        if bytes.isEmpty { return "" }
        write(bytes, of: id)
        isAtStart = false
        return take(final: false)
    }

    /// Ends the text: bytes that still waited for the rest of a character become U+FFFD.
    public mutating func finish() -> String {
        let text = take(final: true)
        isAtStart = true
        return text
    }

    private mutating func write(_ bytes: UnsafeBufferPointer<UInt8>, of id: TokenID) {
        switch core.specification.decoder {
        case .bytes: pending.append(contentsOf: bytes)
        case .sentencePiece(_, let stripsFirstSpace):
            let strips = stripsFirstSpace && isAtStart && bytes.first == UInt8(ascii: " ")
            pending.append(contentsOf: bytes.dropFirst(strips ? 1 : 0))
        case .spaced:
            if !isAtStart { pending.append(UInt8(ascii: " ")) }
            pending.append(contentsOf: bytes)
        case .wordPiece(let prefix, let cleansUp):
            if !isAtStart, !prefix.isEmpty, bytes.starts(with: prefix.utf8) {
                pending.append(contentsOf: bytes.dropFirst(prefix.utf8.count))
            } else {
                let joins = isAtStart || cleansUp && Self.joinsLeft(bytes)
                if !joins { pending.append(UInt8(ascii: " ")) }
                pending.append(contentsOf: bytes)
            }
        }
    }

    /// Whether clean-up takes away the space before this token.
    private static func joinsLeft(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let ends: [StaticString] = ["n't", "'m", "'s", "'ve", "'re"]
        switch bytes.first {
        case UInt8(ascii: "."), UInt8(ascii: "?"), UInt8(ascii: "!"), UInt8(ascii: ","): return true
        default:
            return ends.contains { end in
                bytes.starts(with: UnsafeBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount))
            }
        }
    }

    /// Takes the whole characters out of `pending`.
    private mutating func take(final: Bool) -> String {
        let whole = final ? pending.count : pending.withUnsafeBufferPointer { Self.certainPrefix($0) }
        let text = String(decoding: pending[0..<whole], as: UTF8.self)
        pending.removeFirst(whole)
        return text
    }

    /// How many bytes do not depend on what follows: all but a character that is begun at the end.
    private static func certainPrefix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var start = max(0, bytes.count - 3)
        while start < bytes.count {
            if case .incomplete(let length) = UTF8Text.sequence(bytes, at: start), start + length == bytes.count {
                return start
            }
            start += 1
        }
        return bytes.count
    }
}
