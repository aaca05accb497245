import Inference
import Laboratory
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
        let before = try run.open(writesCheckpoints: false).trainer.evaluation().figures["accuracy"] ?? .nan
        let summary = try await bench.lab.train("Training the reward model", run)
        let last = summary.history.evaluations.last
        let accuracy = last?.figures["accuracy"] ?? .nan
        let percent = NumberStyle.percent
        var report = Report(
            "A reward model of tickets",
            summary:
                "It ranks \(percent.text(accuracy)) of \(heldOut.count) held-out pairs as they are, \(percent.text(before)) before training."
        )
        report.add(LearningBench.plot(summary))
        report.add(LearningBench.plot(summary, "accuracy"))
        return Demonstration(
            report,
            checks: [Check("pair accuracy", accuracy, .atLeast(0.9))],
            controls: [
                .init("pair accuracy before", before), .init("mean margin", last?.figures["margin"] ?? .nan),
            ])
    }
}
