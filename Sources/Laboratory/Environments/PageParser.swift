/// Reads HTML into a tree, forgiving as browsers are where a page is merely careless: an end tag may be missing where the standard lets
/// it, one without a beginning is passed over, and values need no quotes.
struct PageParser {
    /// Elements without contents.
    static let void: Set<String> = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    ]
    /// Elements whose contents are text whatever is in it.
    static let raw: Set<String> = ["script", "style"]
    private static let rawWithReferences: Set<String> = ["textarea", "title"]
    /// Elements in which a tag can close itself.
    private static let foreign: Set<String> = ["svg", "math"]

    /// What a start tag ends, and the elements beyond which it doesn't look.
    private static let implied: [String: (ends: Set<String>, within: Set<String>)] = {
        let cells: Set<String> = ["td", "th"]
        let rows = cells.union(["tr"])
        var table: [String: (ends: Set<String>, within: Set<String>)] = [
            "li": (["li"], ["ul", "ol", "menu"]), "dt": (["dt", "dd"], ["dl"]), "dd": (["dt", "dd"], ["dl"]),
            "option": (["option"], ["select"]), "optgroup": (["option", "optgroup"], ["select"]),
            "td": (cells, ["tr", "table"]), "th": (cells, ["tr", "table"]), "tr": (rows, ["table"]),
        ]
        for part in ["thead", "tbody", "tfoot"] { table[part] = (rows.union(["thead", "tbody", "tfoot"]), ["table"]) }
        for block in [
            "address", "article", "aside", "blockquote", "div", "dl", "fieldset", "form", "h1", "h2", "h3", "h4", "h5",
            "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul",
        ] { table[block] = (["p"], ["button", "td", "th", "body", "div", "li", "form"]) }
        return table
    }()

    private static let named: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u{A0}", "copy": "©", "times": "×",
        "hellip": "…", "ndash": "–", "mdash": "—", "laquo": "«", "raquo": "»", "larr": "←", "rarr": "→", "euro": "€",
    ]

    private let bytes: [UInt8]
    private let limits: PageDocument.Limits
    private var at = 0
    private var nodes = [PageDocument.Node()]
    /// The elements that are open, the document first.
    private var open = [0]

    init(_ html: String, limits: PageDocument.Limits) {
        bytes = Array(html.utf8)
        self.limits = limits
    }

    mutating func parse() throws(PageParseError) -> [PageDocument.Node] {
        guard bytes.count <= limits.bytes else { throw .tooLong(bytes: bytes.count, limit: limits.bytes) }
        while at < bytes.count {
            if starts("<!--") {
                at += 4
                try skip(through: "-->", of: "a comment")
            } else if starts("<!") || starts("<?") {
                try skip(through: ">", of: "a declaration")
            } else if starts("</"), isLetter(at + 2) {
                at += 2
                let name = takeName()
                try skip(through: ">", of: "the end tag of <\(name)>")
                if let place = open.lastIndex(where: { nodes[$0].name == name }) { open.removeSubrange(place...) }
            } else if starts("<"), isLetter(at + 1) {
                try readElement()
            } else {
                let start = at
                at += 1
                while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
                try add(text: decoded(bytes[start..<at]))
            }
        }
        return nodes
    }

    private mutating func readElement() throws(PageParseError) {
        at += 1
        let name = takeName()
        if let rule = Self.implied[name] {
            var place = open.count - 1
            var end: Int?
            while place > 0, !rule.within.contains(nodes[open[place]].name) {
                if rule.ends.contains(nodes[open[place]].name) { end = place }
                place -= 1
            }
            if let end { open.removeSubrange(end...) }
        }
        var element = PageDocument.Node(name: name)
        let closesItself = try readAttributes(of: &element)
        let id = try add(element)
        if Self.void.contains(name) { return }
        if closesItself, (open + [id]).contains(where: { Self.foreign.contains(nodes[$0].name) }) { return }
        if Self.raw.contains(name) || Self.rawWithReferences.contains(name) {
            let start = at
            let ending = Array("</\(name)".utf8)
            while at < bytes.count, !startsLowercased(ending) { at += 1 }
            guard at < bytes.count else { throw .unfinished("<\(name)>") }
            let content = bytes[start..<at]
            open.append(id)
            try add(text: Self.raw.contains(name) ? String(decoding: content, as: UTF8.self) : decoded(content))
            open.removeLast()
            try skip(through: ">", of: "<\(name)>")
            return
        }
        guard open.count < limits.depth else { throw .tooDeep(limit: limits.depth) }
        open.append(id)
    }

    /// Reads up to the end of a tag. True where it closes itself.
    private mutating func readAttributes(of element: inout PageDocument.Node) throws(PageParseError) -> Bool {
        var closesItself = false
        while true {
            while at < bytes.count, isSpace(bytes[at]) || bytes[at] == UInt8(ascii: "/") {
                closesItself = bytes[at] == UInt8(ascii: "/")
                at += 1
            }
            guard at < bytes.count else { throw .unfinished("the tag <\(element.name)>") }
            if bytes[at] == UInt8(ascii: ">") {
                at += 1
                return closesItself
            }
            closesItself = false
            let start = at
            at += 1
            while at < bytes.count, !isSpace(bytes[at]), ![0x2F, 0x3E, 0x3D].contains(bytes[at]) { at += 1 }
            let name = String(decoding: bytes[start..<at], as: UTF8.self).lowercased()
            let value = try readValue(of: element.name)
            // A name given twice keeps its first value.
            guard !element.attributes.contains(where: { $0.name == name }) else { continue }
            guard element.attributes.count < limits.attributes else {
                throw .tooManyAttributes(element: element.name, limit: limits.attributes)
            }
            element.attributes.append(.init(name: name, value: value))
        }
    }

    private mutating func readValue(of element: String) throws(PageParseError) -> String {
        var place = at
        while place < bytes.count, isSpace(bytes[place]) { place += 1 }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "=") else { return "" }
        at = place + 1
        while at < bytes.count, isSpace(bytes[at]) { at += 1 }
        guard at < bytes.count else { throw .unfinished("the tag <\(element)>") }
        let quote = bytes[at]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            at += 1
            let start = at
            while at < bytes.count, bytes[at] != quote { at += 1 }
            guard at < bytes.count else { throw .unfinished("an attribute of <\(element)>") }
            at += 1
            return decoded(bytes[start..<(at - 1)])
        }
        let start = at
        while at < bytes.count, !isSpace(bytes[at]), bytes[at] != UInt8(ascii: ">") { at += 1 }
        return decoded(bytes[start..<at])
    }

    // MARK: Nodes

    @discardableResult
    private mutating func add(_ node: PageDocument.Node) throws(PageParseError) -> Int {
        guard nodes.count < limits.nodes else { throw .tooManyNodes(limit: limits.nodes) }
        var node = node
        let parent = open[open.count - 1]
        node.parent = parent
        nodes.append(node)
        nodes[parent].children.append(nodes.count - 1)
        return nodes.count - 1
    }

    private mutating func add(text: String) throws(PageParseError) {
        let parent = open[open.count - 1]
        // What a stray sign cut in two is one text again.
        if let last = nodes[parent].children.last, last == nodes.count - 1, !nodes[last].isElement {
            nodes[last].text += text
        } else {
            try add(PageDocument.Node(text: text))
        }
    }

    // MARK: Signs

    private func starts(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { at + $0.count <= bytes.count && bytes[at..<(at + $0.count)].elementsEqual($0) }
    }

    private func startsLowercased(_ text: [UInt8]) -> Bool {
        guard at + text.count <= bytes.count else { return false }
        return zip(bytes[at..<(at + text.count)], text).allSatisfy { Self.lowercased($0) == $1 }
    }

    private mutating func skip(through ending: StaticString, of what: String) throws(PageParseError) {
        while at < bytes.count {
            if starts(ending) {
                at += ending.utf8CodeUnitCount
                return
            }
            at += 1
        }
        throw .unfinished(what)
    }

    private mutating func takeName() -> String {
        let start = at
        while at < bytes.count, !isSpace(bytes[at]), bytes[at] != 0x2F, bytes[at] != 0x3E { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self).lowercased()
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 32 : byte }

    private func isLetter(_ place: Int) -> Bool {
        place < bytes.count && (0x61...0x7A).contains(Self.lowercased(bytes[place]))
    }

    private func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains(byte) }

    /// Text with its character references replaced; what is no reference stays as it is.
    private func decoded(_ part: ArraySlice<UInt8>) -> String {
        guard part.contains(UInt8(ascii: "&")) else { return String(decoding: part, as: UTF8.self) }
        var result = ""
        var rest = part
        while let sign = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += String(decoding: rest[..<sign], as: UTF8.self)
            rest = rest[(sign + 1)...]
            let length = 12
            if let end = rest.prefix(length).firstIndex(of: UInt8(ascii: ";")),
                let meant = Self.character(String(decoding: rest[..<end], as: UTF8.self))
            {
                result += meant
                rest = rest[(end + 1)...]
            } else {
                result += "&"
            }
        }
        return result + String(decoding: rest, as: UTF8.self)
    }

    private static func character(_ reference: String) -> String? {
        guard reference.hasPrefix("#") else { return named[reference] }
        let isHexadecimal = reference.dropFirst().first?.lowercased() == "x"
        let code = UInt32(reference.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10)
        return code.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
    }
}
