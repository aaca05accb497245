import Laboratory
import Testing
import Text

@Suite struct PageDocumentTests {
    @Test func aCarelessPageIsReadAsBrowsersReadIt() throws {
        let cases = [
            ("<p>one<p>two", "<p>one</p><p>two</p>"),
            ("<ul><li>a<li>b<ul><li>c</ul></ul>", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
            (
                "<select><option>x<option selected>y</select>z",
                "<select><option>x</option><option selected=\"\">y</option></select>z"
            ),
            (
                "<table><tr><td>1<td>2<tr><td>3</table>",
                "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"
            ),
            ("<DIV ID=a Class='b c'>x</DIV></b>", "<div id=\"a\" class=\"b c\">x</div>"),
            ("a<br/>b<input value=\"1\" value=2>", "a<br>b<input value=\"1\">"),
            ("<!doctype html><!-- no <p> --><i>&lt;&amp;&#65;&#x42;&bogus;&</i>", "<i>&lt;&amp;AB&amp;bogus;&amp;</i>"),
            (
                "<script>if (a < b) '</p>'</script><b title='\"'>1 < 2</b>",
                "<script>if (a < b) '</p>'</script><b title=\"&quot;\">1 &lt; 2</b>"
            ),
            ("<textarea>a&amp;<b></textarea>", "<textarea>a&amp;&lt;b&gt;</textarea>"),
            ("<svg><circle r=1 /><path/></svg>", "<svg><circle r=\"1\"></circle><path></path></svg>"),
            ("<b><i>x</b>y", "<b><i>x</i></b>y"),
        ]
        for (given, expected) in cases {
            let page = try PageDocument(parsing: given)
            #expect(page.html == expected, "\(given)")
            #expect(try PageDocument(parsing: page.html).html == expected, "again: \(given)")
        }
    }

    @Test func whatIsTooMuchOrUnfinishedIsRefused() throws {
        var limits = PageDocument.Limits()
        limits.bytes = 200
        limits.nodes = 8
        limits.depth = 4
        limits.attributes = 2
        let cases: [(String, PageParseError)] = [
            (String(repeating: "x", count: 201), .tooLong(bytes: 201, limit: 200)),
            ("<b></b><b></b><b></b><b></b><b></b><b></b><b></b><b></b>", .tooManyNodes(limit: 8)),
            ("<b><b><b><b><b>", .tooDeep(limit: 4)), ("<b a b c>", .tooManyAttributes(element: "b", limit: 2)),
            ("<b", .unfinished("the tag <b>")), ("<b a='x>", .unfinished("an attribute of <b>")),
            ("<!-- x", .unfinished("a comment")), ("<script>x", .unfinished("<script>")),
            ("x</b", .unfinished("the end tag of <b>")),
        ]
        for (html, error) in cases {
            #expect(throws: error, "\(html)") { try PageDocument(parsing: html, limits: limits) }
        }
    }

    /// Broken pages are errors or trees, never traps.
    @Test func randomSignsAreReadOrRefused() throws {
        var generator = SeededGenerator(seed: 4)
        let pieces = [
            "<", ">", "/", "p", "li", "=", "\"", "'", "&", ";", "#x", "!--", "--", " ", "script", "table", "td", "é",
        ]
        for _ in 0..<3_000 {
            let html = (0..<generator.below(24)).compactMap { _ in generator.pick(pieces) }.joined()
            if let page = try? PageDocument(parsing: html) {
                #expect(try PageDocument(parsing: page.html).html == page.html, "\(html)")
            }
            _ = try? PagePath(html)
        }
    }
}

@Suite struct PagePathTests {
    static let html = """
        <div id="area"><h3 class="a b">Title <i>one</i></h3><ul><li>x<li id="l2">y<li>z</ul>
        <button id="b1">Save</button><button id="b2" disabled>  Send
        it </button><input type="text" value="7"><a href="#t">go</a><select><option>one</option><option selected>two</option></select>
        <p>5</p><p>12</p><label for="b1">Name</label></div>
        """

