import Foundation
import Testing
import Text

struct JSONParserTests {
    @Test func readsEveryKindOfValue() throws {
        let text = #" {"a": [1, -2.5, 1e3, true, false, null], "b": {"": "x"}, "c": [] , "d":{}} "#
        let expected: JSONValue = [
            "a": [1, -2.5, 1000.0, true, false, nil], "b": ["": "x"], "c": [], "d": [:],
        ]
        #expect(try JSONValue(parsing: text) == expected)
    }

    @Test func resolvesEscapes() throws {
        let value = try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00 é""#)
        #expect(value == .string("\"\\/\u{8}\u{C}\n\r\tAé€😀 é"))
    }

    @Test(arguments: [
        ("0", JSONValue.integer(0)), ("-0", .integer(0)), ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("123456789012345678901234567890", .number(1.2345678901234568e29)),
        ("0.1", .number(0.1)), ("1E+2", .number(100)), ("1e-7", .number(1e-7)),
        ("4.9e-324", .number(.leastNonzeroMagnitude)),
        ("2.2250738585072011e-308", .number(.leastNormalMagnitude.nextDown)),
        ("9007199254740993.0", .number(9_007_199_254_740_992)), ("-3.14159265358979", .number(-3.14159265358979)),
        ("0.000000000000000000000000000001", .number(1e-30)), ("-0.0", .number(-0.0)),
    ])
    func readsNumbers(_ text: String, _ expected: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == expected)
    }

    @Test(arguments: [
        ("", "1:1: expected a value, found the end of the document"),
        ("[1,]", "1:4: expected a value, found ']'"),
        ("[1 2]", "1:4: expected ',' or ']' after an element, found '2'"),
        ("{\"a\" 1}", "1:6: expected ':' after a key, found '1'"),
        ("{a:1}", "1:2: expected a key in double quotes, found 'a'"),
        ("{\"a\":1,}", "1:8: expected a key in double quotes, found '}'"),
        ("\n\n  tru", "3:3: expected a value, found something that starts like true"),
        ("01", "1:1: a number must not start with a superfluous 0"),
        ("1.", "1:3: expected a digit after '.', found the end of the document"),
        ("-", "1:2: expected a digit, found the end of the document"),
        ("1e", "1:3: expected an exponent, found the end of the document"),
        ("1e999", "1:1: this number is beyond the range of a 64-bit float"),
        ("\"abc", "1:1: this string has no closing quote"),
        ("\"\\x\"", "1:3: \\ must be followed by one of \" \\ / b f n r t u, found 'x'"),
        ("\"\\u12g4\"", "1:6: \\u must be followed by four hexadecimal digits, found 'g'"),
        ("\"\\ud800\"", "1:2: this \\u escape is half of a surrogate pair without the other half"),
        ("\"é\u{1}\"", "1:3: a string holds the control character the byte 0x01; it must be escaped"),
        ("{} x", "1:4: expected the end of the document, found 'x'"),
        ("NaN", "1:1: expected a value, found 'N'"),
        ("// x", "1:1: expected a value, found '/'"),
    ])
    func namesPlaceAndFault(_ text: String, _ description: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error?.description == description)
    }

    @Test func refusesInvalidUTF8() {
        let error = #expect(throws: JSONError.self) {
            try JSONValue(parsing: Array("[\"".utf8) + [0xC3, 0x28] + Array("\"]".utf8))
        }
        #expect(error?.description == "1:2: this string is not valid UTF-8")
    }

    @Test func keepsToItsLimits() throws {
        let nested = String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested) }
        #expect(try JSONValue(parsing: nested, limits: JSONLimits(depth: 300)).arrayValue?.count == 1)
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1, 2]", limits: JSONLimits(bytes: 5)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "1", count: 5000)) }
    }

    @Test func keepsOrderAndRepeatedKeys() throws {
        let value = try JSONValue(parsing: #"{"b":1,"a":2,"b":3}"#)
        #expect(value.objectValue?.map(\.key) == ["b", "a", "b"])
        #expect(value["b"] == 3)
    }

    @Test func everyDoubleSurvivesARoundTrip() throws {
        var generator = ByteMutator(seed: 7)
        for _ in 0..<20_000 {
            let number = Double(bitPattern: generator.next())
            guard number.isFinite else { continue }
            let read = try JSONValue(parsing: JSONValue.number(number).text())
            #expect(read.doubleValue?.bitPattern == number.bitPattern)
        }
    }

    @Test func readsAVocabularyInTimeLinearInItsSize() throws {
        func seconds(entries: Int) throws -> Double {
            let members = (0..<entries).map { "\"token\($0)Ġé\": \($0), \"m\($0)\": [\"Ġt h\", -3.5678]" }
            let bytes = Array("{\(members.joined(separator: ","))}".utf8)
            let times = try (0..<3).map { _ -> Double in
                let start = Self.processorSeconds()
                let document = try JSONValue(parsing: bytes)
                let time = Self.processorSeconds() - start
                #expect(document.objectValue?.count == 2 * entries)
                return time
            }
            return times.min() ?? 0
        }
        let small = try seconds(entries: 5_000)
        let large = try seconds(entries: 50_000)
        // Ten times the text; a quadratic reader would take a hundred times as long.
        #expect(large < 40 * max(small, 1e-4), "\(small) s, then \(large) s")
    }

    /// What this thread has used of a processor: other programs don't count.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
