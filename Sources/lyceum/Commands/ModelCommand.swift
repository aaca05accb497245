import ArgumentParser
import Inference
import Laboratory
import Models
import Text

struct Model: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a model, fetch the embedded one, convert between formats.",
        subcommands: [Info.self, Fetch.self, Convert.self])

    struct Info: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a model is and what it can do.",
            discussion: """
                  lyceum model info
                  lyceum model info model.gguf --json
                """)

        @Argument(help: "The model.", completion: .file())
        var model = "embedded"

        @Flag(help: "Print as JSON.")
        var json = false

        func run() async throws {
            let reference = try ModelReference(model)
            let model = try await Interrupts.cancelling { try await loadModel(reference) }
            let facts = Self.facts(of: model)
            if json { return Output.json(.object(facts.map { .init($0.key, $0.value) })) }
            var table = Table("", columns: [.text(""), .text("")])
            for fact in facts {
                let text = fact.value.arrayValue?.compactMap(\.stringValue).joined(separator: ", ")
                table.add(fact.key, text ?? fact.value.stringValue ?? fact.value.text())
            }
            Output.table(table)
        }

        private static func facts(of model: any LanguageModel) -> [(key: String, value: JSONValue)] {
            let identity = model.identity
            var facts: [(key: String, value: JSONValue)] = [
                ("reference", .string(identity.reference)), ("name", .string(identity.name)),
                ("fingerprint", .string(identity.fingerprint)),
                ("contextLength", identity.contextLength.map { .integer($0) } ?? .null),
                ("capabilities", .array(model.capabilities.names.map { .string($0) })),
            ]
            if let architecture = (model as? any OpenModel)?.architecture {
                facts += [
                    ("family", .string(architecture.family)), ("parameters", .integer(architecture.parameters)),
                    ("layers", .integer(architecture.layers)), ("hiddenSize", .integer(architecture.hiddenSize)),
                    ("heads", .integer(architecture.heads)), ("keyValueHeads", .integer(architecture.keyValueHeads)),
                    ("headSize", .integer(architecture.headSize)),
                    ("vocabularySize", .integer(architecture.vocabularySize)),
                ]
            }
            return facts
        }
    }

    struct Fetch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Install the embedded model into the cache folder.",
            discussion: "The folder is $LYCEUM_CACHE, else $XDG_CACHE_HOME/lyceum, else ~/.cache/lyceum.")

        func run() async throws {
            let path = try await Interrupts.cancelling { try await fetchEmbeddedModel() }
            Output.line(path)
        }
    }

    struct Convert: AsyncParsableCommand {
        enum Format: String, ExpressibleByArgument, CaseIterable { case gguf, safetensors }

        static let configuration = CommandConfiguration(
            abstract: "Write a model as GGUF, or as a Hugging Face folder of safetensors.",
            discussion: """
                  lyceum model convert folder/ model.gguf --numbers Q8_0
                  lyceum model convert embedded folder/
                """)

        @Argument(help: "The model.", completion: .file())
        var model: String

        @Argument(help: "The file or folder to write.", completion: .file())
        var destination: String

        @Option(help: "The file format to write (else gguf where the destination ends so, and safetensors).")
        var format: Format?

        @Option(
            help:
                "The number format of matrices: \(WeightFormat.writableNames()); those with a Q only in GGUF."
        )
        var numbers = "F16"

        func run() async throws {
            let reference = try ModelReference(model)
            let asGGUF = format.map { $0 == .gguf } ?? destination.lowercased().hasSuffix(".gguf")
            let numbers = try WeightFormat(flag: numbers, asGGUF: asGGUF)
            let outcome = try await Interrupts.cancelling { [destination] in
                try await convertModel(reference, to: destination, asGGUF: asGGUF, numbers: numbers)
            }
            outcome.tell(of: numbers)
            Output.line(destination)
        }
    }
}