    /// Paths with the identifiers, or else the texts, of the elements that they name.
    static let paths: [(path: String, named: [String])] = [
        ("//button", ["b1", "b2"]), ("//BUTTON[1]", ["b1"]), ("(//li)[2]", ["l2"]), ("//li[last()]", ["z"]),
        ("//li[position() < 3]", ["x", "l2"]), ("//*[@id='b1']", ["b1"]), ("id('b2')", ["b2"]),
        ("//button[text()=\"Save\"]", ["b1"]), ("//button[normalize-space()='Send it']", ["b2"]),
        ("//button[contains(., 'Send') and @disabled]", ["b2"]), ("//button[not(@disabled)]", ["b1"]),
        ("//h3[contains(@class, 'b')]/i", ["one"]), ("//i/..", ["Title one"]), ("//i/ancestor::div", ["area"]),
        ("/div/button[2]", ["b2"]), ("//li[.='y']/preceding-sibling::li", ["x"]),
        ("//li[2]/following-sibling::*", ["z"]),
        ("//button[1]/following::input/@value", ["7"]), ("//input[@value + 1 = 8]", ["7"]), ("//p[. > 6]", ["12"]),
        ("//p[. * 2 = 10 or . mod 5 = 2]", ["5", "12"]), ("//h3 | //a", ["Title one", "go"]),
        ("//option[@selected]", ["two"]),
        ("//*[starts-with(@id, 'b')][2]", ["b2"]), ("(//*[starts-with(@id, 'b')])[2]", ["b2"]),
        ("//label[@for=//button/@id]", ["Name"]), ("//em", []), ("//ul/li[3]/text()", ["z"]),
        ("//button[string-length(@id) = 2][translate(., 'SAVE', 'save')='save']", ["b1"]),
        ("//li[count(preceding-sibling::li) = 1]", ["l2"]), ("//*[name()='a']", ["go"]), ("descendant::p[2]", ["12"]),
        ("//p[-1 < -. + 6 and true()]", ["5"]), ("//a[@href='#t']/self::a", ["go"]), ("//li[floor(2.7)]", ["l2"]),
        ("//li[substring(., 1, 1) = substring-before('y-z', '-')]", ["l2"]), ("//div//a/preceding::i", ["one"]),
    ]

    @Test func pathsNameWhatTheyShould() throws {
        let page = try PageDocument(parsing: Self.html)
        for (path, named) in Self.paths {
            let found = try PagePath(path).all(in: page).map { element in
                page.attribute("id", of: element) ?? page.attribute("value", of: element) ?? page.text(of: element)
            }
            #expect(found == named, "\(path)")
        }
        for (condition, holds) in [
            ("//input/@value = '7'", true), ("//input/@value != '7'", false), ("count(//li) = 3 and not(//em)", true),
            ("//em", false),
            ("sum(//p) = 17", true), ("round(2.5) = 3", true), ("'a' < 'b'", false),
            ("concat('a', 1 div 2) = 'a0.5'", true),
            ("boolean(//p) = true()", true), ("//p = //input/@value", false),
        ] {
            #expect(try PagePath(condition).holds(in: page) == holds, "\(condition)")
        }
    }

    @Test func whatIsNoPathIsToldWhere() throws {
        let cases: [(String, PagePathError)] = [
            ("//*[", .malformed("a step", at: 4)), ("//a]", .malformed("its end", at: 3)),
            ("", .malformed("a step", at: 0)),
            ("//a[@id='x]", .malformed("a closing '", at: 11)), ("//a[1", .malformed("\"]\"", at: 5)),
            ("document('file:///etc/passwd')", .unknownFunction("document")),
            ("sideways::a", .malformed("the name of an axis", at: 0)),
            (String(repeating: "(", count: 60) + "1" + String(repeating: ")", count: 60), .tooDeep(limit: 40)),
            (String(repeating: "/a", count: 1_500), .tooLong(limit: 2_000)),
            ("//a $ b", .malformed("a step or an expression", at: 4)),
        ]
        for (path, error) in cases { #expect(throws: error, "\(path)") { try PagePath(path) } }
        let page = try PageDocument(parsing: Self.html)
        #expect(throws: PagePathError.noNodes("count(//p)")) { try PagePath("count(//p)").first(in: page) }
        #expect(throws: PagePathError.wrongArguments(function: "not")) { try PagePath("//a[not()]").first(in: page) }
        let large = try PageDocument(parsing: String(repeating: "<b>x</b>", count: 4_000))
        #expect(throws: PagePathError.tooMuchWork(limit: 2_000_000)) {
            try PagePath("//b[//b[.='y']]").first(in: large)
        }
    }
}

@Suite(BrowserMachine.trait(), .serialized)
struct PagePathInBrowserTests {
    /// The browser's own XPath over the same page is the reference.
    @Test func chromiumFindsTheSameElements() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("page.html", "<!DOCTYPE html><body>" + PagePathTests.html + "</body>")
        let browser = try await Browser(pages: folder.url)
        try await browser.open("page.html")
        for (path, named) in PagePathTests.paths where !path.hasPrefix("/div") {
            let found = try await browser.evaluate(
                """
                (path => {
                  const all = document.evaluate(path, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
                  return [...Array(all.snapshotLength).keys()].map(i => all.snapshotItem(i)).map(n => n.ownerElement || n)
                    .map(n => n.nodeType === 1 ? n : n.parentElement).map(n => n.id || n.getAttribute('value') || n.textContent);
                })(\(JSONValue.string(path).text()))
                """)
            #expect(found.arrayValue?.compactMap(\.stringValue) == named, "\(path)")
        }
        await browser.close()
    }
}

