import Foundation
import Laboratory
import Testing
import Text

@Suite struct ReportTests {
    /// A report with every kind of block and hostile text everywhere.
    static func everything() throws -> Report {
        let nasty = "<script>alert(\"x\")</script> & 'q' | *b* \u{1B}[31m 漢字 👩‍👩‍👧"
        var report = Report("Title \(nasty)", summary: "Summary \(nasty)")
        report.section("Section \(nasty)")
        report.note("Note \(nasty)\nsecond line")
        report.add([
            Metric("accuracy \(nasty)", try .accuracy(correct: 8, of: 10), style: .percent),
            Metric("count", 12, style: .whole),
            Metric("not a number", .nan),
        ])
        report.add(
            Comparison(
                "exact match", baseline: "plain", method: "steered \(nasty)",
                try PairedDifference(
                    baseline: [false, false, true, false, false, false, true],
                    method: [true, true, true, true, true, true, true]), style: .percent))
        var table = Table("Table \(nasty)", columns: [.text("Name"), .number("Value")])
        table.add("a \(nasty)", "1.0")
        table.add("漢字", "22.5", emphasised: true)
        report.add(table)
        report.add(
            Plot(
                "Lines \(nasty)", x: "step", y: "loss",
                .lines([
                    .init("train \(nasty)", values: [3, 2, 1.5, .nan]),
                    .init("test", [.init(0, 3.2, low: 3, high: 3.5), .init(3, 2)]),
                ])))
        report.add(
            Plot("Bars", y: "p(gold)", .bars([.init("one \(nasty)", 0.2, low: 0.1, high: 0.3), .init("two", -0.1)])))
        report.add(Plot("Cloud", .scatter([.init("points", [.init(1, 1), .init(2, 4)])])))
        report.add(
            Plot(
                "Heat", x: "head", y: "layer",
                .heatMap(
                    .init(
                        rows: ["0 \(nasty)", "1"], columns: ["0", "1", "2"], values: [[0, 0.5, 1], [.nan, 0.2, 0.3]]))))
        report.add([
            SampleTrace(
                "1 \(nasty)", input: "Input \(nasty)", expected: "Paris",
                arms: [
                    .init("plain", "Lyon \(nasty)", isCorrect: false, score: 0.1),
                    .init("steered", "Paris", isCorrect: true, steps: [.init("span \(nasty)", "chosen ``` \(nasty)")]),
                ])
        ])
        report.run = RunSummary(
            id: "0312-abcd", slug: "autopasta", model: "SmolLM2 \(nasty)", modelReference: "embedded",
            fingerprint: "0123456789abcdef0123", options: ["alpha": 0.01, "word": .string(nasty)], data: "d.jsonl",
            seed: 1, started: 1_700_000_000, seconds: 12.5, version: "1.0")
        report.verdict = Verdict(
            slug: "autopasta",
            Demonstration(
                report, checks: [Check("top-1 \(nasty)", 0.98, .atLeast(0.8)), Check("random", 0.03, .atMost(0.1))],
                controls: [.init("unsteered", 0.38)]), seconds: 12.5, seed: 1)
        return report
    }

    @Test func jsonReadsBack() throws {
        let report = try Self.everything()
        let text = try report.rendered(.json)
        let again = try JSONValueDecoder.decode(Report.self, from: JSONValue(parsing: text))
        #expect(try again.rendered(.json) == text)
        #expect(again.blocks.count == report.blocks.count)
        #expect(again.run == report.run)
        #expect(again.verdict == report.verdict)
    }

    @Test func htmlEscapesEverythingAndStandsAlone() throws {
        let html = try Self.everything().rendered(.html)
        #expect(!html.contains("<script"))
        #expect(!html.contains("\u{1B}"))
        #expect(html.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"))
        for address in ["src=", "href=", "url(", "@import", "http://"] {
            #expect(!html.contains(address), "\(address)")
        }
        #expect(html.contains("<details class=\"sample\">"))
        #expect(html.contains("prefers-color-scheme:dark"))
        #expect(html.contains("holds"))
        #expect(!html.contains("nan") && !html.contains("NaN"))
    }

