import Foundation
import Models
import Tensors
import Testing
import Text
import Training

/// How fast the embedded model trains on batches of 4 × 512 tokens, and how much memory that takes. Runs when `LYCEUM_SPEED` names a
/// parameterisation, `full`, `lora` or `qlora`: one a process, so that the peak is its own.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["LYCEUM_SPEED"] != nil && EmbeddedModel.path != nil))
struct SpeedTests {
    @Test func trains() throws {
        let kind = try #require(ProcessInfo.processInfo.environment["LYCEUM_SPEED"])
        let source = try openWeights(at: try #require(EmbeddedModel.path))
        var generator = SplitMixGenerator(seed: 1)
        let samples = (0..<16).map { _ in TokenSequence((0..<512).map { _ in TokenID(generator.next() % 49152) }) }
        let model =
            switch kind {
            case "lora": try LowRankAdaptation(rank: 16).load(source, precision: .bf16, seed: 1)
            case "qlora": try LowRankAdaptation(rank: 16, frozen: .asStored).load(source, precision: .bf16, seed: 1)
            default: try ChosenWeights.all.load(source, precision: .bf16, seed: 1)
            }
        var settings = TrainerSettings()
        settings.samplesPerStep = 4
        settings.steps = 6
        let trainer = try Trainer(
            model, objective: Supervised(), optimisation: try Optimisation(rate: 1e-5), samples: samples,
            settings: settings)
        // The first steps fill the pool of buffers.
        let speeds = try trainer.run().history.steps.dropFirst(2).map(\.tokensPerSecond).sorted()
        print("\(kind): best \(Int(speeds[3])), median \(Int((speeds[1] + speeds[2]) / 2)) tokens/s, peak \(peak())")
        #expect(speeds[3] > 0)
    }

    private func peak() -> String {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
        return line.map { $0.split(separator: " ").dropFirst().joined(separator: " ") } ?? "unknown"
    }
}
