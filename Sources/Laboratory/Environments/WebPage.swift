/// What an agent sees of a web page: its goal and the page's HTML.
public struct PageObservation: Sendable, Hashable {
    public var goal: String
    public var html: String

    public init(goal: String, html: String) {
        self.goal = goal
        self.html = html
    }
}

/// What an agent can do to a web page. Elements are named by XPath; the first in the document's order is meant.
public enum PageAction: Sendable, Hashable {
    case click(xpath: String)
    /// Picks an option of a list.
    case select(xpath: String)
    /// Moves the mouse over an element.
    case hover(xpath: String)
    /// Types into whatever has the focus. A newline is the Enter key.
    case type(String)
    case press(PageKey)
}

/// A key that has a name.
public enum PageKey: String, Sendable, Hashable, CaseIterable {
    case enter, tab, escape, backspace, delete, space, home, end
    case arrowLeft = "arrowleft"
    case arrowUp = "arrowup"
    case arrowRight = "arrowright"
    case arrowDown = "arrowdown"
}

/// Why an action could not be carried out on a page. The page is as it was.
public enum PageActionError: Error, Hashable, CustomStringConvertible {
    case malformedPath(String)
    case noElement(String)
    case invisible(String)
    case noOption(String)

    public var description: String {
        switch self {
        case .malformedPath(let path): "\(path.debugDescription) is no XPath for elements, such as //*[@id=\"name\"]."
        case .noElement(let path): "The page has no element at \(path.debugDescription)."
        case .invisible(let path): "The element at \(path.debugDescription) is there but can't be seen."
        case .noOption(let path): "The element at \(path.debugDescription) is no option of a list that can be picked."
        }
    }
}
