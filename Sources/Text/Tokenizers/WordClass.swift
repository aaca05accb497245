/// What the normalisers and splitters of BERT and its kin ask about a character.
struct WordClass: OptionSet, Sendable {
    let rawValue: UInt8

    /// Control characters and their like, which BERT removes.
    static let removed = WordClass(rawValue: 1)
    /// What BERT writes as a plain space.
    static let blank = WordClass(rawValue: 2)
    /// Chinese characters, which BERT puts between spaces.
    static let chinese = WordClass(rawValue: 4)
    /// Marks of all kinds.
    static let mark = WordClass(rawValue: 8)
    static let punctuation = WordClass(rawValue: 16)
    /// `\w` of the step that splits into words.
    static let word = WordClass(rawValue: 32)
    /// `\w` of the regular expressions in files.
    static let regexWord = WordClass(rawValue: 64)
    /// Marks that take no space: what BERT calls accents.
    static let accent = WordClass(rawValue: 128)

    private static let table = RunTable(wordClassRuns)

    static func of(_ scalar: UInt32) -> WordClass { WordClass(rawValue: table[scalar]) }

    /// What the NMT normaliser removes.
    static func isRemovedByNMT(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x1...0x8, 0xB, 0xE...0x1F, 0x7F, 0x8F, 0x9F: true
        default: false
        }
    }

    /// What the NMT normaliser writes as a plain space.
    static func isBlankToNMT(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x9, 0xA, 0xC, 0xD, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: true
        default: false
        }
    }
}

/// A byte for every code point, stored as runs and found by binary search; the first ones in a flat table.
struct RunTable: Sendable {
    private let direct: FrozenBuffer<UInt8>
    private let starts: [UInt32]
    private let values: [UInt8]

    /// - Parameter runs: The length of each run in the upper 24 bits, its value in the lower 8.
    init(_ runs: [UInt32]) {
        var starts: [UInt32] = []
        var values: [UInt8] = []
        var position: UInt32 = 0
        for run in runs {
            starts.append(position)
            values.append(UInt8(truncatingIfNeeded: run))
            position += run >> 8
        }
        self.starts = starts
        self.values = values
        direct = FrozenBuffer(repeating: 0, count: 0x3400) { table in
            for (index, start) in starts.enumerated() where Int(start) < table.count {
                let end = index + 1 < starts.count ? min(Int(starts[index + 1]), table.count) : table.count
                table[Int(start)..<end].update(repeating: values[index])
            }
        }
    }

    subscript(scalar: UInt32) -> UInt8 {
        if Int(scalar) < direct.count { return direct.base[Int(scalar)] }
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= scalar { low = middle } else { high = middle }
        }
        return values[low]
    }
}
