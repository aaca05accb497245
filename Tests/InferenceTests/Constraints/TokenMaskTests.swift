import Inference
import Testing
import Text

@Suite struct TokenMaskTests {
    /// The tokens that may come next, found by trying each.
    private func allowed(_ state: ConstraintState) -> Set<TokenID> {
        Set(
            (0..<TokenID(state.compiled.vocabulary.count)).filter { token in
                var copy = state
                return copy.advance(token)
            })
    }

    static let constraints: [Constraint] = [
        .regex("(ab|é|😀)*x{0,3}"), .choice(["a", "ab", "abc", "日本"]),
        .jsonSchema(["type": "string", "minLength": 3, "maxLength": 40]),
        .jsonSchema(["type": "string", "minLength": 30]),
        .jsonSchema(["type": "array", "items": ["type": "integer"], "minItems": 20, "maxItems": 60]),
        .jsonSchema(["type": "object", "additionalProperties": ["type": ["string", "null"]]]),
        .jsonSchema(["anyOf": [["type": "string", "maxLength": 30], ["type": "string", "pattern": "^a*$"]]]),
        .jsonSchema(true),
    ]

    @Test(arguments: constraints.indices) func maskHoldsWhatMayComeNext(index: Int) throws {
        let compiled = try CompiledConstraint(Self.constraints[index], vocabulary: TestVocabulary.synthetic)
        var generator = SeededGenerator(seed: UInt64(index))
        for _ in 0..<12 {
            var state = compiled.start()
            for _ in 0..<30 {
                let mask = maskedTokens(state)
                #expect(Set(mask) == allowed(state))
                guard let token = mask.randomElement(using: &generator), state.advance(token), !state.hasEnded else {
                    break
                }
            }
        }
    }

    /// Under a limit, the mask holds exactly the tokens behind which the way to the end fits.
    @Test(arguments: constraints.indices) func limitedMaskLeavesRoom(index: Int) throws {
        let compiled = try CompiledConstraint(Self.constraints[index], vocabulary: TestVocabulary.synthetic)
        var generator = SeededGenerator(seed: 50 + UInt64(index))
        for _ in 0..<6 {
            var state = compiled.start()
            for _ in 0..<25 {
                let need = state.closingBudget
                for remaining in [need, need + 1, need + 3, need + 40] where remaining > 0 {
                    let expected = allowed(state).filter { token in
                        var copy = state
                        return copy.advance(token) && copy.closingBudget <= remaining - 1
                    }
                    #expect(Set(maskedTokens(state, remaining: remaining)) == expected)
                    #expect(!expected.isEmpty)
                }
                guard let token = maskedTokens(state).randomElement(using: &generator), state.advance(token),
                    !state.hasEnded
                else { break }
            }
        }
    }

    @Test func tooLittleRoomLeadsToTheEnd() throws {
        let compiled = try schema(
            ["type": "array", "items": ["type": "integer"], "minItems": 10], TestVocabulary.bytes)
        #expect(compiled.shortestText == 21)
        var state = compiled.start()
        var words = [UInt64](repeating: 0, count: compiled.vocabulary.maskWords)
        var fits = words.withUnsafeMutableBufferPointer { state.mask(into: $0, remainingTokens: 20) }
        #expect(!fits)
        fits = words.withUnsafeMutableBufferPointer { state.mask(into: $0, remainingTokens: 21) }
        #expect(fits)
        var count = 0
        while !state.isFinished, let token = maskedTokens(state, remaining: 1).first, state.advance(token) {
            count += 1
        }
        #expect(count == 21)
    }

    @Test func forksAreIndependent() throws {
        let compiled = try schema(["type": "array", "items": ["type": "boolean"], "maxItems": 2])
        var first = compiled.start()
        _ = first.advance(bytes: "[true".utf8)
        var second = first
        let mask = maskedTokens(first)
        let took = second.advance(bytes: ",false".utf8)
        #expect(took)
        #expect(maskedTokens(first) == mask)
        #expect(maskedTokens(second) == [TokenID(UInt8(ascii: "]"))])
        let refused = second.advance(bytes: ",".utf8)
        #expect(!refused)
        #expect(maskedTokens(second) == [TokenID(UInt8(ascii: "]"))])
    }

    @Test func specialAndUnusedTokensAreNeverPermitted() throws {
        let vocabulary = TokenVocabulary(
            tokens: [Array("a".utf8), [], Array("</s>".utf8), Array("b".utf8)], endOfText: [2], count: 70)
        let compiled = try regex("[ab</s>]*", vocabulary)
        #expect(maskedTokens(compiled.start()) == [0, 2, 3])
        var state = compiled.start()
        let special = state.advance(TokenID(1))
        let unused = state.advance(TokenID(65))
        #expect(!special && !unused)
        let ended = state.advance(TokenID(2))
        #expect(ended && state.hasEnded)
    }

    @Test func vocabularyThatCannotSpellIsRefused() {
        let vocabulary = TokenVocabulary(tokens: ["a", "b"].map { Array($0.utf8) }, endOfText: [])
        #expect(throws: ConstraintError.self) { try regex("abc", vocabulary) }
        #expect(throws: Never.self) { try regex("ab(c|)", vocabulary) }
    }

    /// A state keeps its meaning when the machine has forgotten its number.
    @Test func survivesForgetting() throws {
        var limits = ConstraintLimits()
        limits.rememberedWords = 300
        limits.rememberedMasks = 2
        let compiled = try CompiledConstraint(
            .jsonSchema(["type": "object", "additionalProperties": ["type": "array", "items": true]]),
            vocabulary: TestVocabulary.synthetic, limits: limits)
        let roomy = try CompiledConstraint(compiled.constraint, vocabulary: TestVocabulary.synthetic)
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<20 {
            let text = sample(compiled, maxTokens: 60, using: &generator)
            #expect(text.isComplete)
            #expect(accepts(roomy, text.text))
        }
    }

    @Test(.enabled(if: TestVocabulary.embedded != nil, "the embedded model's file is not installed"))
    func masksAreFast() throws {
        let vocabulary = try #require(TestVocabulary.embedded)
        let clock = ContinuousClock()
        let compiled = try schema(
            [
                "type": "object",
                "properties": [
                    "name": ["type": "string", "maxLength": 300], "age": ["type": "integer", "minimum": 0],
                    "tags": ["type": "array", "items": ["type": "string"]], "note": ["type": "string"],
                ],
                "required": ["name", "age", "tags", "note"],
            ], vocabulary)
        var words = [UInt64](repeating: 0, count: vocabulary.maskWords)
        var fresh: [Duration] = []
        var repeated: [Duration] = []
        var state = compiled.start()
        let text = #"{"name": "Ada Lovelace", "age": 36, "tags": ["first", "poet"], "note": "wrote \"notes\" é"}"#
        for byte in text.utf8 {
            for (round, remaining) in [nil, nil, 400].enumerated() {
                let time = clock.measure {
                    words.withUnsafeMutableBufferPointer { _ = state.mask(into: $0, remainingTokens: remaining) }
                }
                if round == 0 { fresh.append(time) } else { repeated.append(time) }
            }
            let took = state.advance(bytes: [byte])
            #expect(took)
        }
        fresh.sort()
        repeated.sort()
        print(
            "mask of \(vocabulary.count) tokens: first \(fresh[fresh.count / 2]) median, \(fresh[fresh.count - 1]) worst;",
            "again \(repeated[repeated.count / 2]) median, \(repeated[repeated.count - 1]) worst")
        #expect(repeated[repeated.count / 2] < .milliseconds(1))
        #expect(fresh[fresh.count / 2] < .milliseconds(30))
    }
}
