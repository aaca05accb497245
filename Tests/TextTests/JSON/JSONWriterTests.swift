import Testing
import Text

struct JSONWriterTests {
    let document: JSONValue = [
        "name": "é\"\\\n\t\u{1}\u{7F}/😀", "list": [1, 2.5, true, nil], "empty": [], "none": [:],
        "in": ["b": 1, "a": 2],
    ]

    @Test func writesCompactly() {
        let expected =
            #"{"name":"é\"\\\n\t\u0001\#u{7F}/😀","list":[1,2.5,true,null],"empty":[],"none":{},"in":{"b":1,"a":2}}"#
        #expect(document.text() == expected)
    }

    /// Made with Python's `json.dumps(document, ensure_ascii=True)`.
    @Test func writesAsPythonDoes() {
        let expected =
            #"{"name": "\u00e9\"\\\n\t\u0001\u007f/\ud83d\ude00", "list": [1, 2.5, true, null], "empty": [], "#
            + #""none": {}, "in": {"b": 1, "a": 2}}"#
        #expect(document.text(.python(escapesNonASCII: true)) == expected)
        let value: JSONValue = [.number(.nan), .number(.infinity), .number(-.infinity)]
        #expect(value.text(.python()) == "[NaN, Infinity, -Infinity]")
        #expect(value.text() == "[null,null,null]")
    }

    /// Made with Python's `json.dumps(value, indent=4, sort_keys=True)`.
    @Test func indentsAndSortsAsPythonDoes() {
        let value: JSONValue = ["b": [1, ["x": nil]], "a": [], "c": "d"]
        let expected = """
            {
                "a": [],
                "b": [
                    1,
                    {
                        "x": null
                    }
                ],
                "c": "d"
            }
            """
        #expect(value.text(.python(indent: 4, sortsKeys: true)) == expected)
        #expect(JSONValue.array([1]).text(pretty: true) == "[\n  1\n]")
    }

    /// The right-hand sides are Python's `repr` of the same numbers.
    @Test(arguments: [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (-2.5, "-2.5"), (0.1, "0.1"), (1e15, "1000000000000000.0"),
        (1e16, "1e+16"), (9_007_199_254_740_994.0, "9007199254740994.0"), (1.5e16, "1.5e+16"), (1e-4, "0.0001"),
        (1e-5, "1e-05"), (1.25e-7, "1.25e-07"), (1e100, "1e+100"), (.leastNonzeroMagnitude, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (123_456.789, "123456.789"),
        (0.00012345, "0.00012345"), (1e22, "1e+22"), (3.0e-5, "3e-05"),
        (72_057_594_037_927_936, "7.205759403792794e+16"),
    ])
    func writesTheShortestDecimal(_ number: Double, _ expected: String) {
        #expect(JSONValue.number(number).text() == expected)
    }
}
