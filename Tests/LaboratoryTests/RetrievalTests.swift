import Foundation
import Inference
import Laboratory
import Synchronization
import Testing

/// Counts letters: a text's vector is how often a, b and c stand in it.
private final class LetterModel: EmbeddingModel {
    let identity: ModelIdentity
    let embeddingWidth = 3
    let embeddingKind = "letters"
    let asked = Mutex<[String]>([])

    init(_ fingerprint: String = "letters") {
        identity = ModelIdentity(
            reference: fingerprint, name: fingerprint, fingerprint: fingerprint, contextLength: nil)
    }

    func embed(_ texts: [String]) async throws -> [[Float]] {
        asked.withLock { $0 += texts }
        return texts.map { text in ["a", "b", "c"].map { letter in Float(text.count { String($0) == letter }) } }
    }
}

@Suite struct RetrievalTests {
    private let documents = [
        PassageDocument("one", passages: ["aab", "b b"]), PassageDocument("two", passages: ["ccc"]),
        PassageDocument("three", passages: ["a c", "aab"]),
    ]

    @Test func onlyWhatIsNewIsEmbedded() async throws {
        let model = LetterModel()
        var index = PassageIndex(model: model)
        let first = try await index.update(documents, model: model)
        #expect(first == PassageIndex.Change(added: 3, replaced: 0, unchanged: 0, embedded: 5))
        model.asked.withLock { $0 = [] }
        var changed = documents
        changed[0].passages = ["new a", "aab"]
        let second = try await index.update(changed, model: model)
        #expect(second == PassageIndex.Change(added: 0, replaced: 1, unchanged: 2, embedded: 1))
        #expect(model.asked.withLock { $0 } == ["new a"])
        #expect(index.remove(["two", "nobody"]) == 1)
        #expect(index.documents == ["one", "three"] && index.passageCount == 4)
        #expect(try await index.search("ccc", limit: 5, mode: .words).isEmpty)
        #expect(model.asked.withLock { $0 } == ["new a"])
        // The reused vector belongs to its passage still.
        let found = try await index.search("aab", limit: 3, mode: .dense, model: model)
        #expect(found.map(\.document) == ["one", "three", "one"] && found.map(\.position) == [1, 1, 0])
        #expect(abs(found[0].score - 1) < 1e-6)
    }

    @Test func searchesByWordsByVectorsAndByBoth() async throws {
        let model = LetterModel()
        var index = PassageIndex(model: model)
        try await index.update(documents, model: model)
        let byWords = try await index.search("b", limit: 5, mode: .words)
        #expect(byWords.map(\.text) == ["b b"])
        let dense = try await index.search("c", limit: 2, mode: .dense, model: model)
        #expect(dense.map(\.text) == ["ccc", "a c"])
        #expect(abs(dense[1].score - 0.5.squareRoot()) < 1e-6)
        // By words for "a": "a c" alone. By vectors: aab, aab (0.894), a c (0.707), then the zeros in their order.
        let both = try await index.search("a", limit: 10, model: model)
        #expect(both.map(\.text) == ["a c", "aab", "aab", "b b", "ccc"])
        #expect(abs(both[0].score - (1 / 61.0 + 1 / 63)) < 1e-12)
        #expect(abs(both[1].score - 1 / 61.0) < 1e-12)
        #expect(try await index.search("a", limit: 0).isEmpty)
    }

    @Test func rankingsAreFusedByReciprocalRank() {
        let fused = ReciprocalRankFusion.fuse([[7, 3], [3, 9, 7]])
        #expect(fused.map(\.item) == [3, 7, 9])
        #expect(abs(fused[0].score - (1 / 62.0 + 1 / 61)) < 1e-15)
        #expect(ReciprocalRankFusion.fuse([[2], [1]]).map(\.item) == [1, 2])
    }

