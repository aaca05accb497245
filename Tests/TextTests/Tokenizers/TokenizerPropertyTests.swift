import Testing
import Text

@Suite("What holds for every text")
struct TokenizerPropertyTests {
    /// Text of all kinds of characters, now and then with the names of special tokens in it.
    private func randomText(_ generator: inout TestGenerator, names: [String] = []) -> String {
        let pools: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x61...0x7A, 0x61...0x7A, 0x20...0x20, 0x0...0x1F, 0x80...0x24F, 0x300...0x36F, 0x400...0x45F,
            0x4E00...0x4FFF, 0xAC00...0xACFF, 0x1F300...0x1F650, 0x200B...0x200F, 0x30...0x39, 0x10000...0x10FFFF,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            if let name = names.randomElement(using: &generator), Int.random(in: 0..<4, using: &generator) == 0 {
                text += name
            }
            let pool = pools.randomElement(using: &generator) ?? 0x20...0x7E
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                if let scalar = Unicode.Scalar(UInt32.random(in: pool, using: &generator)) {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        return text
    }

    @Test(
        "A byte-level tokenizer gives every text back, and its ranges tile the text",
        arguments: ["llama3", "gpt4o", "falcon"])
    func roundTrip(_ name: String) throws {
        let tokenizer = try TokenizerGoldens.tokenizer(name)
        var generator = TestGenerator(seed: 1)
        for _ in 0..<500 {
            let text = randomText(&generator)
            let bytes = Array(text.utf8)
            let located = tokenizer.encodeWithOffsets(text)
            #expect(tokenizer.decode(located.map(\.id), skipSpecial: false).utf8.elementsEqual(bytes))
            var position = 0
            for token in located {
                #expect(token.range.lowerBound == position)
                #expect(tokenizer.bytes(of: token.id) == Array(bytes[token.range]))
                position = token.range.upperBound
            }
            #expect(position == bytes.count)
        }
    }

    @Test("User text forges no special token", arguments: TokenizerGoldens.kinds)
    func noForgery(_ name: String) throws {
        let tokenizer = try TokenizerGoldens.tokenizer(name)
        let specials = (0..<TokenID(tokenizer.vocabularySize)).filter {
            tokenizer.isSpecial($0) && $0 != tokenizer.unknownOfModel
        }
        #expect(specials.count >= 2)
        let names = specials.map { tokenizer.text(of: $0) }
        var generator = TestGenerator(seed: 2)
        var recognised = 0
        for _ in 0..<300 {
            let text = randomText(&generator, names: names)
            #expect(!tokenizer.encode(text).contains(where: specials.contains))
            if tokenizer.encode(text, special: .recognised).contains(where: specials.contains) { recognised += 1 }
        }
        #expect(recognised > 50)
    }

    @Test(
        "A stream gives the same text as decoding at once, and never half a character",
        arguments: TokenizerGoldens.kinds)
    func streaming(_ name: String) throws {
        let tokenizer = try TokenizerGoldens.tokenizer(name)
        var generator = TestGenerator(seed: 3)
        for round in 0..<300 {
            // Random ids make broken characters, which become U+FFFD at the same places.
            let ids =
                round % 3 == 0
                ? (0..<20).map { _ in TokenID.random(in: 0..<TokenID(tokenizer.vocabularySize), using: &generator) }
                : tokenizer.encode(randomText(&generator))
            var decoder = tokenizer.streamDecoder()
            var text = ""
            for id in ids {
                let piece = decoder.append(id)
                if round % 3 != 0 { #expect(!piece.contains("\u{FFFD}") || name != "llama3") }
                text += piece
            }
            text += decoder.finish()
            #expect(text == tokenizer.decode(ids))
        }
    }

    @Test("A stream holds a character back until it is whole")
    func halfCharacters() throws {
        let tokenizer = try TokenizerGoldens.tokenizer("llama3")
        let ids = Array("😀é".utf8).map { byte in (0..<TokenID(500)).first { tokenizer.bytes(of: $0) == [byte] } ?? -1 }
        var decoder = tokenizer.streamDecoder()
        #expect(ids.map { decoder.append($0) } == ["", "", "", "😀", "", "é"])
        #expect(decoder.finish() == "")
        #expect(decoder.append(ids[0]) == "")
        #expect(decoder.finish() == "\u{FFFD}")
        #expect(tokenizer.decode([ids[0], ids[1], ids[4], ids[5]]) == "\u{FFFD}é")
    }

    @Test(
        "Invalid UTF-8 is read as Python replaces it",
        arguments: [
            ([0x61, 0xFF, 0x62], "a\u{FFFD}b"), ([0xE2, 0x82], "\u{FFFD}"), ([0xF0, 0x9F, 0x98, 0x41], "\u{FFFD}A"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"),
            ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0xE0, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] as [([UInt8], String)])
    func invalid(_ bytes: [UInt8], _ text: String) throws {
        let tokenizer = try TokenizerGoldens.tokenizer("llama3")
        #expect(tokenizer.encode(bytes) == tokenizer.encode(text))
        #expect(tokenizer.encodeWithOffsets(bytes).last?.range.upperBound == bytes.count)
    }

    @Test("Long runs take no quadratic time", arguments: TokenizerGoldens.kinds)
    func longRuns(_ name: String) throws {
        let tokenizer = try TokenizerGoldens.tokenizer(name)
        let clock = ContinuousClock()
        for unit in ["a", " ", "ab", "1", "\n", "é", "<", "e\u{301}", "\u{301}", "."] {
            let text = String(repeating: unit, count: 200_000 / unit.utf8.count)
            let time = clock.measure {
                #expect(!tokenizer.encode(text).isEmpty || unit == " " || unit == "\n" || unit == "\u{301}")
            }
            #expect(time < .seconds(5), "\(unit.debugDescription) took \(time)")
        }
    }

    @Test("Concurrent calls don't disturb one another")
    func concurrency() async throws {
        let tokenizer = try TokenizerGoldens.tokenizer("llama3")
        var generator = TestGenerator(seed: 4)
        let texts = (0..<200).map { _ in randomText(&generator) }
        let expected = texts.map { tokenizer.encode($0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { texts.map { tokenizer.encode($0) } == expected } }
            for await same in group { #expect(same) }
        }
    }
}