@Suite struct OfflinePageTests {
    private func page(_ html: String) throws -> OfflinePage { try OfflinePage(PageDocument(parsing: html)) }

    @Test func aFormIsFilled() throws {
        var page = try page(
            "<form><label>Who <input id=w></label><textarea id=t></textarea><input type=radio name=r id=r1 checked>"
                + "<input type=radio name=r id=r2><input type=checkbox id=c><select><option>one</option><option>two</option></select>"
                + "<button id=go>Go</button></form>")
        _ = try page.act(.click(xpath: "//label"))
        _ = try page.act(.type("Adaa"))
        _ = try page.act(.press(.backspace))
        _ = try page.act(.press(.tab))
        _ = try page.act(.type("a\nb"))
        _ = try page.act(.click(xpath: "//*[@id='r2']"))
        _ = try page.act(.click(xpath: "//*[@id='c']"))
        _ = try page.act(.select(xpath: "//option[.='two']"))
        #expect(
            page.document.html
                == "<form><label>Who <input id=\"w\" value=\"Ada\"></label><textarea id=\"t\">a\nb</textarea>"
                + "<input type=\"radio\" name=\"r\" id=\"r1\"><input type=\"radio\" name=\"r\" id=\"r2\" checked=\"\">"
                + "<input type=\"checkbox\" id=\"c\" checked=\"\"><select><option>one</option><option selected=\"\">two</option></select>"
                + "<button id=\"go\">Go</button></form>")
        _ = try page.act(.click(xpath: "//*[@id='c']"))
        #expect(try PagePath("not(//*[@id='c']/@checked)").holds(in: page.document))
        _ = try page.act(.press(.arrowUp))
        // Enter in a field is the click on the form's button.
        _ = try page.act(.click(xpath: "//*[@id='w']"))
        let activated = try page.act(.type("!\n"))
        #expect(activated.first.map { page.document.attribute("id", of: $0) } == "go")
    }

    @Test func whatCannotBeDoneLeavesThePage() throws {
        var page = try page(
            "<div style='display: none'><b>x</b></div><select disabled><option>o</option></select><button disabled id=d>D</button><p>t</p>"
        )
        let before = page
        for (action, error) in [
            (PageAction.click(xpath: "//*["), PageActionError.malformedPath("//*[")),
            (.click(xpath: "count(//p)"), .malformedPath("count(//p)")),
            (.click(xpath: "//em"), .noElement("//em")), (.hover(xpath: "//b"), .invisible("//b")),
            (.click(xpath: "//option"), .invisible("//option")),
            (.select(xpath: "//option"), .noOption("//option")), (.select(xpath: "//p"), .noOption("//p")),
        ] {
            #expect(throws: error) { try page.act(action) }
        }
        #expect(page == before)
        #expect(try page.act(.click(xpath: "//*[@id='d']")).isEmpty)
        #expect(try page.act(.type("nowhere")).isEmpty)
        #expect(page == before)
    }

    @Test func everyPracticeTaskIsSolvedByItsSolutionAloneAndRepeatsFromItsSeed() async throws {
        for task in PracticeTask.allCases {
            let world = try PracticePages(task)
            for seed in 0..<20 as Range<UInt64> {
                let start = try await world.reset(seed: seed)
                #expect(try await PracticePages(task).reset(seed: seed) == start)
                let solution = task.solution(seed: seed)
                var rewards: [Double] = []
                for (place, action) in solution.enumerated() {
                    let step = try await world.step(action)
                    rewards.append(step.reward)
                    #expect(step.isDone == (place == solution.count - 1))
                }
                #expect(rewards == Array(repeating: 0, count: solution.count - 1) + [1], "\(task) \(seed)")
                // The last action alone does it only where it is all there is.
                _ = try await world.reset(seed: seed)
                if let last = solution.last, solution.count > 1, task != .login {
                    #expect(try await world.step(last).reward == -1, "\(task) \(seed)")
                }
            }
            #expect(Set((0..<20 as Range<UInt64>).map { task.solution(seed: $0) }).count > 10)
        }
    }

    @Test func aPageOfOnesOwnIsDoneWhenItsConditionHolds() async throws {
        let world = try OwnPage(html: "<input id=n>", goal: "Write Ada.", success: "//input/@value = 'Ada'")
        _ = await world.reset(seed: 1)
        #expect(try await !world.step(.click(xpath: "//input")).isDone)
        #expect(
            try await world.step(.type("Ada")) == .init(observation: await world.observe(), reward: 1, isDone: true))
        #expect(throws: PagePathError.self) { try OwnPage(html: "", goal: "", success: "//[") }
    }
}
