import Foundation
import Inference
import Testing
import Text

/// Whatever is drawn under the mask of a random schema is valid, by a validator that knows nothing of the grammar.
@Suite struct RandomSchemaTests {
    private struct Drawn: Encodable {
        var schema: String
        var samples: [String]
    }

    /// Draws texts for `count` schemas; a text must end within the tokens that its constraint says suffice.
    private func check(
        _ vocabulary: TokenVocabulary, seed: UInt64, count: Int, samples: Int, slack: ClosedRange<Int>
    ) throws -> [Drawn] {
        var source = RandomSchema(seed: seed)
        var generator = SeededGenerator(seed: seed &+ 1)
        var drawn: [Drawn] = []
        var refused = 0
        while drawn.count < count {
            let schema = source.next()
            let compiled: CompiledConstraint
            do {
                compiled = try CompiledConstraint(.jsonSchema(schema), vocabulary: vocabulary)
            } catch is ConstraintError {
                refused += 1
                try #require(refused < count, "too many schemas are refused for the test to mean anything")
                continue
            }
            let validator = JSONSchemaValidator(schema)
            var texts: [String] = []
            for _ in 0..<samples {
                let budget = compiled.shortestText + Int.random(in: slack, using: &generator)
                let sample = sample(compiled, maxTokens: budget, ending: 0.5, using: &generator)
                try #require(sample.isComplete, "\(JSONText.of(schema)) stopped at \(sample.text)")
                let value = try StrictJSON.parse(sample.bytes)
                let violation = validator.violation(in: value)
                try #require(violation == nil, "\(JSONText.of(schema)) made \(sample.text)")
                texts.append(sample.text)
            }
            drawn.append(Drawn(schema: JSONText.of(schema), samples: texts))
        }
        return drawn
    }

    /// With `LYCEUM_CONSTRAINT_SAMPLES` set to a file, the samples are written there for `Tests/Golden/constraints.py`.
    private func export(_ drawn: [Drawn]) throws {
        guard let path = ProcessInfo.processInfo.environment["LYCEUM_CONSTRAINT_SAMPLES"] else { return }
        try JSONEncoder().encode(drawn).write(to: URL(fileURLWithPath: path))
    }

    @Test func syntheticVocabulary() throws {
        let drawn = try check(TestVocabulary.synthetic, seed: 2_024, count: 1_000, samples: 4, slack: 0...60)
        try export(drawn)
        #expect(Set(drawn.map(\.schema)).count > 600)
    }

    @Test(.enabled(if: TestVocabulary.embedded != nil, "the embedded model's file is not installed"))
    func embeddedVocabulary() throws {
        let vocabulary = try #require(TestVocabulary.embedded)
        let drawn = try check(vocabulary, seed: 7, count: 1_000, samples: 1, slack: 0...12)
        #expect(drawn.count == 1_000)
    }
}
