import Laboratory
import Testing
import Text

private struct Sample: MethodOptions {
    enum Mode: String, OptionChoice { case include, exclude, generation }

    var alpha = 0.01
    var count = 3
    var mode = Mode.exclude
    var protect = true
    var layers: [Int] = [1, 2]
    var names: [String] = []
    var top: Int?
    var file: Path?
    var low = 0.0
    var high = 1.0

    static let fields: [Field<Self>] = [
        Field("alpha", \.alpha, "scale", .above(0), .atMost(1)),
        Field("count", \.count, "how many", .atLeast(1)),
        Field("mode", \.mode, "how"),
        Field("protect-first", \.protect, "whether to spare the first"),
        Field("layers", \.layers, "which", .within(0...29)),
        Field("names", \.names, "who"),
        Field("top", \.top, "the best", .atLeast(1)),
        Field("file", \.file, "where"),
        Field("low", \.low, "lower end"),
        Field("high", \.high, "upper end"),
    ]

    func validate() throws(OptionError) {
        if low > high { throw .conflict("--low must not be above --high.") }
    }
}

@Suite struct OptionsTests {
    @Test func flagsOfEveryTypeAreRead() throws {
        let options = try Sample(flags: [
            "--alpha", "0.5", "--count=7", "--mode", "include", "--no-protect-first", "--layers", "3,5", "--layers",
            "8",
            "--names", "[\"a, b\", \"c\"]", "--top", "4", "--file=~/x", "--low", "-2.5",
        ])
        #expect(options.alpha == 0.5)
        #expect(options.count == 7)
        #expect(options.mode == .include)
        #expect(options.protect == false)
        #expect(options.layers == [3, 5, 8])
        #expect(options.names == ["a, b", "c"])
        #expect(options.top == 4)
        #expect(options.file?.string == "~/x")
        #expect(options.file?.expanded.hasPrefix("~") == false)
        #expect(options.low == -2.5)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let options = try Sample {
            $0.alpha = 0.25
            $0.mode = .generation
            $0.layers = []
            $0.top = 2
        }
        let again = try Sample(json: JSONValue(parsing: options.json.text()))
        #expect(again.json == options.json)
        #expect(again.json["top"] == 2)
        #expect(try Sample(json: ["top": nil], over: again).top == nil)
        #expect(try Sample(flags: ["--top", "none"], over: again).top == nil)
        #expect(Sample().json.objectValue?.map(\.key) == Sample.fields.map(\.name))
    }

    @Test func underscoresAreTakenForDashes() throws {
        #expect(try Sample(json: ["protect_first": false]).protect == false)
    }

    @Test(arguments: [
        (["--alpha", "0"], ["--alpha", "\"0\"", "above 0", "at most 1"]),
        (["--alpha", "nan"], ["--alpha", "a number"]),
        (["--count", "1.5"], ["--count", "\"1.5\"", "a whole number"]),
        (["--mode", "includ"], ["--mode", "include, exclude, generation"]),
        (["--layers", "3,30"], ["--layers", "from 0 to 29"]),
        (["--top", "0"], ["--top", "at least 1"]),
        (["--alpa", "1"], ["Unknown option --alpa", "--alpha"]),
        (["--zzzzzz"], ["Unknown option --zzzzzz", "--alpha", "--high"]),
        (["--alpha"], ["--alpha needs a value"]),
        (["--alpha", "--count", "1"], ["--alpha needs a value"]),
        (["--alpha", "1", "--alpha", "1"], ["twice"]),
        (["--no-protect-first=true"], ["switch"]),
        (["stray"], ["stray"]),
        (["--low", "2"], ["--low must not be above --high"]),
    ])
    func wrongFlagsAreExplained(flags: [String], parts: [String]) {
        let error = #expect(throws: OptionError.self) { try Sample(flags: flags) }
        for part in parts { #expect(error?.description.contains(part) == true, "\(error?.description ?? "")") }
    }

    @Test func valuesSetInCodeAreChecked() {
        #expect(throws: OptionError.self) { try Sample { $0.alpha = -1 } }
        #expect(throws: OptionError.self) { try Sample { $0.layers = [1, 99] } }
        #expect(throws: OptionError.self) { try Sample(json: ["count": "three"]) }
        #expect(throws: OptionError.self) { try Sample(json: [1]) }
    }

    @Test func twoSetsShareACommandLine() throws {
        var settings = RunSettings()
        let rest = try settings.take(flags: [
            "--model", "m.gguf", "--alpha", "0.5", "--seed=9", "--no-store", "--count", "2",
        ])
        #expect(rest == ["--alpha", "0.5", "--count", "2"])
        #expect(settings.model == "m.gguf")
        #expect(settings.seed == 9)
        #expect(settings.store == false)
        let unknown = #expect(throws: OptionError.self) {
            try Sample(flags: ["--modle", "x"], alsoKnown: ["model"])
        }
        #expect(unknown?.description.contains("--model") == true)
    }

    @Test func describesItself() {
        let descriptions = Sample.descriptions
        #expect(descriptions[0].usage == "--alpha <number>")
        #expect(descriptions[0].initial == "0.01")
        #expect(descriptions[2].usage == "--mode <include|exclude|generation>")
        #expect(descriptions[3].usage == "--[no-]protect-first")
        #expect(descriptions[4].initial == "1,2")
        #expect(descriptions[6].initial == "none")
    }
}

