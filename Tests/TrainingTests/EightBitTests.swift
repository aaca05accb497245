import Tensors
import Testing
import Training

/// AdamW in 8 bits against AdamW in f32.
@Suite struct EightBitTests {
    /// 256 codes, each its own nearest; between neighbours the error is at most a few percent above a thousandth of the largest number.
    @Test(arguments: [true, false]) func codes(_ isSigned: Bool) {
        let map = isSigned ? EightBitCodes.signed : .unsigned
        #expect(Set(map.values).count == 256 && map.values.max() == 1 && map.values.contains(0))
        #expect(map.values.enumerated().allSatisfy { Int(map.code($0.element)) == $0.offset })
        for share in stride(from: Float(0.1), through: 1, by: 0.0137) {
            #expect(abs(map.values[Int(map.code(share))] - share) <= (isSigned ? 0.0071 : 0.0036))
        }
        for share in stride(from: Float(0.01), through: 0.1, by: 0.00137) {
            #expect(abs(map.values[Int(map.code(share))] - share) <= (isSigned ? 0.00141 : 0.00071))
        }
        #expect(abs((map.values.min() ?? 1) - (isSigned ? -(0.1 + 0.9 * 63.5 / 64) : 0)) < 1e-6)
    }

    /// Down a quadratic with curvatures over two decades, as near to its bottom as f32.
    @Test func quadratic() {
        let curvature = exp(Golden.numbers([64, 80], 8) * 2.3)
        let goal = Golden.numbers([64, 80], 9)
        func run(_ rule: any Optimiser) -> ([Float], Int) {
            let parameter = Parameter(name: "w", tensor: .zeros([64, 80]))
            var state = ParameterState()
            for number in 1...200 {
                let gradient = (parameter.tensor.detached() - goal) * curvature
                rule.update(
                    parameter, gradient: gradient, state: &state,
                    step: OptimiserStep(number: number, rate: number < 120 ? 0.02 : 0.002))
            }
            return (parameter.tensor.floats(), state.byteCount)
        }
        func gap(_ values: [Float]) -> Float {
            let difference = Tensor(values, [64, 80]) - goal
            return (dot(difference, difference) / dot(goal, goal)).squareRoot()
        }
        let (exact, large) = run(AdamW())
        let (coarse, small) = run(EightBitAdamW())
        #expect(gap(exact) < 0.02 && gap(coarse) < 0.03)
        #expect(large == 8 * 5120 && small == 2 * (5120 + 4 * 20))
    }

    /// Small parameters stay exact; the tiny model's losses follow those of f32.
    @Test func tinyModel() throws {
        func losses(_ rule: any Optimiser) throws -> [Double] {
            var settings = TrainerSettings()
            settings.steps = 20
            settings.samplesPerStep = 12
            return try Trainer(
                try TinyModel.load(), objective: Supervised(), optimisation: try Optimisation(rule, rate: 3e-3),
                samples: TinyModel.samples, settings: settings
            ).run().history.steps.map(\.loss)
        }
        let exact = try losses(AdamW())
        let coarse = try losses(EightBitAdamW(leastCount: 1))
        #expect(exact != coarse)
        #expect(abs(exact[19] - coarse[19]) < 0.03 * exact[0] && coarse[19] < 0.8 * coarse[0])
        #expect(try losses(EightBitAdamW(leastCount: 1 << 20)) == exact)
    }

    /// Codes are bits in the places of f32 numbers: a checkpoint brings them back unchanged.
    @Test func checkpointsKeepTheBits() throws {
        func run(_ folder: String, stoppingAt stopStep: Int?) throws -> [[Float]] {
            var numbers: [[Float]] = []
            for part in 0..<(stopStep == nil ? 1 : 2) {
                var settings = TrainerSettings()
                settings.steps = 6
                let model = try TinyModel.load()
                let trainer = try Trainer(
                    model, objective: Supervised(),
                    optimisation: try Optimisation(EightBitAdamW(leastCount: 1), rate: 1e-2),
                    samples: TinyModel.samples, settings: settings, folder: folder)
                let stop = TrainingStop()
                try trainer.run(stop: stop) { event in
                    if case .step(let report) = event, part == 0, report.step == stopStep { stop.request() }
                }
                numbers = model.parameters.map { $0.tensor.floats() }
            }
            return numbers
        }
        try withTemporaryFolder { folder in
            let whole = try run(folder + "/a", stoppingAt: nil)
            let parts = try run(folder + "/b", stoppingAt: 3)
            #expect(whole == parts)
        }
    }
}
