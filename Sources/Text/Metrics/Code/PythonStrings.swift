/// The inside of strings: their contents with escapes, and the expressions of f-strings.
enum PythonStrings {
    static func tree(of token: String, nesting: Int) -> PythonTree {
        let prefix = token.prefix { $0 != "'" && $0 != "\"" }.lowercased()
        let body = token.dropFirst(prefix.count)
        let isLong = body.count >= 6 && (body.hasPrefix("'''") || body.hasPrefix("\"\"\""))
        let quote = isLong ? 3 : 1
        let content = Array(body.dropFirst(quote).dropLast(quote))
        var parts = [PythonTree(leaf: "string_start", String(token.prefix(prefix.count + quote)))]
        parts += contents(content, isRaw: prefix.contains("r"), isFormat: prefix.contains("f") && nesting < 90)
        parts.append(PythonTree(leaf: "string_end", String(body.suffix(quote))))
        var tree = PythonTree("string", parts)
        tree.text = token
        return tree
    }

    private static func contents(_ text: [Character], isRaw: Bool, isFormat: Bool) -> [PythonTree] {
        var parts: [PythonTree] = []
        var start = 0
        var escapes: [PythonTree] = []
        var place = 0
        func flush(_ end: Int) {
            guard end > start else { return }
            var node = PythonTree("string_content", escapes)
            node.text = String(text[start..<end])
            parts.append(node)
            escapes = []
        }
        while place < text.count {
            if text[place] == "\\", !isRaw, place + 1 < text.count {
                let length = escapeLength(text, at: place)
                if length > 0 {
                    escapes.append(PythonTree(leaf: "escape_sequence", String(text[place..<place + length])))
                }
                place += max(1, length)
            } else if isFormat, text[place] == "{" || text[place] == "}", place + 1 < text.count,
                text[place + 1] == text[place]
            {
                escapes.append(PythonTree(leaf: "escape_interpolation", String(text[place..<place + 2])))
                place += 2
            } else if isFormat, text[place] == "{", let end = closing(text, from: place) {
                flush(place)
                parts.append(interpolation(Array(text[place + 1..<end])))
                place = end + 1
                start = place
            } else {
                place += 1
            }
        }
        flush(text.count)
        return parts
    }

    private static func escapeLength(_ text: [Character], at place: Int) -> Int {
        let next = text[place + 1]
        let digits = ["x": 2, "u": 4, "U": 8][next]
        if let digits { return place + 1 + digits < text.count ? 2 + digits : 0 }
        if ("0"..."7").contains(next) {
            return 1 + text[(place + 1)...].prefix(3).prefix { ("0"..."7").contains($0) }.count
        }
        if next == "N" { return text[place...].firstIndex(of: "}").map { $0 - place + 1 } ?? 0 }
        return "\\'\"abfnrtv\n".contains(next) ? 2 : 0
    }

    /// The brace that closes the one at a place.
    private static func closing(_ text: [Character], from open: Int) -> Int? {
        var depth = 0
        for place in open..<text.count {
            if "{[(".contains(text[place]) { depth += 1 }
            if "}])".contains(text[place]) { depth -= 1 }
            if depth == 0 { return place }
        }
        return nil
    }

    /// `{value!r:format}` without its braces.
    private static func interpolation(_ text: [Character]) -> PythonTree {
        var end = text.count
        var depth = 0
        for place in text.indices {
            if "{[(".contains(text[place]) { depth += 1 }
            if "}])".contains(text[place]) { depth -= 1 }
            let isConversion = text[place] == "!" && place + 1 < text.count && text[place + 1] != "="
            if depth == 0, text[place] == ":" || isConversion {
                end = place
                break
            }
        }
        var parts = [PythonTree.mark("{")]
        let value = String(text[..<end])
        parts.append((PythonTreeParser.expression(of: value) ?? PythonTree(leaf: "ERROR", value)).at("expression"))
        var rest = text[end...]
        if rest.first == "!" {
            parts.append(PythonTree(leaf: "type_conversion", String(rest.prefix(2))).at("type_conversion"))
            rest = rest.dropFirst(2)
        }
        if rest.first == ":" {
            var formats: [PythonTree] = [.mark(":")]
            let format = Array(rest.dropFirst())
            var place = 0
            while place < format.count {
                if format[place] == "{", let close = closing(format, from: place) {
                    var inner = interpolation(Array(format[place + 1..<close]))
                    inner.kind = "format_expression"
                    formats.append(inner)
                    place = close + 1
                } else {
                    place += 1
                }
            }
            parts.append(PythonTree("format_specifier", formats).at("format_specifier"))
        }
        return PythonTree("interpolation", parts + [.mark("}")])
    }
}