@Suite struct OptionFileTests {
    @Test func yamlAndJSONSayTheSame() throws {
        let folder = try TemporaryFolder()
        let yaml = try folder.write(
            "a.yaml",
            """
            # a comment
            alpha: 0.5
            count: 2
            mode: include
            protect-first: false
            layers: [3, 5]
            names:
              - "1"
              - yes please
            top: null
            """)
        let json = try folder.write(
            "a.json",
            """
            {"alpha": 0.5, "count": 2, "mode": "include", "protect-first": false, "layers": [3, 5],
             "names": ["1", "yes please"], "top": null}
            """)
        let fromYAML = try Sample(json: OptionFile.values(at: yaml))
        let fromJSON = try Sample(json: OptionFile.values(at: json))
        #expect(fromYAML.json == fromJSON.json)
        #expect(fromYAML.names == ["1", "yes please"])
        #expect(fromYAML.mode == .include)
    }

    @Test(arguments: [
        ("a.json", "{\"alpha\": }", "a.json:1"), ("a.yaml", "alpha: [1", "a.yaml:"), ("a.yaml", "- 1\n- 2", "by name"),
        ("a.yaml", "b: *x", "a.yaml"), ("a.yaml", "alpha: 1\nalpha: 2", "a.yaml"),
    ])
    func faultsNameTheFile(name: String, content: String, part: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(name, content)
        let error = #expect(throws: OptionError.self) { try OptionFile.values(at: path) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test(.timeLimit(.minutes(5))) func aliasesCannotGrowASmallFile() throws {
        var lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for level in 1..<12 {
            lines.append(
                "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]")
        }
        let folder = try TemporaryFolder()
        let path = try folder.write("a.yaml", lines.joined(separator: "\n"))
        let error = #expect(throws: OptionError.self) { try OptionFile.values(at: path) }
        #expect(error?.description.contains("more than") == true)
    }

    @Test func missingFileIsSaid() {
        let error = #expect(throws: OptionError.self) { try OptionFile.values(at: "/nowhere/x.yaml") }
        #expect(error?.description.contains("/nowhere/x.yaml") == true)
    }

    @Test func settingsAndOptionsShareAFile() {
        let (settings, method) = RunSettings.partition(["model": "embedded", "alpha": 0.5, "seed": 3])
        #expect(settings == ["model": "embedded", "seed": 3])
        #expect(method == ["alpha": 0.5])
    }
}

@Suite struct SpellingTests {
    @Test(arguments: [
        ("kitten", "sitting", 3), ("alpah", "alpha", 1), ("", "abc", 3), ("same", "same", 0), ("ca", "abc", 3),
    ])
    func distance(a: String, b: String, expected: Int) {
        #expect(Spelling.distance(a, b) == expected)
        #expect(Spelling.distance(b, a) == expected)
    }

    @Test func nearestFirst() {
        let known = ["autopasta", "uscd", "qk-score", "npo", "zero-shot-cot"]
        #expect(Spelling.nearest(to: "autopsta", among: known) == ["autopasta"])
        #expect(Spelling.nearest(to: "zero-shot", among: known) == ["zero-shot-cot"])
        #expect(Spelling.nearest(to: "xyzzy-plugh", among: known).isEmpty)
    }
}
