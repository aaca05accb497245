import Foundation
import Inference
import Testing

@Suite struct RegexConstraintTests {
    static let cases: [(pattern: String, yes: [String], no: [String])] = [
        ("abc", ["abc"], ["", "ab", "abcd", "xabc"]),
        ("a|bc|", ["a", "bc", ""], ["b", "abc"]),
        ("(?:ab)+c?", ["ab", "ababc"], ["", "abc c", "c"]),
        ("[a-cx-]{2,3}", ["a-", "xxx"], ["a", "abca", "d-"]),
        ("[^a-z]", ["A", "\n", "é", "😀"], ["b", "", "AB"]),
        (".", ["a", "é", "😀", "\t"], ["\n", "\r", "\u{2028}", ""]),
        ("\\d+\\.\\d{2}", ["0.00", "12.34"], [".12", "1.2", "1.234"]),
        ("\\w\\W\\s\\S\\D", ["a- bc", "_é\tüx"], ["a- b1", "éé b-"]),
        ("^(?<year>[12]\\d{3})-(0[1-9]|1[0-2])$", ["2024-12", "1999-01"], ["2024-13", "3024-01"]),
        ("a{0}b{1,}c{,x}", [], []),
        ("x{2}y{0,2}", ["xx", "xxyy"], ["x", "xxyyy"]),
        ("(?i)straße", ["STRAßE", "straße", "sTrAßE"], ["strasse"]),
        ("a(?i:b)c", ["abc", "aBc"], ["Abc", "abC"]),
        ("\\u00e9\\x41\\u{1F600}", ["éA😀"], ["eA😀"]),
        ("\\ud83d\\ude00", ["😀"], ["?"]),
        ("\\p{Lu}\\p{Ll}+", ["Ab", "Éé", "Жук"], ["ab", "A"]),
        ("[\\s\\S]*?", ["", "a\nb"], []),
        ("(a|b)*abb", ["abb", "aababb"], ["ab", "abba"]),
        ("a$|^b", ["a", "b"], ["ab"]),
        ("(^a)b", ["ab"], ["b"]),
        ("a^b", [], ["ab", "a^b"]),
        ("\\.\\*\\[\\]\\(\\)\\\\/", [".*[]()\\/"], ["..[]()\\/"]),
        ("日本[語人]?", ["日本", "日本語"], ["日", "日本日"]),
        ("[à-ü]+", ["éü"], ["z", "ý"]),
        ("(?s).", ["\n"], [""]),
        ("a{", ["a{"], ["a"]),
        ("(a*)*b", ["b", "aab"], ["a"]),
        ("(|a){3}", ["", "a", "aaa"], ["aaaa"]),
    ]