    @Test func faultsAreSentences() async throws {
        let model = LetterModel()
        var index = PassageIndex(model: model)
        let twice = await #expect(throws: RetrievalError.self) {
            try await index.update([documents[0], documents[0]], model: model)
        }
        #expect(twice == .repeatedName("one") && index.documents.isEmpty)
        await #expect(throws: RetrievalError.otherModel(index: "letters", given: "other")) {
            try await index.update(documents, model: LetterModel("other"))
        }
        await #expect(throws: RetrievalError.noVectors) { try await index.update(documents) }
        var plain = PassageIndex()
        try await plain.update(documents)
        #expect(try await plain.search("ccc", limit: 1).first?.document == "two")
        await #expect(throws: RetrievalError.noVectors) {
            try await plain.search("ccc", limit: 1, mode: .hybrid, model: model)
        }
    }

    @Test func aTextIsCutAtSentences() {
        let document = PassageDocument("d", text: "One two three. Four five six! Seven eight? Nine.", words: 6)
        #expect(document.passages == ["One two three. Four five six!", "Seven eight? Nine."])
        #expect(PassageDocument("d", text: "One two three.", words: 1).passages == ["One two three."])
        #expect(PassageDocument("d", text: "").passages.isEmpty)
    }

    @Test func anIndexComesBackFromDiskAsItWas() async throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("deep/index")
        let model = LetterModel()
        for given in [model, nil] {
            var index = PassageIndex(model: given)
            try await index.update(documents, model: given)
            try index.write(to: file)
            var back = try PassageIndex(contentsOf: file)
            #expect(back.embedder == index.embedder && back.documents == index.documents)
            let before = try await index.search("a b", limit: 9, model: given)
            #expect(try await back.search("a b", limit: 9, model: given) == before)
            #expect(try await back.update(documents, model: given).unchanged == 3)
        }
    }

    @Test func hostileFilesAreRefused() async throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("index")
        let model = LetterModel()
        var index = PassageIndex(model: model)
        try await index.update(documents, model: model)
        try index.write(to: file)
        let whole = [UInt8](try Data(contentsOf: file))
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 0x41
            try Data(bytes).write(to: file)
            #expect(throws: RetrievalError.self, "byte \(place)") { try PassageIndex(contentsOf: file) }
        }
        for length in stride(from: 0, to: whole.count, by: 7) {
            try Data(whole[..<length]).write(to: file)
            #expect(throws: RetrievalError.self) { try PassageIndex(contentsOf: file) }
        }
        // With a right digest, what the header says is checked all the same.
        let start = 16
        let length = Int(whole[12]) | Int(whole[13]) << 8
        let header = String(decoding: whole[start..<start + length], as: UTF8.self)
        let vectors = Array(whole[(start + length)..<(whole.count - 64)])
        func refused(_ header: String, vectors: [UInt8], saying part: String, length: UInt32? = nil) throws {
            let json = Array(header.utf8)
            let number = length ?? UInt32(json.count)
            var bytes =
                Array(whole[..<12]) + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } + json + vectors
            bytes += Array(SHA256.hexadecimal(of: bytes).utf8)
            try Data(bytes).write(to: file)
            let error = #expect(throws: RetrievalError.self) { try PassageIndex(contentsOf: file) }
            #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
        }
        try refused(header, vectors: vectors, saying: "header is longer", length: .max)
        try refused(header, vectors: vectors + [0], saying: "do not go together")
        try refused(header, vectors: [], saying: "do not go together")
        try refused(header.replacingOccurrences(of: "two", with: "one"), vectors: vectors, saying: "twice")
        try refused(header.replacingOccurrences(of: "documents", with: "x"), vectors: vectors, saying: "header can't")
        for width in ["0", "-3", "9223372036854775807"] {
            let other = header.replacingOccurrences(of: "\"width\":3", with: "\"width\":\(width)")
            try #require(other != header)
            try refused(other, vectors: vectors, saying: "vectors have")
        }
        try refused(header, vectors: [0, 0, 0xC0, 0x7F] + vectors.dropFirst(4), saying: "not finite")
        let later = Array(whole[..<8]) + [9, 0, 0, 0] + whole[12...]
        try Data(later).write(to: file)
        let error = #expect(throws: RetrievalError.self) { try PassageIndex(contentsOf: file) }
        #expect(error == .laterVersion(path: file.path, version: 9, known: 1))
    }

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: PackagedModel.minilm.place.path),
            "all-MiniLM-L6-v2 is not installed; type: make embedders"))
    func aSentenceEncoderFindsByMeaning() async throws {
        let model = try openEmbeddingModel(path: PackagedModel.minilm.place.path, reference: "minilm")
        var index = PassageIndex(model: model)
        try await index.update(
            [
                PassageDocument("cat", passages: ["A small cat sleeps on the warm windowsill."]),
                PassageDocument("money", passages: ["The central bank raised interest rates again in June."]),
                PassageDocument("rain", passages: ["Heavy showers are expected over the coast tomorrow."]),
                PassageDocument("code", passages: ["Error E4417 means that the paper tray is empty."]),
            ], model: model)
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("index")
        try index.write(to: file)
        let back = try PassageIndex(contentsOf: file)
        for (query, name) in [
            ("a kitten taking a nap", "cat"), ("monetary policy", "money"), ("weather forecast", "rain"),
        ] {
            #expect(try await back.search(query, limit: 1, mode: .words).isEmpty || name == "cat")
            #expect(try await back.search(query, limit: 1, mode: .dense, model: model).first?.document == name)
            #expect(try await back.search(query, limit: 1, model: model).first?.document == name)
        }
        #expect(try await back.search("E4417", limit: 1, model: model).first?.document == "code")
    }
}
