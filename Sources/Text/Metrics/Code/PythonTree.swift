/// A node of a Python program's syntax tree, with the names that tree-sitter's grammar of Python gives them.
package struct PythonTree: Sendable, Hashable {
    var kind: String
    /// The place in its parent (`left`, `body`), where the grammar names it.
    var field: String?
    /// False for keywords and punctuation, which the printed tree leaves out.
    var isNamed = true
    var children: [PythonTree] = []
    /// Of leaves, and of strings as a whole.
    var text = ""

    init(_ kind: String, _ children: [PythonTree]) {
        self.kind = kind
        self.children = children
    }

    init(leaf kind: String, _ text: String, isNamed: Bool = true) {
        self.kind = kind
        self.text = text
        self.isNamed = isNamed
    }

    /// A keyword or punctuation.
    static func mark(_ text: String) -> PythonTree { PythonTree(leaf: text, text, isNamed: false) }

    func at(_ field: String) -> PythonTree {
        var node = self
        node.field = field
        return node
    }

    subscript(field: String) -> PythonTree? { children.first { $0.field == field } }

    /// A whole token for the flow of data: strings count as one.
    var isToken: Bool { children.isEmpty || kind == "string" }

    /// `(assignment left: (identifier) right: (integer))`
    package var expression: String {
        var text = "(\(kind)"
        for child in children where child.isNamed {
            text += child.field.map { " \($0): " } ?? " "
            text += child.expression
        }
        return text + ")"
    }

    /// The printed trees of the root and of every node below it that has children.
    package var subtrees: [String] {
        var found: [String] = []
        collect(&found)
        return found
    }

    /// - Returns: this tree printed, so that nothing is printed twice.
    @discardableResult
    private func collect(_ found: inout [String]) -> String {
        var text = "(\(kind)"
        for child in children {
            let printed = child.children.isEmpty ? "(\(child.kind))" : child.collect(&found)
            if child.isNamed { text += (child.field.map { " \($0): " } ?? " ") + printed }
        }
        text += ")"
        found.append(text)
        return text
    }

    /// The tree of a program.
    package init(of program: String) { self = PythonTreeParser.tree(of: program) }

    /// The pattern that an expression is on the left of an assignment.
    var pattern: PythonTree {
        let patterns = ["tuple": "tuple_pattern", "list": "list_pattern", "list_splat": "list_splat_pattern"]
        guard let name = patterns[kind] else { return self }
        var node = self
        node.kind = name
        node.children = children.map(\.pattern)
        return node
    }
}
