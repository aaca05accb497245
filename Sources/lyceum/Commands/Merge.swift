import ArgumentParser
import Laboratory
import Models
import Training

struct Merge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model with adapters added to its weights.",
        discussion: """
            Adapters are folders in PEFT's format, as lyceum tune writes them. The result is the kind
            of file that the model is: a folder, or model.gguf in it.

              lyceum merge --adapter tuned --out merged
              lyceum merge --model folder/ --adapter first=0.7 --adapter second=0.3 --out merged
            """)

    @Option(
        name: .shortAndLong, help: ArgumentHelp("A GGUF file, a Hugging Face folder or embedded.", valueName: "model"),
        completion: .file())
    var model = "embedded"

    @Option(
        help: ArgumentHelp(
            "An adapter; several are added up, each times its weight (else 1).", valueName: "folder[=weight]"),
        completion: .directory)
    var adapter: [WeightedAdapter]

    @Option(help: ArgumentHelp("The folder of the result.", valueName: "folder"), completion: .directory)
    var out: String

    @Option(help: "The number format of matrices: F32, F16, BF16; in GGUF also Q8_0, Q5_1, Q5_0, Q4_1, Q4_0.")
    var numbers = "BF16"

    func validate() throws {
        guard !adapter.isEmpty else { throw ValidationError("Give at least one --adapter FOLDER.") }
    }

    func run() async throws {
        let format = try WeightFormat(flag: numbers)
        let source = try openWeights(at: ModelReference(model).localPath())
        let configuration = try source.configuration()
        let adapters = try adapter.map { try $0.read(for: configuration) }
        try ModelExport(source, adapters: adapters).write(to: out, format: format)
        Output.line(out)
    }
}
