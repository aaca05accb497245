import Foundation
import Text

/// A model's words beside its weights: the tokenizer and the chat template, in the form of either kind of file.
extension ModelWeights {
    /// Writes the words into a Hugging Face folder: the source's own files as they are, or files made of GGUF fields. Does nothing
    /// for weights that come without words.
    public func writeText(to folder: String) throws {
        let folder = URL(fileURLWithPath: folder)
        guard let file = source as? GGUFFile else { return try copyText(to: folder) }
        guard file["tokenizer.ggml.model"] != nil else { return }
        let files = try TextFiles(source)
        try Self.writeText(
            files.specification, chatTemplate: files.template, contextLength: configuration.contextLength, to: folder)
    }

    /// Writes words into a Hugging Face folder, which must exist.
    static func writeText(
        _ specification: TokenizerSpecification, chatTemplate: String?, contextLength: Int, to folder: URL
    ) throws {
        let ends = Set([specification.eos].compactMap { $0 } + specification.endOfText)
        try write(specification.tokenizerJSON(), to: folder.appendingPathComponent("tokenizer.json"))
        try write(
            specification.tokenizerConfiguration(chatTemplate: chatTemplate, contextLength: contextLength),
            to: folder.appendingPathComponent("tokenizer_config.json"))
        try write(
            ["eos_token_id": .array(ends.sorted().map { .integer(Int($0)) })],
            to: folder.appendingPathComponent("generation_config.json"))
    }

    /// The words as the keys of a GGUF file: those of the source, `general.` ones included, or made of its `tokenizer.json`. None for
    /// weights that come without words.
    public func ggufText() throws -> [(key: String, value: GGUFValue)] {
        if let file = source as? GGUFFile {
            return file.keys.filter {
                $0.hasPrefix("tokenizer.") || ($0.hasPrefix("general.") && $0 != "general.alignment")
            }.compactMap { key in file[key].map { (key, $0) } }
        }
        let folder = URL(fileURLWithPath: source.path)
        let vocabulary = folder.appendingPathComponent("tokenizer.json")
        guard FileManager.default.fileExists(atPath: vocabulary.path) else { return [] }
        let files = try TextFiles(source)
        return [("general.name", .string(folder.lastPathComponent))]
            + (try GGUFTokenizerFields(files.specification).metadata(chatTemplate: files.template))
    }

    private static let textFiles = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "chat_template.jinja",
        "generation_config.json", "vocab.txt", "vocab.json", "merges.txt", "modules.json", "sentence_bert_config.json",
        "1_Pooling/config.json",
    ]

    private func copyText(to folder: URL) throws {
        for name in Self.textFiles {
            let file = URL(fileURLWithPath: source.path).appendingPathComponent(name)
            guard let contents = FileManager.default.contents(atPath: file.path) else { continue }
            let place = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try contents.write(to: place, options: .atomic)
        }
    }

    private static func write(_ document: JSONValue, to file: URL) throws {
        try Data((document.text(pretty: true) + "\n").utf8).write(to: file, options: .atomic)
    }
}
