import Decoding
import Foundation
import Inference
import Laboratory
import Testing

private let embedded = ModelReference.embeddedFile.path

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: embedded),
        "the embedded model is not in the cache; make demo fetches it"))
struct USCDEndToEndTests {
    @Test(.timeLimit(.minutes(3))) func aRunOnUserData() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let prompt = "def add(x, y):\n    \"\"\"Add two numbers.\n    >>> add(1, 2)\n    3\n    \"\"\"\n    return "
        let data = DataSet(
            name: "made",
            records: [
                ["id": "add", "prompt": .string(prompt), "test": "assert add(1, 2) == 3", "entry_point": "add"],
                ["id": "mul", "prompt": .string(prompt.split(separator: "add").joined(separator: "mul"))],
            ])
        let options = try USCD.Options { $0.maxLength = 96 }
        let report = try await USCD().run(options, in: Lab(slug: "uscd", subject: model, dataSet: data))
        let samples = report.blocks.compactMap { if case .samples(let samples) = $0 { samples } else { nil } }.flatMap(
            \.self)
        #expect(samples.count == 2)
        #expect(samples.allSatisfy { $0.arms.map(\.name) == ["standard", "always contrast", "USCD"] })
        #expect(samples.allSatisfy { $0.arms[2].steps.map(\.name) == ["lame prompt", "steps"] })
        #expect(report.metrics.contains { $0.name == "share of contrasted steps" })
        let notes = report.blocks.compactMap { if case .note(let note) = $0 { note } else { nil } }
        #expect(notes.contains { $0.contains("1 of 2 records have tests") })
    }

    @Test(.timeLimit(.minutes(3))) func longPromptsAreRefusedByName() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let prompt = "def f():\n    \"\"\"\n    >>> f()\n    1\n    \"\"\"\n"
        let data = DataSet(name: "made", records: [["id": "long", "prompt": .string(prompt)]])
        let options = try USCD.Options { $0.maxLength = 8 }
        let error = await #expect(throws: USCDError.self) {
            try await USCD().run(options, in: Lab(slug: "uscd", subject: model, dataSet: data))
        }
        #expect(error?.description.contains("--max-length") == true)
    }

    @Test(.timeLimit(.minutes(3))) func theDemoOnAFewFunctions() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let demonstration = try await USCD().demo(in: Lab(slug: "uscd", subject: model, limit: 12))
        // The effect is promised for the experiment's 60 functions, not for 12; the mechanism holds for any number.
        let failed = demonstration.checks.filter { $0.role == .mechanism && !$0.holds }
        #expect(failed.isEmpty, "\(failed)")
        #expect(demonstration.checks.count { $0.role == .mechanism } == 5)
    }
}
