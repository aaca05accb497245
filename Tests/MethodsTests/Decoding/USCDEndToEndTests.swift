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
                ["id": "add", "prompt": .string(prompt), "test": "assert True", "entry_point": "add"],
                [
                    "id": "never", "prompt": .string(prompt), "entry_point": "add",
                    "test": "def check(candidate):\n    assert candidate is None, 'of a function'",
                ],
                ["id": "mul", "prompt": .string(prompt.split(separator: "add").joined(separator: "mul"))],
            ])
        let hasSandbox = (try? await Sandbox()) != nil
        let options = try USCD.Options {
            $0.maxLength = 96
            $0.runsTests = hasSandbox
        }
        let report = try await USCD().run(options, in: Lab(slug: "uscd", subject: model, dataSet: data))
        let samples = report.blocks.compactMap { if case .samples(let samples) = $0 { samples } else { nil } }.flatMap(
            \.self)
        #expect(samples.count == 3)
        #expect(samples.allSatisfy { $0.arms.map(\.name) == ["standard", "always contrast", "USCD"] })
        // Where a test failed, what it said follows.
        for arm in samples.map({ $0.arms[2] }) {
            #expect(arm.steps.map(\.name) == ["lame prompt", "steps"] + (arm.isCorrect == false ? ["tests"] : []))
        }
        #expect(report.metrics.contains { $0.name == "share of contrasted steps" })
        let notes = report.blocks.compactMap { if case .note(let note) = $0 { note } else { nil } }
        #expect(notes.contains { $0.contains("2 of 3 records have tests") })
        guard hasSandbox else { return }
        // The first passes if it is Python at all, the second never does.
        #expect(samples[1].arms.allSatisfy { $0.isCorrect == false && $0.steps.last?.name == "tests" })
        #expect(samples[2].arms.allSatisfy { $0.isCorrect == nil })
        let rates = report.metrics.filter { $0.name.hasPrefix("pass@1") }
        #expect(rates.contains { $0.name == "pass@1, USCD" && $0.estimate.count == 2 && $0.estimate.value <= 0.5 })
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
