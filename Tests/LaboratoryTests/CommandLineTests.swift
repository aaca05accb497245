import Foundation
import Laboratory
import Testing
import Text

/// The program itself, as it lies beside the tests: what it prints where, and how it ends.
@Suite(.enabled(if: BuiltProgram.path != nil, "the program lyceum is not built beside the tests"))
struct CommandLineTests {
    private struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    private let home: TemporaryFolder

    init() throws { home = try TemporaryFolder() }

    private func lyceum(_ arguments: String...) throws -> Outcome { try lyceum(arguments) }

    private func lyceum(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let process = try BuiltProgram.process(arguments, home: home.url, environment: environment)
        let output = Pipe()
        let errors = home.url.appendingPathComponent("errors-\(UUID().uuidString)")
        try Data().write(to: errors)
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    @Test func helpTeaches() throws {
        let help = try lyceum("--help")
        #expect(help.status == 0)
        for command in [
            "demo", "run", "methods", "explain", "chat", "generate", "score", "embed", "tokenize", "model", "runs",
            "report", "tune", "pretrain", "merge",
            "bench",
        ] {
            #expect(help.output.contains("\n  \(command) "), "\(command)")
            let page = try lyceum(command, "--help")
            #expect(page.status == 0 && page.output.contains("USAGE: lyceum \(command)"), "\(command)")
        }
        #expect(!help.output.contains("\n  claims "))
    }

    @Test func methodsAsData() throws {
        let listed = try lyceum("methods", "--json")
        let cards = try #require(JSONValue(parsing: listed.output).arrayValue)
        #expect(cards.count == 102)
        #expect(cards.contains { $0["slug"] == "autopasta" && $0["family"] == "decoding" })
        let family = try lyceum("methods", "privacy", "--json")
        #expect(try JSONValue(parsing: family.output).arrayValue?.count == 3)
    }

    @Test func aPlannedMethodSaysSoInOneLine() throws {
        let planned = try #require(
            try JSONValue(parsing: lyceum("methods", "--json").output).arrayValue?.first { $0["status"] == "planned" })
        let slug = try #require(planned["slug"]?.stringValue)
        let run = try lyceum("run", slug)
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(run.errors.split(separator: "\n").count == 1 && run.errors.contains("planned"))
        #expect(try lyceum("demo", slug).status == 1)
        #expect(try lyceum("explain", slug).output.contains("planned, not built yet"))
    }

    @Test(arguments: [
        (["methdos"], "methods"), (["explain", "autopsta"], "autopasta"), (["run", "zero-shot-cott"], "zero-shot-cot"),
        (["methods", "unlearnin"], "unlearning"), (["run"], "Name a method"),
        (["run", "--seed", "1"], "Name the method first"),
        (["generate"], "one prompt"), (["generate", "hi", "--max-tokens", "0"], "--max-tokens"),
        (["generate", "hi", "--model", "openai:x"], "openai:NAME@URL"), (["score", "/nowhere"], "/nowhere"),
        (["tokenize", "--model", "nowhere.gguf", "/dev/null"], "nowhere.gguf"), (["report", "nope"], "nope"),
        (["runs", "list", "--limit", "0"], "--limit"), (["generate", "hi", "--topp", "1"], "--top-p"),
        (["embed"], "--file"), (["embed", "hi", "--file", "/dev/null"], "--file"),
        (["embed", "--file", "/dev/null"], "no text"), (["embed", "--model", "minlm", "hi"], "minilm"),
    ])
    func wrongUsageEndsWithTwoAndSaysWhatWouldBeRight(arguments: [String], part: String) throws {
        let outcome = try lyceum(arguments)
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(outcome.errors.contains(part), "\(outcome.errors)")
    }

    @Test func aMissingPackagedModelSaysWhatToType() throws {
        let outcome = try lyceum(["embed", "hi"], environment: ["LYCEUM_MODELS": home.url.path])
        #expect(outcome.status == 1 && outcome.errors.contains("make embedders"))
        let other = try lyceum(
            ["generate", "--model", "gemma3-270m", "hi"], environment: ["LYCEUM_MODELS": home.url.path])
        #expect(other.status == 1 && other.errors.contains("make gemma"))
    }

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: PackagedModel.minilm.place.path),
            "all-MiniLM-L6-v2 is not installed; type: make embedders"))
    func embeddingsAsDataAndAsATable() throws {
        let texts = home.url.appendingPathComponent("texts.txt")
        try Data("a cat on a mat\r\n\nshares fell\n".utf8).write(to: texts)
        let document = try JSONValue(parsing: lyceum("embed", "--file", texts.path, "--json").output)
        #expect(document["model"] == "all-MiniLM-L6-v2" && document["width"] == 384)
        let vectors = try #require(document["embeddings"]?.arrayValue).compactMap { $0.arrayValue }
        #expect(vectors.map(\.count) == [384, 384])
        let table = try lyceum("embed", "a cat on a mat", "a kitten on a rug", "shares fell").output
        #expect(table.contains("1.000") && table.contains("a kitten on a rug") && table.contains("the mean over"))
    }

    @Test func anEmptyStoreIsNoError() throws {
        let runs = try lyceum("runs")
        #expect(runs.status == 0 && runs.output.contains("No runs yet"))
        #expect(try lyceum("runs", "--json").output == "[]\n")
    }
}
