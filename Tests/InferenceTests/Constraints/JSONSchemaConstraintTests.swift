import Inference
import Testing
import Text

@Suite struct JSONSchemaConstraintTests {
    struct Case: Sendable {
        var schema: String
        var yes: [String]
        var no: [String]
    }

    static let cases: [Case] = [
        Case(schema: #"{"type":"null"}"#, yes: ["null"], no: ["", "nul", "NULL", " null", "null "]),
        Case(schema: #"{"type":["boolean","null"]}"#, yes: ["true", "false", "null"], no: ["1"]),
        Case(
            schema: #"{"type":"integer"}"#, yes: ["0", "-1", "123456789012345678"], no: ["01", "1.0", "+1", "-", "1e3"]),
        Case(schema: #"{"type":"number"}"#, yes: ["0", "-1.5", "1e10", "2.5E-3"], no: [".5", "1.", "1e", "01.5"]),
        Case(
            schema: #"{"type":"string"}"#,
            yes: [#""""#, #""a\"b""#, #""\u00e9\ud83d\ude00""#, "\"é😀\"", #""\/""#, #""\uABCD\uD7ff\uE000""#],
            no: ["\"a", "\"\n\"", #""\x""#, #""\ud83d""#, #""\ude00""#, #""\ud83d\u0041""#, "a"]),
        Case(
            schema: #"{"type":"string","minLength":2,"maxLength":3}"#,
            yes: [#""ab""#, "\"éé😀\"", #""\u00e9\ud83d\ude00""#],
            no: [#""a""#, #""abcd""#, #""\ud83d\ude00""#]),
        Case(
            schema: #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"]}"#,
            yes: [#"{"a":1}"#, #"{"a": 1, "b": "x"}"#, #"{"a":1,"b":""}"#],
            no: [
                "{}", #"{"b":"x"}"#, #"{"a":1,}"#, #"{"b":"x","a":1}"#, #"{"a":  1}"#, #"{ "a":1}"#, #"{"a":1,"c":2}"#,
            ]),
        Case(
            schema: #"{"type":"object","properties":{"a":true},"additionalProperties":{"type":"integer"}}"#,
            yes: [#"{}"#, #"{"b":1}"#, #"{"a":"x","b":1,"c":2}"#, #"{"aa":1}"#], no: [#"{"b":"x"}"#, #"{"b":1,"a":1}"#]),
        Case(
            schema: #"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}"#,
            yes: ["[1]", "[1, 2]", "[1,2,3]"], no: ["[]", "[1,2,3,4]", "[1,]", "[,1]", "[1 ,2]"]),
        Case(
            schema: #"{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},"maxItems":4}"#,
            yes: ["[]", "[1]", #"[1,"a"]"#, #"[1,"a",null,null]"#],
            no: [#"["a"]"#, #"[1,"a",1]"#, #"[1,"a",null,null,null]"#]),
        Case(
            schema: #"{"type":"array","prefixItems":[{"type":"integer"}],"minItems":3}"#,
            yes: [#"[1,2,"x"]"#, "[1,[],{},4]"], no: ["[1,2]", "[null,2,3]"]),
        Case(
            schema: #"{"enum":["a",1,null,[1,{"k":"v"}]]}"#,
            yes: [#""a""#, "1", "null", #"[1, {"k": "v"}]"#, #"[1,{"k":"v"}]"#], no: ["2", "[1]"]),
        Case(schema: #"{"const":"q\"\\\n\u0001"}"#, yes: [#""q\"\\\n\u0001""#], no: [#""q""#]),
        Case(schema: #"{"enum":["a",1,"bc"],"type":"string","minLength":2}"#, yes: [#""bc""#], no: [#""a""#, "1"]),
        Case(schema: #"{"type":"string","pattern":"^a+$"}"#, yes: [#""a""#, #""aaa""#], no: [#""""#, #""ab""#]),
        Case(schema: #"{"type":"string","pattern":"b"}"#, yes: [#""b""#, #""abc""#, #""\"b""#], no: [#""a""#]),
        Case(
            schema: #"{"type":"string","pattern":"^[\"\\\\/\n]*$","maxLength":2}"#,
            yes: [#""\"\\""#, #""/\n""#], no: [#""\"\\/""#, #""a""#]),
        Case(
            schema: #"{"type":"string","pattern":"^.$"}"#, yes: ["\"é\"", "\"😀\"", #""\t""#], no: [#""ab""#, #""\n""#]),
        Case(
            schema: #"{"type":"integer","minimum":-5,"maximum":12}"#, yes: ["-5", "0", "12", "7"],
            no: ["-6", "13", "-0", "100"]),
        Case(
            schema: #"{"type":"integer","exclusiveMinimum":0,"multipleOf":5}"#, yes: ["5", "10", "12345"],
            no: ["0", "3", "-5"]),
        Case(
            schema: #"{"type":"number","minimum":0.5,"exclusiveMaximum":10}"#,
            yes: ["0.5", "9.99", "1", "0.50", "9.9999999"],
            no: ["0.49", "10", "10.0", "0", "-1", "1e0"]),
        Case(
            schema: #"{"type":"number","exclusiveMinimum":-1,"maximum":0}"#, yes: ["0", "-0.5", "-0.999"],
            no: ["-1", "0.1", "-1.0"]),
        Case(
            schema: #"{"type":"number","multipleOf":0.25}"#, yes: ["0.25", "1.5", "3", "-0.75"], no: ["0.3", "0.255"]),
        Case(
            schema: #"{"anyOf":[{"type":"integer"},{"type":"array","items":{"type":"boolean"}}]}"#,
            yes: ["1", "[true]"],
            no: ["[1]", "true"]),
        Case(
            schema:
                #"{"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"null"}}}]}"#,
            yes: [#"{"a":1}"#, #"{"a":1,"b":null}"#], no: [#"{"b":null}"#, #"{"a":"x"}"#]),
        Case(
            schema:
                ##"{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"v":{"type":"integer"},"l":{"$ref":"#/$defs/tree"},"r":{"$ref":"#/$defs/tree"}},"required":["v"]}}}"##,
            yes: [#"{"v":1,"l":{"v":2,"r":{"v":3}},"r":{"v":4}}"#], no: [#"{"l":{"v":1}}"#, #"{"v":1,"l":{}}"#]),
        Case(
            schema:
                #"{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"]},{"type":"object","properties":{"kind":{"const":"b"},"y":{"type":"string"}},"required":["kind"]}]}"#,
            yes: [#"{"kind":"a","x":1}"#, #"{"kind":"b"}"#, #"{"kind": "b", "y": "z"}"#],
            no: [#"{"kind":"a"}"#, #"{"kind":"b","x":1}"#]),
        Case(
            schema: #"{"oneOf":[{"type":"integer","maximum":3},{"type":"integer","minimum":4}]}"#, yes: ["3", "4"],
            no: ["x"]),
        Case(
            schema: #"{"enum":[1,2,3,4,6],"oneOf":[{"multipleOf":2},{"multipleOf":3}]}"#, yes: ["2", "3", "4"],
            no: ["1", "6"]),
        Case(
            schema: #"{"type":"object","properties":{"a":{},"b":{},"c":{}},"minProperties":2,"maxProperties":2}"#,
            yes: [#"{"a":1,"b":2}"#, #"{"b":1,"c":[]}"#], no: ["{}", #"{"a":1}"#, #"{"a":1,"b":2,"c":3}"#]),
        Case(
            schema:
                #"{"type":"object","patternProperties":{"^n_":{"type":"integer"},"_s$":{"type":["string","integer"]}},"additionalProperties":false}"#,
            yes: [#"{"n_a":1}"#, #"{"a_s":"x"}"#, #"{"n_s":1}"#], no: [#"{"n_a":"x"}"#, #"{"b":1}"#, #"{"n_s":"x"}"#]),
        Case(
            schema:
                #"{"type":"object","propertyNames":{"pattern":"^[a-z]+$","maxLength":3},"additionalProperties":{"type":"integer"}}"#,
            yes: [#"{"ab":1,"c":2}"#], no: [#"{"A":1}"#, #"{"abcd":1}"#]),
        Case(
            schema: #"{"type":"array","items":{"enum":[1,2,3]},"uniqueItems":true,"minItems":2}"#,
            yes: ["[1,2]", "[3, 1, 2]"], no: ["[1]", "[1,1]"]),
        Case(schema: #"{"not":{"type":["object","array","string"]}}"#, yes: ["1", "null"], no: ["{}", "[]", #""a""#]),
        Case(schema: "true", yes: ["1", #"{"a":[{"b":null}]}"#, #""x""#], no: ["", "nope"]),
        Case(
            schema: #"{"format":"date","type":"string"}"#, yes: [#""2024-02-29""#, #""1999-12-31""#],
            no: [#""2023-02-29""#, #""1900-02-29""#, #""2024-04-31""#, #""0000-01-01""#]),
        Case(
            schema: #"{"format":"date-time"}"#, yes: [#""2024-02-29T23:59:59Z""#, #""2024-01-01T00:00:00.5+02:00""#],
            no: [#""2024-01-01""#]),
        Case(
            schema: #"{"format":"ipv4"}"#, yes: [#""0.0.0.0""#, #""255.1.20.199""#],
            no: [#""256.1.1.1""#, #""01.1.1.1""#]),
        Case(schema: #"{"format":"uuid"}"#, yes: [#""123e4567-e89b-12d3-a456-426614174000""#], no: [#""123e4567""#]),
        Case(schema: #"{"format":"email"}"#, yes: [#""a.b@example.com""#], no: [#""a@b""#, #""@x.com""#]),
    ]

    @Test(arguments: cases.indices) func acceptsWhatItShould(index: Int) throws {
        let test = Self.cases[index]
        let value = try StrictJSON.parse(test.schema)
        let compiled = try schema(value)
        let validator = JSONSchemaValidator(value)
        for text in test.yes {
            #expect(accepts(compiled, text), "\(test.schema) should generate \(text)")
            #expect(validator.violation(in: try StrictJSON.parse(text)) == nil, "\(test.schema) on \(text)")
        }
        for text in test.no { #expect(!accepts(compiled, text), "\(test.schema) should not generate \(text)") }
        var generator = SeededGenerator(seed: UInt64(index))
        for _ in 0..<20 {
            let sample = sample(compiled, maxTokens: compiled.shortestText + 40, using: &generator)
            #expect(sample.isComplete, "\(sample.text)")
            let parsed = try StrictJSON.parse(sample.bytes)
            #expect(validator.violation(in: parsed) == nil, "\(test.schema) made \(sample.text)")
        }
    }

    @Test(arguments: [
        (#"{"properties":{"a":{"if":{"const":1}}}}"#, "/properties/a/if"),
        (#"{"type":"strin"}"#, "/type"),
        (#"{"minLength":"3"}"#, "/minLength"),
        (#"{"minLength":-1}"#, "/minLength"),
        (#"{"type":"string","pattern":"(?=a)"}"#, "/pattern"),
        (##"{"$ref":"#/$defs/x"}"##, "/$ref"),
        (#"{"$ref":"http://example.com/a.json"}"#, "/$ref"),
        (##"{"$ref":"#"}"##, ""),
        (##"{"anyOf":[{"$ref":"#"},{"type":"null"}]}"##, ""),
        (#"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#, "/oneOf"),
        (#"{"type":"array","items":{"type":"integer"},"uniqueItems":true}"#, "/uniqueItems"),
        (#"{"type":"array","contains":{"type":"integer"}}"#, "/contains"),
        (#"{"unevaluatedProperties":false}"#, "/unevaluatedProperties"),
        (#"{"type":"string","format":"colour"}"#, "/format"),
        (#"{"type":"object","minProperties":2}"#, "/minProperties"),
        (#"{"items":[{"type":"integer"}]}"#, "/items"),
        (#"{"exclusiveMinimum":true}"#, "/exclusiveMinimum"),
        (#"{"multipleOf":0}"#, "/multipleOf"),
        (#"{"enum":5}"#, "/enum"),
        (#"{"properties":[]}"#, "/properties"),
        (#"{"a":1,"a":2}"#, ""),
        (#"{"not":{"minLength":2}}"#, "/not"),
        ("false", ""),
        (#"{"type":"integer","minimum":5,"maximum":4}"#, ""),
        (#"{"type":"object","properties":{"a":false},"required":["a"]}"#, ""),
        (##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##, ""),
        ("[]", ""),
    ]) func refusesWithPointer(text: String, pointer: String) throws {
        let value = try StrictJSON.parse(text)
        do {
            _ = try schema(value)
            Issue.record("\(text) was accepted")
        } catch let error as ConstraintError {
            #expect(error.place == .schema(pointer: pointer), "\(error)")
            #expect(error.reason.count > 10)
        }
    }

    @Test func forcesWhatHasNoAlternative() throws {
        let compiled = try schema([
            "type": "object", "properties": ["answer": ["const": "yes"]], "required": ["answer"],
        ])
        var state = compiled.start()
        #expect(String(decoding: state.forcedBytes(), as: UTF8.self) == #"{"answer":"#)
        func take(_ text: String) -> Bool { state.advance(bytes: text.utf8) }
        func take(_ token: TokenID) -> Bool { state.advance(token) }
        #expect(take(#"{"answer":"#))
        #expect(state.forcedBytes().isEmpty)
        #expect(take(" "))
        #expect(String(decoding: state.forcedBytes(), as: UTF8.self) == #""yes"}"#)
        #expect(take(#""yes""#))
        #expect(state.forcedToken() == TokenID(UInt8(ascii: "}")))
        #expect(!state.isAccepting && state.closingBudget == 1)
        #expect(take(TokenID(UInt8(ascii: "}"))))
        #expect(state.isFinished && state.closingBudget == 0)
        #expect(state.forcedToken() == TestVocabulary.synthetic.endOfText[0])
        #expect(take(TestVocabulary.synthetic.endOfText[0]) && state.hasEnded)
        #expect(!take(TokenID(UInt8(ascii: "}"))))
        #expect(maskedTokens(state).isEmpty)
    }
}
