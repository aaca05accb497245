import Foundation
import Laboratory
import Models
import Testing
import Text
import Training

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
    private func run(_ arguments: [String]) throws -> (status: Int32, said: String, printed: String) {
        let process = try BuiltProgram.process(arguments, home: folder.url)
        let printed = folder.url.appendingPathComponent("printed")
        try Data().write(to: printed)
        let errors = Pipe()
        process.standardOutput = try FileHandle(forWritingTo: printed)
        process.standardError = errors
        try process.run()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, said, try String(contentsOf: printed, encoding: .utf8))
    }

    private func tune(_ objective: String, _ lines: [String]) throws -> (status: Int32, said: String) {
        let data = try folder.write("data.jsonl", lines.joined(separator: "\n"))
        let (status, said, _) = try run([
            "tune", "--objective", objective, "--model", model, "--data", data, "--steps", "1", "--longest", "64",
            "--out", folder.url.appendingPathComponent(UUID().uuidString).path,
        ])
        return (status, said)
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

    /// Each learns to tell two kinds of texts apart, and says what it has learnt.
    @Test(arguments: [
        ("classification", #"{"text": "aaaa", "label": "vowel"}"#, #"{"text": "zzzz", "label": "other"}"#, "accuracy"),
        (
            "classification", #"{"tokens": ["a", "z"], "tags": ["v", "c"]}"#,
            #"{"tokens": ["z", "a"], "tags": ["c", "v"]}"#, "accuracy"
        ),
        (
            "steps", #"{"prompt": "p", "completions": ["aa", "zz"], "labels": [true, false]}"#,
            #"{"prompt": "p", "completions": ["zz"], "labels": [false]}"#, "on the right side of 0.5"
        ),
        ("regression", #"{"text": "aaaa", "score": 3}"#, #"{"text": "zzzz", "score": -3}"#, "mean absolute error"),
        (
            "reward", #"{"prompt": "p", "chosen": "aa", "rejected": "zz"}"#,
            #"{"prompt": "q", "chosen": "aaa", "rejected": "zzz"}"#, "chosen above rejected"
        ),
    ])
    func headsRateWhatTheyLearnt(objective: String, one: String, other: String, figure: String) throws {
        let data = try folder.write("data.jsonl", [one, other, one, other].joined(separator: "\n"))
        let out = folder.url.appendingPathComponent("out").path
        func learn(_ more: String...) throws -> (status: Int32, said: String, printed: String) {
            try run(
                [
                    "tune", "--objective", objective, "--model", model, "--data", data, "--steps", "60", "--form",
                    "full", "--rate", "3e-2", "--out", out,
                ] + more)
        }
        let learnt = try learn()
        #expect(learnt.status == 0, "\(learnt.said)")
        let again = try learn()
        #expect(again.status == 2 && again.said.contains("already holds"), "\(again.said)")
        // Begun anew it ends as it did.
        let weights = { try Data(contentsOf: URL(fileURLWithPath: out + "/heads.safetensors")) }
        let first = try weights()
        let anew = try learn("--overwrite", "--checkpoint-every", "20")
        #expect(try anew.status == 0 && weights() == first, "\(anew.said)")
        // With its checkpoints the same command finds nothing left to do, and another run is another one.
        let done = try learn("--checkpoint-every", "20")
        #expect(try done.status == 0 && weights() == first, "\(done.said)")
        let other = try learn("--seed", "7")
        #expect(try other.status != 0 && weights() == first, "\(other.said)")
        let found = folder.url.appendingPathComponent("found.jsonl").path
        let rated = try run(["rate", "--trained", out, "--data", data, "--out", found])
        #expect(rated.status == 0 && rated.printed.contains(figure), "\(rated)")
        #expect(try DataSet(path: found).records.count == 4)
        if objective == "classification" || objective == "reward" {
            #expect(rated.printed.contains("1.000"), "\(rated.printed)")
        }
    }

    @Test func teachersAndRelatedTexts() throws {
        for more in [["--data-share", "0.5", "--direction", "reverse"], ["--top-k", "4", "--temperature", "2"]] {
            let data = try folder.write("texts.jsonl", #"{"text": "abc abc"}"#)
            let (status, said, _) = try run(
                [
                    "tune", "--objective", "distillation", "--teacher", model, "--model", model, "--data", data,
                    "--steps",
                    "2", "--out", folder.url.appendingPathComponent(UUID().uuidString).path,
                ] + more)
            #expect(status == 0, "\(said)")
        }
        let (status, said) = try tune(
            "contrastive",
            [#"{"anchor": "abc", "positive": "abd", "negative": "xyz"}"#, #"{"query": "a", "pos": ["b"]}"#])
        #expect(status == 0, "\(said)")
    }

    /// A flag that would change nothing is a mistake.
    @Test(arguments: [
        ["--form", "full", "--rank", "4"], ["--evaluate-every", "2"], ["--beta", "1"], ["--top-k", "3"],
        ["--temperature", "2"], ["--samples", "2"], ["--teacher", "embedded"], ["--targets", "q_proj,nothing"],
        ["--longest", "100000"], ["--targets", ","], ["--projection-rank", "4"], ["--epochs", "2"],
        ["--batch", "9223372036854775807"],
    ])
    func idleFlagsAreRefused(_ flags: [String]) throws {
        let data = try folder.write("data.jsonl", #"{"prompt": "p", "completion": "a"}"#)
        let out = folder.url.appendingPathComponent("out").path
        let (status, said, _) = try run(
            ["tune", "--model", model, "--data", data, "--steps", "1", "--out", out] + flags)
        let named = flags.contains("q_proj,nothing") ? "nothing" : flags.last { $0.hasPrefix("--") } ?? ""
        #expect(status == 2 && said.contains(named), "\(said)")
        #expect(!FileManager.default.fileExists(atPath: out + "/adapter_config.json"))
    }

    /// A reward model judges what another model writes.
    @Test func aRewardModelRewards() throws {
        let pairs = try folder.write("pairs.jsonl", #"{"prompt": "p", "chosen": "aa", "rejected": "zz"}"#)
        let judge = folder.url.appendingPathComponent("judge").path
        let trained = try run([
            "tune", "--objective", "reward", "--model", model, "--data", pairs, "--steps", "5", "--out", judge,
        ])
        #expect(trained.status == 0, "\(trained.said)")
        let asks = try folder.write("asks.jsonl", #"{"prompt": "p"}"#)
        let arguments = [
            "tune", "--objective", "grpo", "--model", model, "--data", asks, "--steps", "2", "--batch", "1",
            "--samples",
            "2", "--answer-tokens", "4", "--out", folder.url.appendingPathComponent("policy").path, "--reward",
        ]
        let rewarded = try run(arguments + ["model:\(judge)"])
        #expect(rewarded.status == 0 && rewarded.printed.contains("reward"), "\(rewarded)")
        let merged = folder.url.appendingPathComponent("merged").path
        #expect(try run(["merge", "--model", model, "--adapter", judge, "--out", merged]).status == 0)
        #expect(try Head.read(merged).map(\.name) == ["reward"])
        let missing = try run(arguments + ["model:\(model)", "--overwrite"])
        #expect(missing.status == 2 && missing.said.contains("has no trained head"), "\(missing.said)")
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
        let (status, said, _) = try run(arguments)
        #expect(status == 0 && said.contains("Left out") && said.contains("b.png."), "\(said)")
        try Data([0x61, 0x0A, 0xFF]).write(to: corpus.appendingPathComponent("c.md"))
        let refused = try run(arguments + ["--overwrite"])
        #expect(refused.status != 0 && refused.said.contains("c.md:2: is not UTF-8: byte 3"), "\(refused.said)")
    }
}
