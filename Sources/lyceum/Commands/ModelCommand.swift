import ArgumentParser
import Inference
import Laboratory
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
                  lyceum model convert folder/ model.gguf --format gguf
                  lyceum model convert embedded folder/ --format safetensors
                """)

        @Argument(help: "The model.", completion: .file())
        var model: String

        @Argument(help: "The file or folder to write.", completion: .file())
        var destination: String

        @Option(help: "The format to write.")
        var format: Format

        func run() async throws {
            let reference = try ModelReference(model)
            try await Interrupts.cancelling { [destination, format] in
                try await convertModel(reference, to: destination, format: format.rawValue)
            }
            Output.line(destination)
        }
    }
}
