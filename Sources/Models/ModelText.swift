import Foundation
import Text

/// A model file's words: its tokenizer and chat template.
public struct ModelText: Sendable {
    public let tokenizer: Tokenizer
    public let template: ChatTemplate?

    /// Reads only the words of a GGUF file or a Hugging Face folder, not its weights.
    public init(path: String) throws {
        try self.init(openWeights(at: path))
    }

    public init(_ source: any WeightSource) throws {
        let files = try TextFiles(source)
        let tokenizer = try Tokenizer(files.specification)
        self.tokenizer = tokenizer
        template = try files.template.map { template in
            try ChatTemplate(
                source: template, bosToken: tokenizer.bos.map(tokenizer.text),
                eosToken: tokenizer.eos.map(tokenizer.text))
        }
    }
}

/// What a model file says about its words, before a tokenizer is built from it.
struct TextFiles {
    let specification: TokenizerSpecification
    /// In Jinja.
    let template: String?

    init(_ source: any WeightSource) throws {
        if let file = source as? GGUFFile {
            try self.init(gguf: file)
        } else {
            try self.init(folder: source.path)
        }
    }

    private init(gguf file: GGUFFile) throws {
        let metadata = try TokenizerMetadata(file)
        var fields = GGUFTokenizerFields(model: metadata.model, tokens: try Self.strings(metadata.tokens, "tokens"))
        fields.pre = metadata.preTokenizer
        fields.tokenTypes = (metadata.tokenTypes ?? []).map { Int32($0.rawValue) }
        fields.scores = metadata.scores ?? []
        if let merges = metadata.merges { fields.merges = try Self.strings(merges, "merges") }
        fields.bos = metadata.bosTokenID.map(Int.init)
        fields.eos = metadata.eosTokenID.map(Int.init)
        fields.unknown = metadata.unknownTokenID.map(Int.init)
        fields.padding = metadata.paddingTokenID.map(Int.init)
        fields.separator = metadata.separatorTokenID.map(Int.init)
        fields.classification = metadata.classTokenID.map(Int.init)
        fields.endOfTurn = ["eot", "eom"].compactMap { metadata.specialTokenIDs[$0].map(Int.init) }
        fields.addsBOS = metadata.addsBOS
        fields.addsEOS = metadata.addsEOS
        fields.addsSpacePrefix = metadata.addsSpacePrefix
        fields.removesExtraWhitespace = metadata.removesExtraWhitespace
        fields.characterMap = metadata.precompiledCharacterMap?.withUnsafeBytes { Array($0) }
        specification = try TokenizerSpecification(gguf: fields)
        template = metadata.chatTemplate
    }

    private init(folder: String) throws {
        func document(_ name: String) throws -> JSONValue? {
            let path = folder + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            return try JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)))
        }
        guard let vocabulary = try document("tokenizer.json") else {
            throw WeightFileError(
                .missing, file: folder, field: "tokenizer.json",
                "the folder has no tokenizer.json; add the one of the model")
        }
        let settings = try document("tokenizer_config.json")
        specification = try TokenizerSpecification(tokenizerJSON: vocabulary, config: settings)
        var source = settings?["chat_template"]?.stringValue
        // Some models list several templates by name.
        if let named = settings?["chat_template"]?.arrayValue {
            source = named.first { $0["name"]?.stringValue == "default" }?["template"]?.stringValue
        }
        let path = folder + "/chat_template.jinja"
        if source == nil, FileManager.default.fileExists(atPath: path) {
            source = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        }
        template = source
    }

    private static func strings(_ array: GGUFArray, _ field: String) throws -> ByteStrings {
        try array.bytes.withUnsafeBytes { bytes in
            try ByteStrings(lengthPrefixed: bytes, count: array.count, field: "tokenizer.ggml.\(field)")
        }
    }
}
