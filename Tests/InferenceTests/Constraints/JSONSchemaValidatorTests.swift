import Foundation
import Inference
import Testing
import Text

/// The validator's verdicts against those of Python's jsonschema (`Tests/Golden/constraints.py`).
@Suite struct JSONSchemaValidatorTests {
    @Test func agreesWithJSONSchemaPackage() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Golden/constraints.json").standardizedFileURL
        let cases = try #require(try StrictJSON.parse(Array(Data(contentsOf: path))).arrayValue)
        #expect(cases.count >= 400)
        var verdicts = 0
        for entry in cases {
            let schema = try #require(entry["schema"])
            let validator = JSONSchemaValidator(schema)
            for value in entry["valid"]?.arrayValue ?? [] {
                let violation = validator.violation(in: value)
                #expect(violation == nil, "\(JSONText.of(schema)) on \(JSONText.of(value))")
                verdicts += 1
            }
            for value in entry["invalid"]?.arrayValue ?? [] {
                #expect(!validator.isValid(value), "\(JSONText.of(schema)) on \(JSONText.of(value))")
                verdicts += 1
            }
        }
        #expect(verdicts > 2_000)
    }

    @Test func saysWhere() throws {
        let validator = JSONSchemaValidator([
            "properties": ["a/b": ["items": ["type": "integer"]]], "required": ["c"],
        ])
        #expect(validator.violation(in: ["c": 1, "a/b": [1, "x"]])?.pointer == "/a~1b/1")
        #expect(validator.violation(in: ["a/b": []])?.keyword == "required")
        #expect(validator.violation(in: ["c": nil]) == nil)
    }

    @Test func comparesNumbersExactly() {
        let step = JSONSchemaValidator(["multipleOf": 0.01])
        #expect(step.isValid(0.07) && step.isValid(19.99) && !step.isValid(0.075))
        let bound = JSONSchemaValidator(["exclusiveMinimum": 9007199254740992.0])
        #expect(bound.isValid(9_007_199_254_740_993) && !bound.isValid(9_007_199_254_740_992))
        #expect(JSONSchemaValidator(["const": 1]).isValid(1.0))
    }

    @Test func survivesEndlessReferences() throws {
        let endless = JSONSchemaValidator(["$ref": "#"])
        #expect(!endless.isValid(1))
    }
}
