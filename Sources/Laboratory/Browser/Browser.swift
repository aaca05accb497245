import Foundation
import Text

/// A headless Chromium with one page, driven over its debugging pipe and walled in by bubblewrap: no network, a private profile
/// that goes with it, and nothing to see but the system's programs and one folder of pages, both read-only.
///
/// Commands run one at a time. The browser ends with `close`, when a command takes too long or is cancelled, and with this value;
/// everything that it started goes with it.
public actor Browser {
    private let process: BrowserProcess
    private let pages: URL
    private let seconds: Double
    private var session: String?

    /// Starts a browser.
    ///
    /// - Parameters:
    ///   - folder: the pages that it may open; it works on a copy.
    ///   - seconds: how long a command may take, and the loading of a page.
    /// - Throws: `BrowserError`, saying what to install where something is missing.
    public init(pages folder: URL, seconds: Double = 20) async throws {
        try await self.init(pages: folder, seconds: seconds, programs: SandboxCommand.browsers)
    }

    package init(pages folder: URL, seconds: Double = 20, programs: [String]) async throws {
        let started = try await Self.start(pages: folder, programs: programs)
        self.seconds = seconds
        process = started.process
        pages = started.pages
        try await connect()
    }

    private static func start(pages folder: URL, programs: [String]) async throws -> (
        process: BrowserProcess, pages: URL
    ) {
        guard let program = programs.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw BrowserError.missing
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw BrowserError.missingPages(folder.path)
        }
        let pages = try copy(folder)
        do {
            let process = try BrowserProcess()
            try await process.start(SandboxCommand().browser(program, pages: pages.path))
            return (process, pages)
        } catch {
            try? FileManager.default.removeItem(at: pages)
            throw BrowserError.unprotected(error)
        }
    }

    private func connect() async throws {
        let targets = try await call("Target.getTargets")["targetInfos"]?.arrayValue ?? []
        guard let page = targets.first(where: { $0["type"]?.stringValue == "page" })?["targetId"] else {
            throw BrowserError.refused(command: "Target.getTargets", reason: "it has no page")
        }
        let reply = try await call("Target.attachToTarget", ["targetId": page, "flatten": true])
        session = reply["sessionId"]?.stringValue
        try await call("Page.enable")
    }

    deinit { try? FileManager.default.removeItem(at: pages) }

    /// A copy that the user whom the sandbox runs as can read, whatever the original's permissions. Links are left out.
    private static func copy(_ folder: URL) throws -> URL {
        let files = FileManager.default
        let copy = files.temporaryDirectory.appendingPathComponent("lyceum-pages-\(UUID().uuidString)")
        try files.copyItem(at: folder.resolvingSymlinksInPath(), to: copy)
        try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy.path)
        for case let file as URL in files.enumerator(at: copy, includingPropertiesForKeys: nil) ?? .init() {
            let kind = try files.attributesOfItem(atPath: file.path)[.type] as? FileAttributeType
            guard kind == .typeRegular || kind == .typeDirectory else {
                try files.removeItem(at: file)
                continue
            }
            let permissions = kind == .typeDirectory ? 0o755 : 0o644
            try files.setAttributes([.posixPermissions: permissions], ofItemAtPath: file.path)
        }
        return copy
    }

    /// Ends the browser and deletes its copy of the pages.
    public func close() async {
        process.interrupt()
        await process.end("it was closed")
        try? FileManager.default.removeItem(at: pages)
    }

    @discardableResult
    private func call(_ method: String, _ parameters: JSONValue = .object([])) async throws -> JSONValue {
        try await process.call(method, parameters, session: session, seconds: seconds)
    }

    // MARK: Pages

    /// Opens a page of the folder, by its path in it, and waits until it is loaded.
    public func open(_ page: String) async throws {
        let parts = page.split(separator: "/", omittingEmptySubsequences: false)
        guard !page.contains("\0"), parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
            FileManager.default.fileExists(atPath: pages.appendingPathComponent(page).path)
        else { throw BrowserError.badPage(page) }
        let url = URL(fileURLWithPath: SandboxCommand.pagesPath).appendingPathComponent(page, isDirectory: false)
        let reply = try await call("Page.navigate", ["url": .string(url.absoluteString)])
        if let reason = reply["errorText"]?.stringValue { throw BrowserError.refused(command: page, reason: reason) }
        try await wait("loading \(page)", until: "document.readyState === 'complete'")
    }

    /// Waits until an expression is true.
    public func wait(_ what: String, until expression: String) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            // While a page makes way for the next there is none to ask.
            do {
                if try await evaluate(expression).boolValue == true { return }
            } catch BrowserError.refused(let command, _) where command == "Runtime.evaluate" {}
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BrowserError.tooSlow(what: what, seconds: seconds)
    }

    /// The value of a JavaScript expression; promises are waited for.
    public func evaluate(_ expression: String) async throws -> JSONValue {
        let reply = try await call(
            "Runtime.evaluate",
            ["expression": .string(expression), "returnByValue": true, "awaitPromise": true, "userGesture": true])
        if let exception = reply["exceptionDetails"] {
            let reason = exception["exception"]?["description"]?.stringValue ?? exception["text"]?.stringValue
            throw BrowserError.refused(command: "JavaScript", reason: reason ?? "an exception")
        }
        return reply["result"]?["value"] ?? .null
    }

    /// The page's HTML as it stands, with what was typed, ticked and picked written into the attributes.
    /// - Parameter selector: a CSS selector for the parts that are wanted.
    public func html(_ selector: String = "html") async throws -> String {
        try await evaluate("(\(PageScripts.snapshot))(\(JSONValue.string(selector).text()))").stringValue ?? ""
    }

    // MARK: Acting

    /// Carries out an action with the events that a person's mouse and keyboard make.
    ///
    /// - Throws: `PageActionError` when the page has nothing to act on, `BrowserError`.
    public func act(_ action: PageAction) async throws {
        switch action {
        case .click(let xpath):
            let point = try await find(xpath, PageScripts.locate)
            try await mouse("mouseMoved", point)
            try await mouse("mousePressed", point)
            try await mouse("mouseReleased", point)
        case .hover(let xpath): try await mouse("mouseMoved", find(xpath, PageScripts.locate))
        case .select(let xpath): _ = try await find(xpath, PageScripts.select)
        case .type(let text):
            for character in text { try await type(character) }
        case .press(let key): try await press(key.event)
        }
        let address = try await evaluate("location.href").stringValue ?? ""
        guard address.hasPrefix("file://\(SandboxCommand.pagesPath)/") || address == "about:blank" else {
            try await call("Page.navigate", ["url": "about:blank"])
            throw BrowserError.leftPages(address)
        }
    }

    private func find(_ xpath: String, _ script: String) async throws -> JSONValue {
        let found = try await evaluate("(\(script))(\(JSONValue.string(xpath).text()))")
        switch found["failure"]?.stringValue {
        case nil: return found
        case "malformed": throw PageActionError.malformedPath(xpath)
        case "invisible": throw PageActionError.invisible(xpath)
        case "option": throw PageActionError.noOption(xpath)
        default: throw PageActionError.noElement(xpath)
        }
    }

    private func mouse(_ kind: JSONValue, _ point: JSONValue) async throws {
        try await call(
            "Input.dispatchMouseEvent",
            [
                "type": kind, "x": point["x"] ?? 0, "y": point["y"] ?? 0,
                "button": kind == "mouseMoved" ? "none" : "left", "clickCount": kind == "mouseMoved" ? 0 : 1,
            ])
    }

    private func type(_ character: Character) async throws {
        if character.isNewline { return try await press(PageKey.enter.event) }
        if let event = KeyEvent(typing: character) { return try await press(event) }
        // What no key stands for arrives as an input method sends it.
        try await call("Input.insertText", ["text": .string(String(character))])
    }

    private func press(_ key: KeyEvent) async throws {
        try await call("Input.dispatchKeyEvent", key.message(isDown: true))
        try await call("Input.dispatchKeyEvent", key.message(isDown: false))
    }
}
