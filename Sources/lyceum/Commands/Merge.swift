import ArgumentParser
import Laboratory
import Models
import Training

struct Merge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model with adapters added to its weights.",
        discussion: """
            Adapters are folders in PEFT's format, as lyceum tune writes them. The result is the kind
            of file that the model is: a folder, or model.gguf in it. Where rounding to the nearest
            number would lose a matrix's change, it is rounded up or down by chance, so that the sum
            of many keeps it. A head that one of them has, such as a reward's, goes along.

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

    @Option(
        help:
            "The number format of matrices: \(WeightFormat.writableNames()); those with a Q only in GGUF."
    )
    var numbers = "BF16"

    @Flag(help: "Write into a folder that holds something.")
    var overwrite = false

    func validate() throws {
        guard !adapter.isEmpty else { throw ValidationError("Give at least one --adapter FOLDER.") }
    }

    func run() async throws {
        _ = try WeightFormat(flag: numbers)
        let source = try openWeights(at: ModelReference(model).localPath())
        let format = try WeightFormat(flag: numbers, asGGUF: source is GGUFFile)
        let configuration = try source.configuration()
        let adapters = try adapter.map { try $0.read(for: configuration) }
        let heads = adapter.filter { Head.isIn(Folders.expandingHome($0.folder)) }
        guard heads.count <= 1, heads.allSatisfy({ $0.weight == 1 }) else {
            let names = heads.map(\.folder).joined(separator: " and ")
            throw ValidationError("A head goes with one adapter at its full weight, not with \(names) as given.")
        }
        try OutputFolder(self.out).demandFree(overwrites: overwrite)
        let out = OutputFolder(self.out).path
        let outcome = try ModelExport(source, adapters: adapters).write(to: out, format: format)
        if let head = heads.first { try Head.write(Head.read(Folders.expandingHome(head.folder)), to: out) }
        outcome.tell(of: format)
        Output.line(out)
    }
}

extension ModelConversion.Outcome {
    /// A change of which less is kept is as good as lost.
    private static let leastShare = 0.5

    /// Says on the standard error stream which matrices have another format than was asked for, and when the rounding lost a change.
    func tell(of format: WeightFormat) {
        let console = Console.standardError()
        for (other, count) in fallbacks.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            console.tell(
                "\(count) of \(matrices) matrices are stored as \(other.rawValue): their rows fill no whole blocks of \(format.elementsPerBlock), as \(format.rawValue) needs."
            )
        }
        if let share = kept.share, share < Self.leastShare {
            let better: WeightFormat = format.isQuantised ? .bf16 : .f32
            console.tell(
                "Warning: \(format.rawValue) keeps only \(Int(100 * max(0, share))) % of the change; --numbers \(better.rawValue) keeps more."
            )
        }
    }
}
