/// How many terminal columns text takes (Unicode's East Asian Width and emoji presentation).
enum DisplayWidth {
    static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

    static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.isASCII { return first.value >= 0x20 && first.value != 0x7F ? 1 : 0 }
        if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .control, .format: return 0
        default: break
        }
        if first.properties.isEmojiPresentation { return 2 }
        return isWide(first.value) ? 2 : 1
    }

    /// The blocks whose characters are wide or full-width.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x17000...0x18CFF, 0x1AFF0...0x1B2FF, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }

    /// The text filled with spaces to a width.
    static func pad(_ text: String, to width: Int, _ alignment: Table.Alignment = .left) -> String {
        let fill = String(repeating: " ", count: max(0, width - of(text)))
        return alignment == .left ? text + fill : fill + text
    }

    /// The text without what a terminal would obey: a model's output must not move the cursor or change the title.
    /// Tabs become spaces, other control characters the replacement character; line breaks stay.
    static func harmless(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result.append(scalar)
            case "\r": continue
            case "\t": result.append(contentsOf: "    ".unicodeScalars)
            case _ where isControl(scalar): result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// C0, C1, and the marks that turn the direction of text around.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x09, 0x0B...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// The text cut to a width, ending in … where something was cut.
    static func cut(_ text: String, to width: Int) -> String {
        let text = harmless(text)
        guard of(text) > width else { return text }
        var result = ""
        var used = 0
        for character in text {
            let columns = of(character)
            if used + columns > width - 1 { break }
            result.append(character)
            used += columns
        }
        return result + "…"
    }

    /// The text in lines no wider than `width`, broken at spaces where there are any. Line breaks in the text stay.
    static func wrap(_ text: String, to width: Int) -> [String] {
        let width = max(1, width)
        return harmless(text).split(separator: "\n", omittingEmptySubsequences: false).flatMap {
            paragraph -> [String] in
            var lines: [String] = []
            var line = ""
            var used = 0
            for word in paragraph.split(separator: " ") {
                let columns = of(String(word))
                if used > 0, used + 1 + columns <= width {
                    line += " " + word
                    used += 1 + columns
                    continue
                }
                if used > 0 { lines.append(line) }
                line = ""
                used = 0
                for character in word {
                    let size = of(character)
                    if used + size > width, used > 0 {
                        lines.append(line)
                        line = ""
                        used = 0
                    }
                    line.append(character)
                    used += size
                }
            }
            lines.append(line)
            return lines
        }
    }
}
