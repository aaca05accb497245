/// An HTML page as a tree of elements and texts, for pages that need no browser.
///
/// It holds what a page's author wrote: nothing runs, nothing is loaded, and the elements that browsers add by themselves (`html`,
/// `body`, `tbody`) are not added. Nodes are numbered in the document's order; node 0 is the document.
public struct PageDocument: Sendable, Hashable {
    /// How much is read of a text that nobody has checked.
    public struct Limits: Sendable, Hashable {
        public var bytes = 1 << 20
        public var nodes = 20_000
        public var depth = 200
        public var attributes = 64

        public init() {}
    }

    public struct Attribute: Sendable, Hashable {
        public var name: String
        public var value: String
    }

    struct Node: Sendable, Hashable {
        /// In lower case; empty for texts and for the document.
        var name = ""
        var text = ""
        var attributes: [Attribute] = []
        var parent: Int?
        var children: [Int] = []

        var isElement: Bool { !name.isEmpty }
    }

    var nodes: [Node]

    /// Reads a page or a part of one.
    public init(parsing html: String, limits: Limits = Limits()) throws(PageParseError) {
        var parser = PageParser(html, limits: limits)
        nodes = try parser.parse()
    }

    // MARK: Elements

    /// The elements in the document's order.
    public var elements: [Int] { nodes.indices.filter { nodes[$0].isElement } }

    /// In lower case; empty for what is no element.
    public func name(of node: Int) -> String { nodes[node].name }

    public func attribute(_ name: String, of node: Int) -> String? {
        nodes[node].attributes.first { $0.name == name }?.value
    }

    /// The type of a field or a button, in lower case.
    func kind(of node: Int) -> String? { attribute("type", of: node)?.lowercased() }

    /// Sets an attribute; nil removes it.
    public mutating func set(_ name: String, to value: String?, of node: Int) {
        let place = nodes[node].attributes.firstIndex { $0.name == name }
        switch (place, value) {
        case (let place?, let value?): nodes[node].attributes[place].value = value
        case (let place?, nil): nodes[node].attributes.remove(at: place)
        case (nil, let value?): nodes[node].attributes.append(Attribute(name: name, value: value))
        case (nil, nil): break
        }
    }

    public func parent(of node: Int) -> Int? { nodes[node].parent }
    public func children(of node: Int) -> [Int] { nodes[node].children }

    /// A node and all that it stands in, the innermost first and the document last.
    func around(_ node: Int) -> some Sequence<Int> { sequence(first: node) { nodes[$0].parent } }

    /// Everything below a node, in the document's order.
    public func descendants(of node: Int) -> Range<Int> {
        // Numbered in the document's order, they follow the node without a gap.
        var last = node
        while let child = nodes[last].children.last { last = child }
        return (node + 1)..<(last + 1)
    }

    /// The nearest element of a name around a node, or the node itself.
    public func closest(_ name: String, of node: Int) -> Int? { around(node).first { nodes[$0].name == name } }

    /// All text in a node, as XPath's string value has it.
    public func text(of node: Int) -> String {
        nodes[node..<descendants(of: node).upperBound].map(\.text).joined()
    }

    /// Replaces what a field for several lines holds.
    mutating func setText(of area: Int, to text: String) {
        // The parser gives every such field its text, be it empty.
        if let content = nodes[area].children.first { nodes[content].text = text }
    }

    /// Whether a person would see the element: neither it nor what it stands in is hidden, and it is of a kind that is shown.
    public func isVisible(_ node: Int) -> Bool {
        if nodes[node].name == "option" || kind(of: node) == "hidden" { return false }
        return around(node).allSatisfy { at in
            if Self.unseen.contains(nodes[at].name) || attribute("hidden", of: at) != nil { return false }
            let style = (attribute("style", of: at) ?? "").lowercased().filter { !$0.isWhitespace }
            return !style.contains("display:none") && !style.contains("visibility:hidden")
        }
    }

    private static let unseen: Set<String> = ["head", "script", "style", "template", "title", "noscript"]

    // MARK: Writing

    /// The page as HTML.
    public var html: String { nodes[0].children.map { html(of: $0) }.joined() }

    /// A node with all that it holds as HTML.
    public func html(of node: Int) -> String {
        var result = ""
        write(node, to: &result)
        return result
    }

    private func write(_ node: Int, to result: inout String) {
        let this = nodes[node]
        guard this.isElement else {
            let isRaw = this.parent.map { PageParser.raw.contains(nodes[$0].name) } ?? false
            result += isRaw ? this.text : Self.escaped(this.text)
            return
        }
        result += "<" + this.name
        for attribute in this.attributes {
            result +=
                " " + attribute.name + "=\"" + Self.escaped(attribute.value).replacing("\"", with: "&quot;") + "\""
        }
        result += ">"
        guard !PageParser.void.contains(this.name) else { return }
        for child in this.children { write(child, to: &result) }
        result += "</" + this.name + ">"
    }

    /// As browsers write text back.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}

/// Why a page can't be read.
public enum PageParseError: Error, Hashable, CustomStringConvertible {
    case tooLong(bytes: Int, limit: Int)
    case tooManyNodes(limit: Int)
    case tooDeep(limit: Int)
    case tooManyAttributes(element: String, limit: Int)
    /// The page ends inside a tag, a comment or a script.
    case unfinished(String)

    public var description: String {
        switch self {
        case .tooLong(let bytes, let limit): "The page has \(bytes) bytes; at most \(limit) are read."
        case .tooManyNodes(let limit): "The page has more than \(limit) elements and texts."
        case .tooDeep(let limit): "The page's elements stand more than \(limit) deep in one another."
        case .tooManyAttributes(let element, let limit): "A <\(element)> has more than \(limit) attributes."
        case .unfinished(let what): "The page ends inside \(what), which must be closed."
        }
    }
}
