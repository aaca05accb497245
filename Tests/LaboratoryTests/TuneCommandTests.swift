import Foundation
import Laboratory
import Models
import Testing
import Text

/// What `lyceum tune` and `lyceum pretrain` read, as they are typed, on a small model without a chat template.
@Suite(.enabled(if: BuiltProgram.path != nil, "the program lyceum is not built beside the tests"))
struct TuneCommandTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = folder.url.appendingPathComponent("model").path
        try NewModel(.llama(layers: 1, hiddenSize: 16, heads: 2), tokenizer: .bytes()).write(to: model, seed: 1)
    }

    /// What the program says on its standard error, and how it ends.
    private func run(_ arguments: [String]) throws -> (status: Int32, said: String) {
        let process = try BuiltProgram.process(arguments, home: folder.url)
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, said)
    }

    private func tune(_ objective: String, _ lines: [String]) throws -> (status: Int32, said: String) {
        let data = try folder.write("data.jsonl", lines.joined(separator: "\n"))
        return try run([
            "tune", "--objective", objective, "--model", model, "--data", data, "--steps", "1", "--longest", "64",
            "--out", folder.url.appendingPathComponent(UUID().uuidString).path,
        ])
    }

    private static let long = String(repeating: "many words ", count: 20)

    @Test(arguments: [
        ("sft", #"{"prompt": "p", "completion": "a"}"#, #"{"instruction": "\#(long)", "output": "a"}"#),
        (
            "dpo", #"{"prompt": "p", "chosen": "a", "rejected": "b"}"#,
            #"{"prompt": "\#(long)", "chosen": "a", "rejected": "\#(long)"}"#
        ),
        (
            "kto", #"{"prompt": "p", "completion": "a", "label": 1}"#,
            #"{"prompt": "\#(long)", "completion": "\#(long)", "label": "false"}"#
        ),
        ("text", #"{"text": "abc"}"#, #"{"text": "\#(long)"}"#),
    ])
    func longSamplesAreCutAndCounted(objective: String, short: String, long: String) throws {
        let (status, said) = try tune(objective, [short, long, short])
        #expect(status == 0, "\(said)")
        // The partner of the sample before a long one in kto is long as well.
        #expect(said.contains("3 samples, 0 held out, \(objective == "kto" ? 2 : 1) cut at 64 tokens"), "\(said)")
    }

    @Test(arguments: [
        ("sft", #"{"messages": [{"role": "user", "content": "hi"}]}"#, "\"messages\" must be a conversation"),
        ("sft", #"{"messages": [{"role": "wizard", "content": "hi"}]}"#, "\"messages[0].role\" must be system"),
        (
            "sft",
            #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}"#,
            "\"messages\" can't be used: the model has no chat template"
        ),
        ("text", #"{"text": ""}"#, "\"text\" can't be used: it has no token to be learned"),
        (
            "kto",
            #"{"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}], "completion": "d", "label": true}"#,
            "\"prompt\" can't be used"
        ),
    ])
    func badRecordsAreNamed(objective: String, bad: String, part: String) throws {
        let good = objective == "text" ? #"{"text": "abc"}"# : #"{"prompt": "p", "completion": "a", "label": 1}"#
        let (status, said) = try tune(objective, [good, bad])
        #expect(status != 0 && said.contains("data.jsonl:2: the field \(part)"), "\(said)")
    }

    @Test func corporaLeaveOutWhatIsNoText() throws {
        let corpus = folder.url.appendingPathComponent("corpus")
        try FileManager.default.createDirectory(at: corpus, withIntermediateDirectories: true)
        try Data(String(repeating: "words and words ", count: 40).utf8).write(
            to: corpus.appendingPathComponent("a.txt"))
        try Data([0x89, 0x50, 0xFF]).write(to: corpus.appendingPathComponent("b.png"))
        let arguments = [
            "pretrain", "--data", corpus.path, "--layers", "1", "--hidden", "16", "--heads", "2", "--context", "16",
            "--steps", "1", "--out", folder.url.appendingPathComponent("new").path,
        ]
        let (status, said) = try run(arguments)
        #expect(status == 0 && said.contains("Left out") && said.contains("b.png."), "\(said)")
        try Data([0x61, 0x0A, 0xFF]).write(to: corpus.appendingPathComponent("c.md"))
        let refused = try run(arguments)
        #expect(refused.status != 0 && refused.said.contains("c.md:2: is not UTF-8: byte 3"), "\(refused.said)")
    }
}
