import Foundation
import Testing
import Text

/// What the golden files hold for one text.
struct GoldenCase {
    var bytes: [UInt8]
    /// The ids with special tokens as text.
    var ids: [TokenID]
    /// The ids with special tokens recognised.
    var special: [TokenID]
    /// The same with boundaries.
    var bounded: [TokenID]
    /// What `ids` decode to.
    var decoded: String

    init(_ json: JSONValue) {
        func list(_ key: String) -> [TokenID]? { json[key]?.arrayValue?.compactMap { $0.intValue.map { TokenID($0) } } }
        bytes = json["text"]?.stringValue.map { Array($0.utf8) } ?? (list("bytes") ?? []).map { UInt8($0) }
        ids = list("ids") ?? []
        special = list("special") ?? ids
        bounded = list("bounded") ?? special
        decoded = json["decoded"]?.stringValue ?? ""
    }

    var isText: Bool { String(validating: bytes, as: UTF8.self) != nil }
}

/// The golden files of `Tests/Golden/tokenizers`.
enum TokenizerGoldens {
    static let kinds = [
        "gpt2", "roberta", "llama3", "qwen2", "gpt4o", "falcon", "bert", "wordpiece-nfkc", "wordpiece-nfkd", "unigram",
        "unigram-bytes", "sentencepiece-bpe",
    ]

    static func document(_ name: String) throws -> JSONValue {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Golden/tokenizers")
        let data = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
        return try JSONValue(parsing: Array(data))
    }

    static func cases(_ name: String) throws -> [GoldenCase] {
        try #require(try document(name)["cases"]?.arrayValue).map(GoldenCase.init)
    }

    static func specification(_ name: String) throws -> JSONValue {
        try #require(try document(name)["tokenizer"])
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(TokenizerSpecification(tokenizerJSON: specification(name)))
    }
}

/// The vocabulary of the embedded model, where the model is installed.
enum EmbeddedVocabulary {
    static let path: String? = {
        let environment = ProcessInfo.processInfo.environment
        let cache =
            environment["LYCEUM_CACHE"] ?? environment["XDG_CACHE_HOME"].map { $0 + "/lyceum" }
            ?? environment["HOME"].map { $0 + "/.cache/lyceum" } ?? "."
        let path = (environment["LYCEUM_MODELS"] ?? cache + "/models") + "/SmolLM2-135M-Instruct.Q4_1.gguf"
        return FileManager.default.isReadableFile(atPath: path) ? path : nil
    }()

    static let isThere = path != nil
    static let absence: Comment = "The embedded model is not installed; `make model` fetches it."

    static func fields() throws -> GGUFTokenizerFields {
        let data = try Data(contentsOf: URL(fileURLWithPath: try #require(path)), options: .alwaysMapped)
        return try data.withUnsafeBytes { bytes in
            var reader = MetadataReader(bytes: bytes)
            return try reader.tokenizerFields()
        }
    }
}

/// Reads as much of a well-formed GGUF file as a tokenizer needs.
private struct MetadataReader {
    let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func integer<T: FixedWidthInteger>(_ type: T.Type) -> T {
        defer { position += MemoryLayout<T>.size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
    }

    private mutating func text() -> String {
        let length = Int(integer(UInt64.self))
        defer { position += length }
        return String(decoding: bytes[position..<position + length], as: UTF8.self)
    }

    /// The size of a value of a type, or nil for texts and arrays.
    private func size(_ type: UInt32) -> Int? {
        switch type {
        case 0, 1, 7: 1
        case 2, 3: 2
        case 4, 5, 6: 4
        case 10, 11, 12: 8
        default: nil
        }
    }

    mutating func tokenizerFields() throws -> GGUFTokenizerFields {
        position = 16
        let entries = integer(UInt64.self)
        var fields = GGUFTokenizerFields(model: "", tokens: ByteStrings())
        for _ in 0..<entries {
            let key = text()
            let type = integer(UInt32.self)
            if type == 9 {
                let element = integer(UInt32.self)
                let count = Int(integer(UInt64.self))
                let start = position
                if let size = size(element) {
                    position += size * count
                } else {
                    for _ in 0..<count { position += Int(integer(UInt64.self)) }
                }
                let all = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                if key == "tokenizer.ggml.tokens" {
                    fields.tokens = try ByteStrings(lengthPrefixed: all, count: count, field: key)
                } else if key == "tokenizer.ggml.merges" {
                    fields.merges = try ByteStrings(lengthPrefixed: all, count: count, field: key)
                } else if key == "tokenizer.ggml.token_type" {
                    fields.tokenTypes = (0..<count).map { all.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
                }
            } else if type == 8 {
                let value = text()
                if key == "tokenizer.ggml.model" { fields.model = value }
                if key == "tokenizer.ggml.pre" { fields.pre = value }
            } else {
                let value = type == 4 ? Int(bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)) : 0
                if key == "tokenizer.ggml.bos_token_id" { fields.bos = value }
                if key == "tokenizer.ggml.eos_token_id" { fields.eos = value }
                if key == "tokenizer.ggml.add_bos_token" { fields.addsBOS = bytes[position] != 0 }
                position += try #require(size(type))
            }
        }
        return fields
    }
}
