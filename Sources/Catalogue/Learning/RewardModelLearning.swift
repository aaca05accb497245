import Inference
import Laboratory
import Models
import Tensors
import Text
import Training

/// A Bradley–Terry reward model on tickets that fit their order and tickets with one wrong detail.
struct RewardModelLearning {
    private let bench: LearningBench
    private let pairs: [PreferencePair]
    private let heldOut: [PreferencePair]

    init(in lab: Lab) throws {
        let bench = try LearningBench(in: lab)
        var encoder = try SampleEncoder(bench.words, limit: 128)
        var generator = lab.random("orders")
        func pairs(_ count: Int, heldOut: Bool) throws -> [PreferencePair] {
            try Order.draw(count, heldOut: heldOut, using: &generator).map { order in
                try encoder.pair(
                    prompt: [.user(order.question)], chosen: order.ticket,
                    rejected: order.mistaken(using: &generator).ticket)
            }
        }
        self.pairs = try pairs(1_200, heldOut: false)
        heldOut = try pairs(200, heldOut: true)
        self.bench = bench
    }

    func demonstration() async throws -> Demonstration {
        let run = try bench.run(
            try BradleyTerry(centring: 0.01), on: pairs, heldOut: heldOut, rate: 5e-4, heads: [.init(BradleyTerry.head)]
        )
        let before = try untaught(run.open(writesCheckpoints: false).trainable.model)
        let mean = before.reduce(0, +) / Double(before.count)
        let summary = try await bench.lab.train("Training the reward model", run)
        let last = summary.history.evaluations.last
        let accuracy = last?.figures["accuracy"] ?? .nan
        let percent = NumberStyle.percent
        var report = Report(
            "A reward model of tickets",
            summary:
                "It ranks \(percent.text(accuracy)) of \(heldOut.count) held-out pairs as they are; \(before.count) heads that nothing has taught "
                + "\(percent.text(mean)) on average, the luckiest \(percent.text(before.max() ?? .nan))."
        )
        report.add(LearningBench.plot(summary))
        report.add(LearningBench.plot(summary, "accuracy"))
        return Demonstration(
            report,
            checks: [Check("pair accuracy", accuracy, .atLeast(0.9))],
            controls: [
                .init("pair accuracy of untaught heads", mean), .init("of the luckiest", before.max() ?? .nan),
                .init("mean margin", last?.figures["margin"] ?? .nan),
            ])
    }

    /// How many of the held-out pairs heads rank right that are drawn at random, as the one that learns is before its first step: half of them
    /// on average, but a single one may happen to lie along what tells the tickets apart.
    private func untaught(_ model: DecoderModel) throws -> [Double] {
        let count = 64
        let head = Head(
            name: "untaught",
            weight: .normal(
                [count, model.configuration.hiddenSize], deviation: 0.02, seed: bench.lab.seed("untaught heads")),
            bias: .zeros([count]))
        let texts = heldOut.flatMap { [$0.chosen, $0.rejected] }
        let found = try Policy(model, heads: [head]).outputs(
            of: head.name, texts, places: texts.map { [$0.count - 1] }, tokensPerPass: 1024)
        return (0..<count).map { output in
            let right = heldOut.indices.count { found[2 * $0][0][output] > found[2 * $0 + 1][0][output] }
            return Double(right) / Double(heldOut.count)
        }
    }
}
