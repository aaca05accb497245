import Foundation
import Testing
import Text

@Suite("Hostile tokenizer files")
struct TokenizerFuzzTests {
    /// How many damaged files are tried: `LYCEUM_FUZZ`, or a short run.
    private static let rounds = ProcessInfo.processInfo.environment["LYCEUM_FUZZ"].flatMap { Int($0) } ?? 300
    private let text = "Hello <s> wörld 123 \u{1F600} a\u{301} \u{FFFD}\n\n x  <|im_start|> [CLS] 世界 e.g. ½"

    @Test("A damaged tokenizer.json is refused with its field named, or gives a tokenizer that works")
    func damagedValues() throws {
        let originals = try TokenizerGoldens.kinds.map { try TokenizerGoldens.specification($0) }
        var generator = TestGenerator(seed: 11)
        var refused = 0
        for round in 0..<Self.rounds {
            var damaged = originals[round % originals.count]
            for _ in 0..<Int.random(in: 1...3, using: &generator) { damaged = damage(damaged, &generator) }
            if !survives(damaged) { refused += 1 }
        }
        #expect(refused > Self.rounds / 20)
        #expect(refused < Self.rounds)
    }

    @Test("Damaged bytes of a tokenizer.json")
    func damagedBytes() throws {
        let original = Array(
            #"""
            {"added_tokens":[{"id":9,"content":"<s>","special":true}],"normalizer":{"type":"NFC"},
            "pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\p{L}+|[^a-z]{1,3}(?!\\S)"},"behavior":"Isolated","invert":false},
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],
            "special_tokens":{"<s>":{"id":"<s>","ids":[9]}}},"decoder":{"type":"ByteLevel"},
            "model":{"type":"BPE","unk_token":"a","byte_fallback":true,"fuse_unk":true,
            "vocab":{"a":0,"b":1,"ab":2,"\u0120":3},"merges":[["a","b"]]}}
            """#.utf8)
        var mutator = ByteMutator(seed: 7)
        for _ in 0..<Self.rounds {
            if let json = try? JSONValue(parsing: mutator.mutated(original)) { _ = survives(json) }
        }
        #expect(survives(try JSONValue(parsing: original)))
    }

    @Test("Damaged compiled character maps")
    func damagedCharacterMaps() throws {
        let original = try TokenizerGoldens.specification("unigram")
        let steps = try #require(original["normalizer"]?["normalizers"]?[0]?["precompiled_charsmap"]?.stringValue)
        var mutator = ByteMutator(seed: 9)
        let bytes = Array(try #require(Data(base64Encoded: steps)))
        for _ in 0..<Self.rounds {
            let damaged = Data(mutator.mutated(bytes)).base64EncodedString()
            let json: JSONValue = [
                "model": original["model"] ?? nil,
                "normalizer": ["type": "Precompiled", "precompiled_charsmap": .string(damaged)],
            ]
            _ = survives(json)
        }
    }

    @Test("An id beyond all reason is refused", arguments: [Int.max, -1, 1 << 28])
    func hugeIdentifier(_ id: Int) throws {
        let json: JSONValue = ["model": ["type": "BPE", "vocab": ["a": .integer(id)], "merges": []]]
        #expect(throws: TokenizerError.self) { try TokenizerSpecification(tokenizerJSON: json) }
    }

    @Test("Half a character in a character map is written as question marks")
    func brokenReplacement() throws {
        // A trie that knows "a" alone, whose replacement are two bytes of a character of three.
        var units = [UInt32](repeating: 0, count: 98)
        units[97] = 97 | 1 << 8 | 1 << 10
        var table = withUnsafeBytes(of: UInt32(units.count * 4).littleEndian) { Array($0) }
        for unit in units { table += withUnsafeBytes(of: unit.littleEndian) { Array($0) } }
        table += [0xE4, 0xB8, 0]
        let json: JSONValue = [
            "model": ["type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["?", -1], ["b", -1]]],
            "normalizer": [
                "type": "Precompiled", "precompiled_charsmap": .string(Data(table).base64EncodedString()),
            ],
        ]
        #expect(try Tokenizer(TokenizerSpecification(tokenizerJSON: json)).encode("ab") == [1, 1, 2])
    }

    @Test(
        "Regular expressions that explode are cut short",
        arguments: [
            "(a|a)*b", "(a+)+b", "(?:a?){30}a{30}", "(?:(?:(?:){1000}){1000}){1000}", "((a{1,100}){1,100}){1,100}b",
        ])
    func explosions(_ pattern: String) throws {
        let json: JSONValue = [
            "model": ["type": "BPE", "vocab": ["a": 0], "merges": []],
            "pre_tokenizer": ["type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated"],
        ]
        let time = ContinuousClock().measure {
            if let tokenizer = try? Tokenizer(TokenizerSpecification(tokenizerJSON: json)) {
                #expect(tokenizer.encode(String(repeating: "a", count: 5000)).count == 5000)
            }
        }
        #expect(time < .seconds(10))
    }

    /// Builds and uses the tokenizer; false where it was refused.
    private func survives(_ json: JSONValue) -> Bool {
        do {
            let tokenizer = try Tokenizer(TokenizerSpecification(tokenizerJSON: json))
            for special in [SpecialTokens.asText, .recognised] {
                let ids = tokenizer.encode(text, special: special, boundaries: .asTrained)
                #expect(ids == tokenizer.encodeWithOffsets(text, special: special, boundaries: .asTrained).map(\.id))
                #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
                _ = tokenizer.decode(ids)
            }
            return true
        } catch {
            #expect(!error.field.isEmpty && !error.problem.isEmpty)
            return false
        }
    }

    /// Replaces, drops or doubles one part, the parts near the root most often.
    private func damage(_ value: JSONValue, _ generator: inout TestGenerator) -> JSONValue {
        if Int.random(in: 0..<6, using: &generator) == 0 { return junk(&generator) }
        switch value {
        case .object(var members) where !members.isEmpty:
            let place = Int.random(in: 0..<members.count, using: &generator)
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: members.remove(at: place)
            case 1: members.append(members[place])
            case 2: members[place].key = ["type", "", "id", "a"].randomElement(using: &generator) ?? ""
            default: members[place].value = damage(members[place].value, &generator)
            }
            return .object(members)
        case .array(var elements) where !elements.isEmpty:
            let place = Int.random(in: 0..<elements.count, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: elements.remove(at: place)
            case 1: elements.append(elements[place])
            case 2: elements.swapAt(place, 0)
            default: elements[place] = damage(elements[place], &generator)
            }
            return .array(elements)
        default: return junk(&generator)
        }
    }

    private func junk(_ generator: inout TestGenerator) -> JSONValue {
        let choices: [JSONValue] = [
            nil, true, false, 0, 1, -1, 255, 99_999_999, .integer(.max), .integer(.min), 1e300, -0.5, "", "a", "\u{0}",
            "<s>", [], [:],
            [0], ["a", "b"], ["type": "Sequence"], "NFKC", "ByteLevel", "Unigram", "(", "[^", "\\p{L}", "(?i:a)*",
            "a{1000}", "😀",
            .string(String(repeating: "a", count: 5000)), "\u{2581}",
        ]
        return choices.randomElement(using: &generator) ?? nil
    }
}
