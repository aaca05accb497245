import Foundation
import Inference
import Laboratory
import Testing

/// Whether a browser can be started on this machine.
enum BrowserMachine {
    static func trait(needsMiniWoB: Bool = false) -> ConditionTrait {
        .enabled("there is no Chromium in a sandbox here, or no MiniWoB++; type: make browser") {
            do {
                _ = try await Sandbox()
                let folder = try TemporaryFolder()
                let browser = try await Browser(pages: folder.url)
                await browser.close()
            } catch is SandboxError {
                return false
            } catch BrowserError.missing {
                return false
            }
            return !needsMiniWoB || FileManager.default.fileExists(atPath: MiniWoB.pages.path)
        }
    }
}

@Suite struct BrowserRefusalTests {
    @Test func withoutChromiumOrPagesItSaysWhatToInstall() async throws {
        let folder = try TemporaryFolder()
        await #expect(throws: BrowserError.missing) { try await Browser(pages: folder.url, programs: ["/nowhere"]) }
        let gone = folder.url.appendingPathComponent("gone")
        await #expect(throws: BrowserError.missingPages(gone.path)) {
            try await Browser(pages: gone, programs: ["/bin/sh"])
        }
        #expect(BrowserError.missing.description.contains("apt-get install chromium"))
    }
}

@Suite(BrowserMachine.trait(), .serialized)
struct BrowserTests {
    private static let page = """
        <!DOCTYPE html><title>form</title>
        <input id=who><select id=list><option>one<option>two</select><input type=checkbox id=tick>
        <button id=go>Go</button>
        <p id=hidden style="display:none">x</p>
        <script>
        const at = id => document.getElementById(id);
        let log = [];
        at('who').onkeydown = e => log.push(e.key + ' ' + e.keyCode);
        at('list').onchange = e => log.push(e.target.value);
        at('go').onmouseover = e => log.push('over ' + e.isTrusted);
        at('go').onclick = e => { alert('sure?'); log.push('click ' + e.isTrusted); };
        </script>
        """

    @Test func aFormIsFilledByRealEvents() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("form.html", Self.page)
        let browser = try await Browser(pages: folder.url)
        try await browser.open("form.html")
        try await browser.act(.click(xpath: "//*[@id='who']"))
        try await browser.act(.type("Ab1é\n"))
        try await browser.act(.press(.backspace))
        try await browser.act(.select(xpath: "//option[text()='two']"))
        try await browser.act(.click(xpath: "//input[@type='checkbox']"))
        try await browser.act(.hover(xpath: "//button[.='Go']"))
        try await browser.act(.click(xpath: "//*[@id='go']/text()"))
        let log = try await browser.evaluate("log").arrayValue?.compactMap(\.stringValue)
        #expect(log == ["A 65", "b 66", "1 49", "Enter 13", "Backspace 8", "two", "over true", "click true"])
        #expect(
            try await browser.html("#who, #tick") == #"<input id="who" value="Ab1">"# + "\n"
                + #"<input type="checkbox" id="tick" checked="">"#)
        #expect(try await browser.html("option") == "<option>one</option>\n" + #"<option selected="">two</option>"#)
        await browser.close()
    }

    @Test func whatCannotBeDoneIsTold() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("form.html", Self.page)
        let browser = try await Browser(pages: folder.url)
        try await browser.open("form.html")
        for (path, error) in [
            ("//*[", PageActionError.malformedPath("//*[")), ("count(//p)", .malformedPath("count(//p)")),
            ("//em", .noElement("//em")), ("//p[@id='hidden']", .invisible("//p[@id='hidden']")),
        ] {
            await #expect(throws: error) { try await browser.act(.click(xpath: path)) }
        }
        await #expect(throws: PageActionError.noOption("//p")) { try await browser.act(.select(xpath: "//p")) }
        await #expect(throws: BrowserError.self) { try await browser.evaluate("throw new Error('no')") }
        // The page is as it was.
        #expect(try await browser.evaluate("document.title") == "form")
        await browser.close()
    }

    @Test func nothingButTheFolderIsReached() async throws {
        let folder = try TemporaryFolder()
        let secret = try TemporaryFolder()
        let path = try secret.write("secret.html", "secret")
        _ = try folder.write("form.html", Self.page)
        try FileManager.default.createSymbolicLink(
            at: folder.url.appendingPathComponent("link.html"), withDestinationURL: URL(fileURLWithPath: path))
        let browser = try await Browser(pages: folder.url)
        for page in ["../form.html", "/etc/passwd", "", "http://localhost/", "a/../form.html", "link.html"] {
            await #expect(throws: BrowserError.badPage(page)) { try await browser.open(page) }
        }
        try await browser.open("form.html")
        // An address without a name server, so that only the missing network can stop it; an image, which any origin may load.
        let load = """
            new Promise(done => { const i = new Image(); i.onload = () => done('loaded'); i.onerror = () => done('failed');
              i.src = 'http://1.1.1.1/favicon.ico'; })
            """
        #expect(try await browser.evaluate(load) == "failed")
        // A page that goes elsewhere is noticed at the next action, and left.
        _ = try await browser.evaluate("location.href = 'file:///usr/'; 0")
        try await browser.wait("leaving", until: "location.pathname === '/usr/'")
        await #expect(throws: BrowserError.leftPages("file:///usr/")) { try await browser.act(.press(.tab)) }
        try await browser.wait("the empty page", until: "location.href === 'about:blank'")
        await browser.close()
    }

    @Test func aPageThatHangsEndsTheBrowserAndClosingIsFinal() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("form.html", Self.page)
        let browser = try await Browser(pages: folder.url, seconds: 4)
        try await browser.open("form.html")
        await #expect(throws: BrowserError.tooSlow(what: "Runtime.evaluate", seconds: 4)) {
            try await browser.evaluate("while (true) {}")
        }
        await #expect(throws: BrowserError.ended("Runtime.evaluate took too long")) {
            try await browser.evaluate("1")
        }
    }
}

@Suite(BrowserMachine.trait(needsMiniWoB: true), .serialized)
struct MiniWoBTests {
    @Test func everyTaskStartsTheSameFromASeedAndAnUnknownOneIsRefused() async throws {
        let browser = try await Browser(pages: MiniWoB.pages)
        for task in MiniWoB.tasks {
            let world = try MiniWoB(task, in: browser)
            let first = try await world.reset(seed: 5)
            #expect(!first.goal.isEmpty && first.html.contains("id=\"area\""), "\(task)")
            #expect(try await world.reset(seed: 5).goal == first.goal, "\(task)")
        }
        #expect(throws: MiniWoBError.unknownTask("fly")) { try MiniWoB("fly", in: browser) }
        await browser.close()
    }

    @Test func theRightActionsAreRewardedAndTheWrongOnesAreNot() async throws {
        let browser = try await Browser(pages: MiniWoB.pages)
        let typing = try MiniWoB("enter-text", in: browser)
        for isRight in [true, false] {
            let goal = try await typing.reset(seed: 3).goal
            let word = goal.split(separator: "\"")[1]
            #expect(try await !typing.step(.click(xpath: "//input[@id='tt']")).isDone)
            #expect(try await typing.step(.type(isRight ? String(word) : "x")).reward == 0)
            let last = try await typing.step(.click(xpath: "//button[@id='subbtn']"))
            #expect(last.isDone && last.reward == (isRight ? 1 : -1))
        }
        await browser.close()
    }
}
