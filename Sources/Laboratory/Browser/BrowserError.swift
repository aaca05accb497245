/// Why a browser can't be used, or broke down.
public enum BrowserError: Error, Hashable, CustomStringConvertible {
    case missing
    case missingPages(String)
    /// The walls around the browser can't be made; there is no browser without them.
    case unprotected(SandboxError)
    case badPage(String)
    /// A page went to an address outside the folder of pages.
    case leftPages(String)
    case tooSlow(what: String, seconds: Double)
    /// The browser's own message about a command, or the page's exception.
    case refused(command: String, reason: String)
    case ended(String)

    public var description: String {
        switch self {
        case .missing:
            "Chromium is not installed. Type: apt-get install chromium (or make browser, which also fetches MiniWoB++)."
        case .missingPages(let path): "There is no folder of pages at \(path). Type: make browser"
        case .unprotected(let error): "The browser only runs inside a sandbox. \(error)"
        case .badPage(let page):
            "\(page.debugDescription) is no page of the allowed folder; give a path inside it, such as miniwob/click-test.html."
        case .leftPages(let address):
            "The page went to \(address), which is outside the allowed folder; the browser was sent back to an empty page."
        case .tooSlow(let what, let seconds):
            "The browser did not finish \(what) within \(NumberText.short(seconds)) s and was ended. Allow more seconds, or a simpler page."
        case .refused(let command, let reason): "The browser refused \(command): \(reason)"
        case .ended(let reason): "The browser has ended: \(reason). Start another one."
        }
    }
}
