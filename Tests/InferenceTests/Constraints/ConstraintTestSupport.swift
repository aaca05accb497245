import Foundation
import Inference
import Text

/// A generator whose sequence is fixed by its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}

enum TestVocabulary {
    /// Every byte, pieces of JSON, words, digits, and pieces of multi-byte characters; the last id ends the text.
    static let synthetic: TokenVocabulary = {
        var tokens: [[UInt8]] = (0..<256).map { [UInt8($0)] }
        let texts = [
            "{\"", "\":", "\": ", "\",", "\", ", "\"}", "\"]", "}, ", "],", "[[", "]]", "{}", "[]", "[\"", " \"",
            "\":{\"", "null",
            "true", "false", " true", "10", "12", "123", "000", "-1", "0.", ".5", "e+", "1e", "2024-", "-02-29", "the",
            "quick", " brown",
            "name", "name\":", "id", "value", "abc", "aaaa", "ab", "\\n", "\\\"", "\\u00", "\\ud83d", "\\ud83d\\ude00",
            "\\\\",
            "é", "ß", "日本", "😀", "            ", "\n\n", "\t", " , ", " :", "@example", ".com", "kind", "items",
            "kind\": \"",
        ]
        tokens += texts.map { Array($0.utf8) }
        tokens += [
            [0xC3], [0xF0, 0x9F], [0x98, 0x80], [0x9F, 0x98], [0xE6, 0x97], [0xA5, 0x22], [0x80, 0x80], [0xED, 0xA0],
        ]
        tokens.append(Array("ab".utf8))
        tokens.append([])
        return TokenVocabulary(tokens: tokens, endOfText: [TokenID(tokens.count - 1)], count: tokens.count + 37)
    }()

    /// Only single bytes.
    static let bytes = TokenVocabulary(tokens: (0..<256).map { [UInt8($0)] } + [[]], endOfText: [256])
}

struct Sample {
    var bytes: [UInt8] = []
    var tokens: [TokenID] = []
    var isComplete = false
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

func maskedTokens(_ state: ConstraintState, remaining: Int? = nil) -> [TokenID] {
    var words = [UInt64](repeating: 0, count: state.compiled.vocabulary.maskWords)
    words.withUnsafeMutableBufferPointer { _ = state.mask(into: $0, remainingTokens: remaining) }
    var tokens: [TokenID] = []
    for (index, word) in words.enumerated() {
        var rest = word
        while rest != 0 {
            tokens.append(TokenID(index * 64 + rest.trailingZeroBitCount))
            rest &= rest - 1
        }
    }
    return tokens
}

/// Draws tokens under the mask until the text has ended or `maxTokens` are spent. Ends early with probability `ending` where
/// the text may end.
func sample(
    _ compiled: CompiledConstraint, maxTokens: Int, ending: Double = 0.3, using generator: inout SeededGenerator
) -> Sample {
    var state = compiled.start()
    var result = Sample()
    while result.tokens.count < maxTokens {
        let tokens = maskedTokens(state, remaining: maxTokens - result.tokens.count)
        if state.isAccepting, tokens.count == 1 || generator.chance(ending) { break }
        guard let token = tokens.randomElement(using: &generator) else { break }
        guard state.advance(token) else { break }
        if state.hasEnded { break }
        result.tokens.append(token)
        result.bytes += compiled.vocabulary.bytes(of: token)
    }
    result.isComplete = state.isAccepting || state.hasEnded
    return result
}

func accepts(_ compiled: CompiledConstraint, _ text: String) -> Bool {
    var state = compiled.start()
    return state.advance(bytes: text.utf8) && state.isAccepting
}

func schema(_ value: JSONValue, _ vocabulary: TokenVocabulary = TestVocabulary.synthetic) throws -> CompiledConstraint {
    try CompiledConstraint(.jsonSchema(value), vocabulary: vocabulary)
}

func regex(_ pattern: String, _ vocabulary: TokenVocabulary = TestVocabulary.synthetic) throws -> CompiledConstraint {
    try CompiledConstraint(.regex(pattern), vocabulary: vocabulary)
}

struct JSONSyntaxError: Error, CustomStringConvertible {
    var offset: Int
    var description: String { "no JSON at byte \(offset)" }
}

/// A strict reader of JSON, for tests alone: it shares no code with what it checks.
struct StrictJSON {
    private let bytes: [UInt8]
    private var at = 0

    static func parse(_ bytes: [UInt8]) throws -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw JSONSyntaxError(offset: -1) }
        var reader = StrictJSON(bytes: bytes)
        let value = try reader.value()
        reader.space()
        guard reader.at == bytes.count else { throw JSONSyntaxError(offset: reader.at) }
        return value
    }

    static func parse(_ text: String) throws -> JSONValue { try parse(Array(text.utf8)) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func space() { while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { at += 1 } }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func expect(_ text: String) throws {
        guard take(text) else { throw JSONSyntaxError(offset: at) }
    }

    private mutating func value() throws -> JSONValue {
        space()
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try expect("true")
            return true
        case UInt8(ascii: "f"):
            try expect("false")
            return false
        case UInt8(ascii: "n"):
            try expect("null")
            return nil
        default: return try number()
        }
    }

    private mutating func object() throws -> JSONValue {
        try expect("{")
        var members: [JSONValue.Member] = []
        space()
        if take("}") { return .object([]) }
        while true {
            space()
            let key = try string()
            space()
            try expect(":")
            members.append(.init(key, try value()))
            space()
            if take("}") { return .object(members) }
            try expect(",")
        }
    }

    private mutating func array() throws -> JSONValue {
        try expect("[")
        var elements: [JSONValue] = []
        space()
        if take("]") { return .array([]) }
        while true {
            elements.append(try value())
            space()
            if take("]") { return .array(elements) }
            try expect(",")
        }
    }

    private mutating func number() throws -> JSONValue {
        let start = at
        let text = String(decoding: bytes[start...].prefix { "+-.eE0123456789".utf8.contains($0) }, as: UTF8.self)
        guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil else {
            throw JSONSyntaxError(offset: start)
        }
        at += text.utf8.count
        if let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw JSONSyntaxError(offset: start) }
        return .number(number)
    }

    private mutating func string() throws -> String {
        try expect("\"")
        var units: [UInt16] = []
        while let byte = next {
            if byte == UInt8(ascii: "\"") {
                at += 1
                var text = ""
                var decoder = UTF16()
                var iterator = units.makeIterator()
                while true {
                    switch decoder.decode(&iterator) {
                    case .scalarValue(let scalar): text.unicodeScalars.append(scalar)
                    case .emptyInput: return text
                    case .error: throw JSONSyntaxError(offset: at)
                    }
                }
            }
            guard byte >= 0x20 else { throw JSONSyntaxError(offset: at) }
            if byte != UInt8(ascii: "\\") {
                let rest = bytes[at...].prefix(4)
                let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
                units += Array(String(decoding: rest.prefix(length), as: UTF8.self).utf16)
                at += length
                continue
            }
            at += 1
            let escapes: [UInt8: UInt16] = [
                0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9,
            ]
            if let letter = next, let unit = escapes[letter] {
                units.append(unit)
                at += 1
                continue
            }
            try expect("u")
            let digits = bytes[at...].prefix(4)
            guard digits.count == 4, digits.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
                let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw JSONSyntaxError(offset: at) }
            units.append(unit)
            at += 4
        }
        throw JSONSyntaxError(offset: at)
    }
}
