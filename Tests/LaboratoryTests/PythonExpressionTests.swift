import Laboratory
import Testing

@Suite struct PythonExpressionTests {
    private func value(_ text: String) throws -> PythonValue { try PythonExpression(text, parameters: [])([]) }

    @Test(
        arguments: [
            ("-3 % 2", .int(1)), ("-0.5 % 1", .float(0.5)), ("3 % -2", .int(-1)), ("-7 // 2", .int(-4)),
            ("-7.5 // 2", .float(-4)),
            ("7 / 2", .float(3.5)), ("2 ** -1", .float(0.5)), ("-2 ** 2", .int(-4)), ("2 ** 3 ** 2", .int(512)),
            ("int(-2.7)", .int(-2)), ("round(2.5)", .int(2)), ("round(2.675, 2)", .float(2.67)), ("-1 & 7", .int(7)),
            ("~5", .int(-6)), ("-8 >> 1", .int(-4)), ("1 << 5 | 1", .int(33)), ("1 < 2 < 3", .bool(true)),
            ("1 < 3 > 2 != 2", .bool(false)), ("0.1 + 0.2 == 0.3", .bool(false)), ("1 == 1.0 == True", .bool(true)),
            ("0 or 5", .int(5)), ("0 and 1 / 0", .int(0)), ("not 1 == 2", .bool(true)), ("3 if 0 else 4", .int(4)),
            ("2 in (1, 2)", .bool(true)), ("2 not in [1, 2]", .bool(false)), ("len({1, 1.0, True})", .int(1)),
            ("sum(n * n for n in range(4))", .int(14)), ("sorted([3, 1, 2])[0]", .int(1)), ("max(1, 2.0)", .float(2)),
            ("all([a < b for a, b in [(1, 2), (2, 3)]])", .bool(true)),
            ("any(n > 1 for n in (1, 2, 1 / 1))", .bool(true)),
            ("any(1 / n for n in (1, 0))", .bool(true)), ("math.gcd(12, -18)", .int(6)), ("math.floor(-0.5)", .int(-1)),
            ("math.sqrt(9)", .float(3)), ("math.log2(8)", .float(3)),
            ("math.log(100, 10)", .float(2)), ("math.log10(1000)", .float(3)), ("math.log(1)", .float(0)),
            ("[1, 2][-1]", .int(2)), ("(1.5).is_integer()", .bool(false)),
            ("[n for n in range(9) if n % 2 if n > 4][0]", .int(5)), ("True + True", .int(2)),
            ("(1, 2) < (1, 3)", .bool(true)),
        ] as [(String, PythonValue)])
    func valuesArePythons(text: String, expected: PythonValue) throws {
        #expect(try value(text) == expected)
    }

    @Test(arguments: [
        "", "1 +", "(1", "1 2", "lambda x: x +", "__import__('os')", "x", "[].append(1)", "1 is 1", "\"a\"",
        "lambda x: y",
        "def f(x):\n  y = 1\n  return y", "{1: 2}", "9223372036854775808",
    ])
    func otherTextsAreRefused(text: String) {
        #expect(throws: PythonError.self) { try PythonExpression(text, parameters: []) }
    }

    @Test(arguments: [
        "1 / 0", "1 % 0", "1.5 & 2", "10 ** 30", "(-8) ** 0.5", "len(3)", "1 < (1, 2)", "1 << 70", "range(10)[10]",
        "math.log(0)", "math.log2(-1)", "math.log(2, 1)", "math.log(1, 2, 3)",
    ])
    func errorsAreRaised(text: String) throws {
        #expect(throws: PythonError.self) { try value(text) }
    }

    @Test func workIsBounded() throws {
        #expect(throws: PythonError.self) { try value("sum(range(10 ** 9))") }
        #expect(throws: PythonError.self) { try value("all(a < 9999 for a in range(1000) for b in range(1000))") }
        #expect(throws: PythonError.self) {
            try value(String(repeating: "(", count: 60) + "1" + String(repeating: ")", count: 60))
        }
        #expect(throws: PythonError.self) { try value(String(repeating: "-", count: 60) + "1") }
        #expect(throws: PythonError.self) { try value("1" + String(repeating: "+1", count: 500)) }
        #expect(throws: PythonError.self) {
            try PythonExpression("1" + String(repeating: " ", count: 2_000), parameters: [])
        }
    }

    @Test func functionsAreReadInTheirForms() throws {
        for text in [
            "lambda a, b: a < b", "f = lambda a, b: a < b",
            "import math\ndef f(a: int, b) -> bool:\n    # less\n    return a < b",
        ] {
            let function = try PythonExpression(text)
            #expect(function.parameters.count == 2 && function.operators == 1)
            #expect(try function([.int(1), .float(1.5)]) == .bool(true))
            #expect(throws: PythonError.self) { try function([.int(1)]) }
        }
        #expect(throws: PythonError.self) { try PythonExpression("a < b") }
        #expect(throws: PythonError.self) { try PythonExpression("lambda a, a: a") }
    }
}
