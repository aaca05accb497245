import ArgumentParser
import Foundation
import Laboratory
import Models
import Text
import Training

struct Pretrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a new model from nothing on texts.",
        discussion: """
            The model is of the Llama family, in any size; its tokens are bytes, or byte pairs learnt
            from the same texts. The result is a Hugging Face folder that every command takes. Ctrl-C
            writes a checkpoint; the same command goes on from it.

              lyceum pretrain --data book.txt --out small --epochs 4
              mpirun -n 2 lyceum pretrain --data book.txt --out small --epochs 4
              lyceum pretrain --data corpus/ --vocabulary 4096 --layers 8 --hidden 384 --out larger
              lyceum generate --model small --raw "Once upon"
            """)

    @Option(
        help: ArgumentHelp("Texts (.txt, .md), records with a text (.jsonl …), or folders.", valueName: "path"),
        completion: .file())
    var data: [String]

    @Option(help: ArgumentHelp("The folder of the result.", valueName: "folder"), completion: .directory)
    var out: String

    @Option(help: "bytes, or how many tokens to have: 256 bytes, learnt pairs, and the end of a text.")
    var vocabulary = "bytes"

    @Option(help: "Layers.")
    var layers = 4

    @Option(help: "The width of the hidden state.")
    var hidden = 256

    @Option(help: "Query heads.")
    var heads = 4

    @Option(help: "Key and value heads (else as many as query heads).")
    var kvHeads: Int?

    @Option(help: "The inner width of the feed-forward layers (else 8/3 of the hidden state's).")
    var feedForward: Int?

    @Option(help: "The longest text in tokens, and the length of the samples.")
    var context = 256

    @Option(help: "Every so many samples one is held out; 0: none.")
    var holdOutEvery = 20

    @Flag(help: "Begin anew in a folder that holds something.")
    var overwrite = false

    @OptionGroup var training: TrainingArguments

    func validate() throws {
        guard !data.isEmpty else { throw ValidationError("Give at least one --data PATH.") }
        for (name, value) in [
            ("layers", layers), ("hidden", hidden), ("heads", heads), ("kv-heads", kvHeads ?? 1),
            ("feed-forward", feedForward ?? 1),
        ] where !(1...65_536).contains(value) {
            throw ValidationError("--\(name) can't be \(value): it expects 1 to 65536.")
        }
        guard hidden % heads == 0, hidden / heads % 2 == 0 else {
            throw ValidationError("--hidden \(hidden) doesn't give \(heads) heads of the same even width.")
        }
        guard heads % (kvHeads ?? heads) == 0 else {
            throw ValidationError("--heads \(heads) can't be shared out over \(kvHeads ?? heads) key and value heads.")
        }
        guard (2...1_048_576).contains(context) else {
            throw ValidationError("--context can't be \(context): it expects 2 to 1048576.")
        }
        guard holdOutEvery != 1, holdOutEvery >= 0 else {
            throw ValidationError("--hold-out-every can't be \(holdOutEvery): it expects 0, or 2 and more.")
        }
        guard holdOutEvery > 0 || training.patience == nil && !training.keepBest && training.evaluateEvery == nil else {
            throw ValidationError("--patience, --keep-best and --evaluate-every need samples that are held out.")
        }
        guard vocabulary == "bytes" || Int(vocabulary).map({ (258...1_000_000).contains($0) }) ?? false else {
            throw ValidationError("--vocabulary can't be \(vocabulary): it expects bytes, or 258 to 1000000.")
        }
    }

    func run() async throws {
        if Ranks.own.isFirst { try OutputFolder(self.out).prepareRun(overwrites: overwrite) }
        let out = OutputFolder(self.out).path
        let console = Ranks.console
        var leftOut: [String] = []
        let documents = try data.flatMap { try Self.documents(at: Folders.expandingHome($0), &leftOut) }
        if !leftOut.isEmpty {
            let names = leftOut.prefix(8).joined(separator: ", ")
            console.tell(
                "Left out, no texts by their names: " + names
                    + (leftOut.count > 8 ? " and \(leftOut.count - 8) more." : "."))
        }
        guard documents.contains(where: { !$0.isEmpty }) else {
            throw ValidationError("There is no text in \(data.joined(separator: ", ")).")
        }
        // Made of the seed and the texts alone, so that a run that goes on starts from the same model.
        let specification = tokenizer(of: documents)
        let model = NewModel(configuration, tokenizer: specification)
        let start = out + "/start"
        let words = try Tokenizer(specification)
        let texts = try Corpus.texts(
            documents: documents.lazy.map { words.encode($0) }, length: context, separator: words.eos)
        let isHeldOut = { (index: Int) in holdOutEvery > 0 && index % holdOutEvery == holdOutEvery - 1 }
        var run = TrainingRun(
            model: start, objective: Supervised(), parameterisation: ChosenWeights.all,
            optimisation: try training.optimisation(rate: 1e-3),
            samples: texts.enumerated().filter { !isHeldOut($0.offset) }.map(\.element), output: out)
        run.heldOut = texts.enumerated().filter { isHeldOut($0.offset) }.map(\.element)
        run.prepare = { [seed = training.seed] in try model.write(to: start, seed: seed) }
        run.settings = training.settings
        run.precision = training.precision.compute
        run.format = run.precision == .f32 ? .f32 : .bf16
        console.tell(
            "\(model.parameterCount) parameters, \(model.configuration.vocabularySize) tokens, "
                + "\(run.samples.count) samples of \(context), \(run.heldOut.count) held out")
        let record = TrainingRecord(
            command: "pretrain", objective: run.objective.name, model: nil, data: data, seed: training.seed, out: out,
            counts: [
                ("parameters", model.parameterCount), ("samples", run.samples.count), ("held out", run.heldOut.count),
            ])
        let summary = try await record.kept { [run] in try await Ranks.train(run, console) }
        guard summary.outcome != .interrupted else {
            console.tell("Interrupted. The same command goes on from the checkpoint.")
            throw Ranks.ending(130)
        }
        guard Ranks.own.isFirst else { return }
        Output.table(Tune.table(of: summary.history))
        if let loss = summary.history.evaluations.last?.loss {
            let bits = loss / log(2) * Self.tokensPerByte(run.heldOut, words)
            Output.line("held out: \(NumberStyle.decimals(4).text(bits)) bits a byte")
        }
        Output.line("\(summary.outcome.rawValue): \(out)")
    }

    private var configuration: ModelConfiguration {
        .llama(
            layers: layers, hiddenSize: hidden, heads: heads, kvHeads: kvHeads, feedForwardSize: feedForward,
            contextLength: context)
    }

    private func tokenizer(of documents: [String]) -> TokenizerSpecification {
        guard let size = Int(vocabulary) else { return .bytes() }
        var trainer = BytePairTrainer()
        for document in documents { trainer.add(document) }
        return trainer.tokenizer(vocabulary: size)
    }

    /// How many predicted tokens a byte of the texts takes.
    private static func tokensPerByte(_ texts: [TokenSequence], _ words: Tokenizer) -> Double {
        let tokens = texts.reduce(0) { $0 + $1.weight }
        let bytes = texts.reduce(0) { $0 + $1.tokens.dropFirst().reduce(0) { $0 + words.bytes(of: $1).count } }
        return bytes > 0 ? tokens / Double(bytes) : 0
    }

    /// The texts of a file, or of a folder's files in the order of their names, those left out that by their names hold none. A plain
    /// text is one document.
    private static func documents(at path: String, _ leftOut: inout [String]) throws -> [String] {
        guard let isFolder = Self.isFolder(path) else {
            throw Leaving.Usage(description: "\(path) is no file or folder.")
        }
        guard isFolder else {
            guard try DataFormat(path: path) == .text else {
                return try DataSet(path: path).records(as: TextRecord.self).map(\.text)
            }
            return [try WholeText.read(path)]
        }
        var documents: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() where !name.hasPrefix(".") {
            let file = path + "/" + name
            if Self.isFolder(file) == true || (try? DataFormat(path: file)) != nil {
                documents += try Self.documents(at: file, &leftOut)
            } else {
                leftOut.append(file)
            }
        }
        return documents
    }

    /// nil: there is nothing at the path.
    private static func isFolder(_ path: String) -> Bool? {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
    }
}
