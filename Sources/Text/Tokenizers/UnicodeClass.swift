/// What pre-tokenizers ask about a character.
struct UnicodeClass: OptionSet, Sendable {
    let rawValue: UInt8

    static let letter = UnicodeClass(rawValue: 1)
    static let number = UnicodeClass(rawValue: 2)
    static let whitespace = UnicodeClass(rawValue: 4)
    static let mark = UnicodeClass(rawValue: 8)
    static let punctuation = UnicodeClass(rawValue: 16)
    static let symbol = UnicodeClass(rawValue: 32)
    /// Upper-case and title-case letters.
    static let upper = UnicodeClass(rawValue: 64)
    static let lower = UnicodeClass(rawValue: 128)

    static let letterOrNumber: UnicodeClass = [.letter, .number]
    static let wordlike: UnicodeClass = [.letter, .number, .whitespace]

    /// The classes of all code points, one byte each, up to the last one that has any.
    static let table: FrozenBuffer<UInt8> = {
        var limit = 0
        var position = 0
        for run in unicodeClassRuns {
            position += Int(run >> 8)
            if run & 0xFF != 0, position <= tableLimit { limit = position }
        }
        return FrozenBuffer(repeating: 0, count: limit) { block in
            var position = 0
            for run in unicodeClassRuns {
                let next = position + Int(run >> 8)
                if run & 0xFF != 0, next <= limit {
                    block[position..<next].update(repeating: UInt8(truncatingIfNeeded: run))
                }
                position = next
            }
        }
    }()

    /// Beyond it only the variation selectors have a class.
    private static let tableLimit = 0x40000
    private static let variationSelectors: ClosedRange<UInt32> = 0xE0100...0xE01EF

    static func of(_ scalar: UInt32) -> UnicodeClass {
        let table = Self.table
        return of(scalar, in: table.base, count: table.count)
    }

    @inline(__always)
    static func of(_ scalar: UInt32, in table: UnsafePointer<UInt8>, count: Int) -> UnicodeClass {
        if Int(scalar) < count { return UnicodeClass(rawValue: table[Int(scalar)]) }
        return variationSelectors.contains(scalar) ? .mark : []
    }

    /// Numeric to the `Digits` step, whose Unicode version is newer than that of the regular expressions by two scripts.
    @inline(__always)
    static func isNumericToDigits(_ scalar: UInt32, _ class: UnicodeClass) -> Bool {
        `class`.contains(.number) || (0x11DE0...0x11DE9).contains(scalar) || (0x16FF4...0x16FF6).contains(scalar)
    }
}
