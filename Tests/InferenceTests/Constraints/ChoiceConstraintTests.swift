import Inference
import Testing

@Suite struct ChoiceConstraintTests {
    @Test func acceptsExactlyTheOptions() throws {
        let compiled = try CompiledConstraint(
            .choice(["yes", "no", "not sure", "日本"]), vocabulary: TestVocabulary.synthetic)
        for text in ["yes", "no", "not sure", "日本"] { #expect(accepts(compiled, text)) }
        for text in ["", "ye", "not", "nota", "yes ", "日"] { #expect(!accepts(compiled, text)) }
        #expect(compiled.shortestText == 2)
    }

    @Test func samplesOnlyOptions() throws {
        let options = ["a", "ab", "abc", "abcd", "true", "the quick brown"]
        let compiled = try CompiledConstraint(.choice(options), vocabulary: TestVocabulary.synthetic)
        var generator = SeededGenerator(seed: 3)
        var seen: Set<String> = []
        for _ in 0..<500 {
            let sample = sample(compiled, maxTokens: 30, using: &generator)
            #expect(options.contains(sample.text))
            seen.insert(sample.text)
        }
        #expect(seen.count == options.count)
    }

    @Test func refusesNone() {
        #expect(throws: ConstraintError(.choice, "the list is empty; name at least one text")) {
            try CompiledConstraint(.choice([]), vocabulary: TestVocabulary.synthetic)
        }
    }

    @Test func takesLongLists() throws {
        let options = (0..<20_000).map { "option number \($0 &* 7_919)" }
        let compiled = try CompiledConstraint(.choice(options), vocabulary: TestVocabulary.synthetic)
        #expect(accepts(compiled, options[12_345]))
        #expect(!accepts(compiled, "option number x"))
    }
}