    @Test func htmlIsWellFormed() throws {
        let html = try Self.everything().rendered(.html)
        var open: [String] = []
        let void: Set<String> = ["meta", "br", "!doctype"]
        var rest = html[...]
        while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber || $0 == "!" })
            if tag.hasPrefix("/") {
                #expect(open.popLast() == name, "\(name)")
            } else if !tag.hasSuffix("/"), !void.contains(name) {
                open.append(name)
            }
        }
        #expect(open.isEmpty)
    }

    @Test func markdownKeepsMarkupLiteral() throws {
        let text = try Self.everything().rendered(.md)
        #expect(text.contains("&lt;script&gt;"))
        #expect(text.contains("| exact match |") == false && text.contains("**exact match**"))
        #expect(text.contains("````text\nchosen ``` "))
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| plain") }
        #expect(rows.count == 1 && rows[0].filter { $0 == "|" }.count == 5)
    }

    @Test func terminalFitsItsWidthAndHasNoColourWhenPlain() throws {
        let report = try Self.everything()
        for width in [50, 80, 120] {
            let terminal = Terminal(isTerminal: false, width: width, hasColour: false)
            let text = TerminalRenderer(terminal).render(report)
            for line in text.split(separator: "\n") {
                #expect(displayWidth(String(line)) <= width, "\(width): \(line)")
            }
            #expect(!text.contains("\u{1B}"))
        }
        let coloured = TerminalRenderer(Terminal(isTerminal: true, width: 80, hasColour: true)).render(report)
        #expect(coloured.contains("\u{1B}[32m"))
        #expect(!coloured.contains("\u{1B}[31m 漢字"))
    }

    @Test func numbersAreSpelt() {
        #expect(NumberStyle.percent.text(0.1234) == "12.3 %")
        #expect(NumberStyle.decimals(2).text(-0.005) == "-0.01")
        #expect(NumberStyle.decimals(2).text(-0.001) == "0.00")
        #expect(NumberStyle.decimals(3).text(.nan) == "n/a")
        #expect(NumberStyle.seconds.text(75) == "1 min 15 s")
        #expect(Metric("m", Estimate(0.5, low: 0.25, high: 0.75, count: 4)).text == "0.500 [0.250, 0.750]")
    }

    /// A plain reading of width: East Asian characters and emoji take two columns.
    private func displayWidth(_ text: String) -> Int {
        text.reduce(0) { sum, character in
            let scalar = character.unicodeScalars.first?.value ?? 0
            return sum + ((0x2E80...0x9FFF).contains(scalar) || scalar > 0x1F000 ? 2 : 1)
        }
    }
}

@Suite struct ComparisonTests {
    private func outcome(_ baseline: [Bool], _ method: [Bool], higherIsBetter: Bool = true) throws -> Comparison.Outcome
    {
        Comparison(
            "m", method: "m", try PairedDifference(baseline: baseline, method: method), higherIsBetter: higherIsBetter
        ).outcome
    }

    @Test func onlyMoreThanChanceIsCalledBetter() throws {
        let wrong = [Bool](repeating: false, count: 12)
        let right = [Bool](repeating: true, count: 12)
        #expect(try outcome(wrong, right) == .better)
        #expect(try outcome(right, wrong) == .worse)
        #expect(try outcome(wrong, right, higherIsBetter: false) == .worse)
        #expect(try outcome(right, right) == .undecided)
        // Five of five better: the bootstrap interval excludes zero, but chance does that once in sixteen times.
        #expect(try outcome(Array(wrong.prefix(5)), Array(right.prefix(5))) == .undecided)
    }
}

@Suite struct VerdictTests {
    private func verdict(_ checks: [Check], isExpected: Bool = true) -> Verdict {
        Verdict(
            slug: "m",
            Demonstration(Report("r"), checks: checks, controls: [.init("c", 0.5)], isExpectedAtThisSize: isExpected),
            seconds: 1.23456, seed: 7)
    }

    @Test func outcomes() {
        let good = Check("a", 1, .atLeast(1))
        let bad = Check("b", 0.5, .between(0.6, 0.7))
        let exact = Check("c", 0, .atMost(1e-5), role: .mechanism)
        let broken = Check("d", 1, .atMost(1e-5), role: .mechanism)
        #expect(verdict([good, exact]).outcome == .holds)
        #expect(verdict([good, bad, exact]).outcome == .short)
        #expect(verdict([bad, exact], isExpected: false).outcome == .notAtThisSize)
        #expect(verdict([bad, broken], isExpected: false).outcome == .short)
        #expect(verdict([bad], isExpected: false).outcome == .short)
        #expect(verdict([]).outcome == .short)
        #expect(Check("n", .nan, .atLeast(0)).holds == false)
    }

    @Test func recordHasTheAgreedShape() throws {
        let verdict = verdict([Check("a", 1, .atLeast(0.5)), Check("b", 2, .between(1, 3))])
        #expect(
            verdict.json.text()
                == #"{"slug":"m","verdict":"holds","measured":{"a":1.0,"b":2.0},"threshold":{"a":{"atLeast":0.5},"#
                + #""b":{"between":[1.0,3.0]}},"control":{"c":0.5},"seconds":1.235,"seed":7}"#)
        #expect(Verdict.Outcome.notAtThisSize.rawValue == "not-at-this-size")
        let again = try #require(Verdict(json: verdict.json))
        #expect(again.json == verdict.json)
    }
}
