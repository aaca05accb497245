import Inference
import Testing
import Text

/// What the embedded model writes under random schemas is valid, by a validator that knows nothing of the grammar.
@Suite(needsEmbeddedModel)
struct ConstrainedSamplingTests {
    private struct Drawn: Sendable {
        var schema: JSONValue
        var completion: Completion
    }

    /// One sample at temperature 1, with few tokens more than the shortest valid text has; nil for a schema that is refused.
    private static func draw(_ schema: JSONValue, seed: UInt64, from model: LocalModel) async throws -> Drawn? {
        guard let vocabulary = TestVocabulary.embedded,
            let compiled = try? CompiledConstraint(.jsonSchema(schema), vocabulary: vocabulary)
        else { return nil }
        let request = CompletionRequest(
            .chat([.user("Write a JSON document.")]), sampling: .random(seed: seed),
            stop: StopRule(maxTokens: compiled.shortestText + 8), constraint: .jsonSchema(schema))
        return Drawn(schema: schema, completion: try await model.complete(request))
    }

    @Test("the model's samples under 1,000 random schemas are valid")
    func randomSchemas() async throws {
        let model = try EmbeddedModel.standard.get()
        var source = RandomSchema(seed: 11)
        var valid = 0
        var refused = 0
        while valid < 1_000 {
            let schemas = (0..<100).map { _ in source.next() }
            let drawn = try await withThrowingTaskGroup(of: Drawn?.self) { group in
                for (index, schema) in schemas.enumerated() {
                    group.addTask { try await Self.draw(schema, seed: UInt64(index), from: model) }
                }
                return try await group.reduce(into: [Drawn?]()) { $0.append($1) }
            }
            for sample in drawn {
                guard let sample else {
                    refused += 1
                    try #require(refused < 500, "too many schemas are refused for the test to mean anything")
                    continue
                }
                let value = try StrictJSON.parse(Array(sample.completion.text.utf8))
                let violation = JSONSchemaValidator(sample.schema).violation(in: value)
                try #require(violation == nil, "\(JSONText.of(sample.schema)) made \(sample.completion.text)")
                valid += 1
            }
        }
    }
}
