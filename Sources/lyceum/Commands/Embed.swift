import ArgumentParser
import Inference
import Laboratory
import Text

struct Embed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn texts into vectors, or show how alike they are.",
        discussion: """
            Of several texts, a table shows the cosine between any two; --json prints
            the vectors. An encoder made for it does this well. A decoder, such as the
            embedded model, gives the mean of its last hidden states, which tells texts
            apart only roughly.

              lyceum embed "a cat on a mat" "the kitten lay down" "shares fell"
              lyceum embed --file sentences.txt --json > vectors.json
              lyceum embed --model bge-small-en/ --file sentences.txt
            """)

    @Argument(help: "The texts.")
    var texts: [String] = []

    @Option(
        help: "Take a text from each line of this file, empty ones left out; - is the standard input.",
        completion: .file())
    var file: String?

    @Option(
        name: .shortAndLong,
        help: "The model: minilm, a Hugging Face folder or GGUF file of a BERT encoder, or a decoder such as embedded.",
        completion: .file())
    var model = PackagedModel.minilm.rawValue

    @Option(help: "How the model computes: default, fast (a decoder's 8-bit activations) or f32.")
    var precision = RunSettings.Precision.default

    @Flag(help: "Print {\"embeddings\":[[…],…],\"model\":…,\"width\":…,\"kind\":…}.")
    var json = false

    /// More texts than this don't fit a table of all pairs.
    private static let mostPaired = 10

    func validate() throws {
        guard texts.isEmpty != (file == nil) else {
            throw ValidationError("Give either texts or --file.")
        }
    }

    func run() async throws {
        let texts = try file.map(Self.lines) ?? self.texts
        guard !texts.isEmpty else { throw Leaving.Usage(description: "\(file ?? ""): holds no text.") }
        let reference = try ModelReference(model)
        let settings = ModelSettings(precision: precision)
        let (model, vectors) = try await Interrupts.cancelling {
            let model = try embeddingModel(reference, settings: settings)
            return (model, try await model.embed(texts))
        }
        if json {
            return Output.json([
                "embeddings": .array(vectors.map { .array($0.map { .number(Double($0)) }) }),
                "model": .string(model.identity.name), "width": .integer(model.embeddingWidth),
                "kind": .string(model.embeddingKind),
            ])
        }
        if vectors.count == 1 {
            Output.json(.array(vectors[0].map { .number(Double($0)) }))
        } else {
            Output.table(vectors.count <= Self.mostPaired ? Self.pairs(texts, vectors) : Self.nearest(texts, vectors))
        }
        Output.line("\(model.identity.name), \(model.embeddingWidth) numbers a text: \(model.embeddingKind).")
    }

    private static func lines(of file: String) throws -> [String] {
        try Output.text(of: file).split(whereSeparator: \.isNewline).map(String.init)
    }

    /// The cosine between any two texts.
    private static func pairs(_ texts: [String], _ vectors: [[Float]]) -> Table {
        var table = Table(
            "Cosine similarity",
            columns: [.number(""), .text("text")] + texts.indices.map { .number(String($0 + 1)) })
        for (index, text) in texts.enumerated() {
            table.add(
                [String(index + 1), text]
                    + vectors.map { NumberStyle.decimals(3).text(Double(cosineSimilarity(vectors[index], $0))) })
        }
        return table
    }

    /// For each text the other one that is nearest to it.
    private static func nearest(_ texts: [String], _ vectors: [[Float]]) -> Table {
        var table = Table(
            "Nearest neighbours by cosine similarity",
            columns: [.number(""), .text("text"), .number("cosine"), .number(""), .text("nearest")])
        for (index, text) in texts.enumerated() {
            let cosines = vectors.map { cosineSimilarity(vectors[index], $0) }
            guard let best = texts.indices.filter({ $0 != index }).max(by: { cosines[$0] < cosines[$1] }) else {
                continue
            }
            table.add(
                String(index + 1), text, NumberStyle.decimals(3).text(Double(cosines[best])), String(best + 1),
                texts[best])
        }
        return table
    }
}
