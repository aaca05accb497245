/// A page that reacts to a person's actions as a browser's does, without a browser: fields take text, boxes are ticked, options picked, and
/// what was clicked is told to whoever runs the page.
///
/// What it leaves out: scripts, layout (everything that isn't hidden can be seen), and going to other pages.
public struct OfflinePage: Sendable, Hashable {
    public private(set) var document: PageDocument
    /// The element that the keyboard speaks to.
    public private(set) var focus: Int?

    public init(_ document: PageDocument) {
        self.document = document
        focus = document.elements.first { document.attribute("autofocus", of: $0) != nil }
    }

    /// The elements that an action activated, innermost first: what a page's scripts would listen to.
    public typealias Activated = [Int]

    /// Acts once.
    ///
    /// - Returns: what was activated, by the mouse or by Enter in a field.
    /// - Throws: `PageActionError`, and then the page is as it was.
    public mutating func act(_ action: PageAction) throws(PageActionError) -> Activated {
        switch action {
        case .hover(let path):
            _ = try find(path)
            return []
        case .click(let path): return click(try find(path))
        case .select(let path):
            let option = try locate(path)
            let list = document.closest("select", of: option)
            guard document.name(of: option) == "option", let list, !isDisabled(option), !isDisabled(list),
                document.isVisible(list)
            else { throw .noOption(path) }
            focus = list
            pick(option, in: list)
            return []
        case .type(let text):
            var activated: Activated = []
            for character in text { activated += character.isNewline ? enter() : write(character) }
            return activated
        case .press(let key): return press(key)
        }
    }

    private func locate(_ path: String) throws(PageActionError) -> Int {
        let found: Int?
        do { found = try PagePath(path).first(in: document) } catch { throw .malformedPath(path) }
        guard let found else { throw .noElement(path) }
        return found
    }

    private func find(_ path: String) throws(PageActionError) -> Int {
        let element = try locate(path)
        guard document.isVisible(element) else { throw .invisible(path) }
        return element
    }

    // MARK: Mouse

    private mutating func click(_ target: Int) -> Activated {
        var element = target
        // A label is its field's.
        if let label = document.closest("label", of: target), control(around: target, within: label) == nil,
            let field = field(of: label)
        {
            element = field
        }
        focus = control(around: element, within: 0)
        if let focus, isDisabled(focus) {
            self.focus = nil
            return []
        }
        let kind = document.kind(of: element)
        if document.name(of: element) == "input", kind == "checkbox" {
            let isTicked = document.attribute("checked", of: element) != nil
            document.set("checked", to: isTicked ? nil : "", of: element)
        } else if document.name(of: element) == "input", kind == "radio" {
            let name = document.attribute("name", of: element)
            for other in document.elements
            where document.kind(of: other) == "radio" && document.attribute("name", of: other) == name {
                document.set("checked", to: nil, of: other)
            }
            document.set("checked", to: "", of: element)
        }
        return around(element)
    }

    /// The element and all that it stands in: a click reaches them one after the other.
    private func around(_ element: Int) -> Activated { document.around(element).prefix { $0 != 0 } }

    private static let controls: Set<String> = ["input", "textarea", "select", "button", "a"]

    /// The nearest element that takes the focus.
    private func control(around element: Int, within limit: Int) -> Int? {
        around(element).prefix { $0 != limit }.first { Self.controls.contains(document.name(of: $0)) }
    }

    private func field(of label: Int) -> Int? {
        if let id = document.attribute("for", of: label) {
            return document.elements.first { document.attribute("id", of: $0) == id }
        }
        return document.descendants(of: label).first { Self.controls.contains(document.name(of: $0)) }
    }

    private func isDisabled(_ element: Int) -> Bool { document.attribute("disabled", of: element) != nil }

    private mutating func pick(_ option: Int, in list: Int) {
        let isSelected = document.attribute("selected", of: option) != nil
        if document.attribute("multiple", of: list) != nil {
            return document.set("selected", to: isSelected ? nil : "", of: option)
        }
        for other in document.descendants(of: list) where document.name(of: other) == "option" {
            document.set("selected", to: other == option ? "" : nil, of: other)
        }
    }

    // MARK: Keyboard

    /// What a field that has the focus holds; nil where it takes no text.
    private var typed: String? {
        guard let focus else { return nil }
        switch document.name(of: focus) {
        case "textarea": return document.text(of: focus)
        case "input":
            let kind = document.kind(of: focus) ?? "text"
            let isText = !["checkbox", "radio", "button", "submit", "reset", "file", "image", "range", "color"]
                .contains(kind)
            return isText && document.attribute("readonly", of: focus) == nil
                ? document.attribute("value", of: focus) ?? "" : nil
        default: return nil
        }
    }

    private mutating func set(_ text: String) {
        guard let focus else { return }
        if document.name(of: focus) == "textarea" {
            document.setText(of: focus, to: text)
        } else {
            document.set("value", to: text, of: focus)
        }
    }

    private mutating func write(_ character: Character) -> Activated {
        if let typed {
            set(typed + String(character))
        } else if character == " " {
            return press(.space)
        }
        return []
    }

    /// In a field for several lines a new line, in another one the click on its form's button, on a button its click.
    private mutating func enter() -> Activated {
        guard let focus else { return [] }
        if document.name(of: focus) == "textarea", let typed {
            set(typed + "\n")
            return []
        }
        if ["button", "a"].contains(document.name(of: focus)) { return click(focus) }
        guard let form = document.closest("form", of: focus),
            let button = document.descendants(of: form).first(where: { isSubmit($0) })
        else { return [] }
        return click(button)
    }

    private func isSubmit(_ element: Int) -> Bool {
        let kind = document.kind(of: element)
        switch document.name(of: element) {
        case "button": return kind == nil || kind == "submit"
        case "input": return kind == "submit"
        default: return false
        }
    }

    private mutating func press(_ key: PageKey) -> Activated {
        switch key {
        case .enter: return enter()
        case .backspace:
            if let typed { set(String(typed.dropLast())) }
        case .space:
            if let typed {
                set(typed + " ")
            } else if let focus, ["button", "input"].contains(document.name(of: focus)) {
                return click(focus)
            }
        case .arrowDown, .arrowUp:
            guard let focus, document.name(of: focus) == "select" else { return [] }
            let options = document.descendants(of: focus).filter {
                document.name(of: $0) == "option" && !isDisabled($0)
            }
            let current = options.lastIndex { document.attribute("selected", of: $0) != nil } ?? 0
            let next = current + (key == .arrowDown ? 1 : -1)
            if options.indices.contains(next) { pick(options[next], in: focus) }
        case .tab:
            let reachable = document.elements.filter {
                Self.controls.contains(document.name(of: $0)) && document.isVisible($0) && !isDisabled($0)
            }
            focus = reachable.first { $0 > focus ?? -1 } ?? reachable.first
        case .delete, .escape, .home, .end, .arrowLeft, .arrowRight:
            // There is no caret to move: text is written and deleted at its end.
            break
        }
        return []
    }
}