    @Test(arguments: cases.indices) func acceptsWhatItShould(index: Int) throws {
        let (pattern, yes, no) = Self.cases[index]
        if yes.isEmpty {
            // These match nothing, or mean different things in different engines.
            #expect(throws: ConstraintError.self) { try regex(pattern) }
            return
        }
        let compiled = try regex(pattern)
        for text in yes { #expect(accepts(compiled, text), "\(pattern) should match \(text.debugDescription)") }
        for text in no { #expect(!accepts(compiled, text), "\(pattern) should not match \(text.debugDescription)") }
    }

    @Test(arguments: [
        ("(?=a)", 0), ("ab(?!c)", 2), ("(?<=a)b", 0), ("(a)\\1", 3), ("a\\b", 1), ("a**", 2), ("*a", 0), ("(a", 0),
        ("a)", 1),
        ("[a", 0), ("[z-a]", 1), ("[]a]", 0), ("a{3,2}", 1), ("\\q", 0), ("a++", 2), ("(?>a)", 0), ("\\", 0),
        ("\\u12", 0),
        ("\\p{Xx}", 0), ("a(?i)b", 1), ("x{,3}", 1), ("[[:alpha:]]", 1), ("\\ud800", 0), ("(?P=n)", 0), ("^*", 1),
    ]) func refusesWithPosition(pattern: String, offset: Int) throws {
        do {
            _ = try regex(pattern)
            Issue.record("\(pattern) was accepted")
        } catch let error as ConstraintError {
            guard case .regex(pattern, let found) = error.place else {
                Issue.record("\(error)")
                return
            }
            #expect(found == offset, "\(error)")
        }
    }

    @Test func boundsHostileExpressions() {
        let hostile = [
            "(a|b)*a(a|b){20}", "(((a{1000}){1000}){1000}){1000}", "(.{1,500}x){1,500}",
            String(repeating: "(", count: 5_000) + String(repeating: ")", count: 5_000),
            String(repeating: "a?", count: 3_000) + String(repeating: "a", count: 3_000),
            String(repeating: "\\p{L}", count: 5_000), String(repeating: "x", count: 100_000),
            "(|){1000000000}(a*)*{5}", "(()*)*(()+)+", String(repeating: "[\u{1}-\u{ffff}]{0,99}", count: 40),
        ]
        for pattern in hostile {
            let start = ContinuousClock.now
            _ = try? regex(pattern)
            #expect(ContinuousClock.now - start < .seconds(20), "\(pattern.prefix(30))")
        }
    }

    /// Random expressions over a small alphabet against Foundation's engine, on sampled and on random texts.
    @Test func agreesWithFoundation() throws {
        var generator = SeededGenerator(seed: 11)
        var matched = 0
        for round in 0..<400 {
            let pattern = Self.randomPattern(depth: 3, using: &generator)
            // Foundation's classes know more of Unicode than ECMA-262's, and its dot stops at more line ends.
            let spelled = pattern.replacing("[^\\d]", with: "[^0-9]").replacing("\\d", with: "[0-9]")
                .replacing("\\w", with: "[A-Za-z0-9_]").replacing(".", with: "[^\\n\\r\\u2028\\u2029]")
            let peer = try NSRegularExpression(pattern: "\\A(?:\(spelled))\\z")
            func peerMatches(_ text: String) -> Bool {
                peer.firstMatch(in: text, range: NSRange(location: 0, length: (text as NSString).length)) != nil
            }
            let compiled: CompiledConstraint
            do {
                compiled = try regex(pattern)
            } catch let error as ConstraintError {
                Issue.record("round \(round): \(error)")
                continue
            }
            for _ in 0..<5 {
                let sample = sample(compiled, maxTokens: 3 + compiled.shortestText, using: &generator)
                #expect(sample.isComplete, "\(pattern)")
                let text = try #require(String(validating: sample.bytes, as: UTF8.self), "\(pattern)")
                #expect(peerMatches(text), "\(pattern) made \(text.debugDescription)")
            }
            for _ in 0..<20 {
                let text = String(
                    (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                        "abc01 -é😀".randomElement(using: &generator) ?? "a"
                    })
                let expected = peerMatches(text)
                matched += expected ? 1 : 0
                #expect(accepts(compiled, text) == expected, "\(pattern) on \(text.debugDescription)")
            }
        }
        #expect(matched > 200)
    }

    static func randomPattern(depth: Int, using generator: inout SeededGenerator) -> String {
        let atoms = [
            "a", "b", "c", "0", "é", "😀", " ", "-", "[abc]", "[^a]", "[a-c0-9]", "\\d", "[^\\d]", "\\w", "[é-ü]", ".",
            "[ -b]",
        ]
        if depth == 0 || generator.chance(0.2) {
            let lazy = generator.chance(0.1) ? ["*?", "+?", "??"].randomElement(using: &generator) ?? "" : ""
            return (atoms.randomElement(using: &generator) ?? "a") + lazy
        }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0, 1:
            let count = Int.random(in: 1...3, using: &generator)
            return (0..<count).map { _ in randomPattern(depth: depth - 1, using: &generator) }.joined()
        case 2:
            let count = Int.random(in: 2...3, using: &generator)
            return "(?:"
                + (0..<count).map { _ in randomPattern(depth: depth - 1, using: &generator) }.joined(separator: "|")
                + ")"
        default:
            let suffix = ["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"].randomElement(using: &generator) ?? "*"
            return "(" + randomPattern(depth: depth - 1, using: &generator) + ")" + suffix
        }
    }
}
