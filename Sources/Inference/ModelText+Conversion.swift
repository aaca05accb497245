import Foundation
import Models
import Text

extension ModelConversion {
    /// Writes a Hugging Face folder that loads by itself: the weights, and the tokenizer and chat template of the source. What
    /// the source holds as files of its own is copied as it is.
    public func writeHuggingFaceModel(to folder: String) throws {
        let source = weights.source
        // `config.json` comes last, so that a folder with it is complete.
        if source.naming == .huggingFace {
            for name in Self.textFiles {
                let from = URL(fileURLWithPath: source.path).appendingPathComponent(name)
                guard let contents = FileManager.default.contents(atPath: from.path) else { continue }
                let place = URL(fileURLWithPath: folder).appendingPathComponent(name)
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                try contents.write(to: place, options: .atomic)
            }
        } else if let files = try Self.text(of: source) {
            let specification = files.specification
            let ends = [specification.eos].compactMap { $0 } + specification.endOfText
            let documents: [(String, JSONValue)] = [
                ("tokenizer.json", try specification.tokenizerJSON()),
                (
                    "tokenizer_config.json",
                    specification.tokenizerConfiguration(
                        chatTemplate: files.template, contextLength: weights.configuration.contextLength)
                ),
                (
                    "generation_config.json",
                    ["eos_token_id": .array(Set(ends).sorted().map { .integer(Int($0)) })]
                ),
            ]
            for (name, document) in documents {
                try Data((document.text(pretty: true) + "\n").utf8).write(
                    to: URL(fileURLWithPath: folder).appendingPathComponent(name), options: .atomic)
            }
        }
        try writeHuggingFace(to: folder)
    }

    /// Writes a GGUF file with the source's tokenizer and chat template in it.
    public func writeGGUFModel(to path: String) throws {
        guard weights.source.naming == .huggingFace, let files = try Self.text(of: weights.source) else {
            return try writeGGUF(to: path)
        }
        let name = URL(fileURLWithPath: weights.source.path).lastPathComponent
        try writeGGUF(
            to: path,
            metadata: [("general.name", .string(name))]
                + GGUFTokenizerFields(files.specification).metadata(chatTemplate: files.template))
    }

    private static let textFiles = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
        "generation_config.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "modules.json",
        "sentence_bert_config.json", "1_Pooling/config.json",
    ]

    /// The words of a source; nil for weights that come without.
    private static func text(of source: any WeightSource) throws -> TextFiles? {
        if let file = source as? GGUFFile {
            return file["tokenizer.ggml.model"] == nil ? nil : try TextFiles(source)
        }
        let path = URL(fileURLWithPath: source.path).appendingPathComponent("tokenizer.json").path
        return FileManager.default.fileExists(atPath: path) ? try TextFiles(source) : nil
    }
}
