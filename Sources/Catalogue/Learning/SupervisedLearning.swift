import Inference
import Laboratory
import Text
import Training

/// Supervised tuning on orders and their tickets: held-out exact match before and after.
struct SupervisedLearning {
    private let bench: LearningBench
    private let orders: [Order]
    private let heldOut: [Order]

    init(in lab: Lab) throws {
        bench = try LearningBench(in: lab)
        var generator = lab.random("orders")
        orders = Order.draw(400, heldOut: false, using: &generator)
        heldOut = Order.draw(100, heldOut: true, using: &generator)
    }

    func demonstration() async throws -> Demonstration {
        var encoder = try SampleEncoder(bench.words, limit: 128)
        let samples = try orders.map { try encoder.conversation([.user($0.question), .assistant($0.ticket)]) }
        let before = try await tickets(of: bench.subject)
        let run = try bench.run(Supervised(), on: samples, rate: 5e-4)
        let summary = try await bench.lab.train("Supervised tuning", run)
        let after = try await tickets(of: bench.lab.open(run.output, base: bench.path))
        func matches(_ tickets: [String]) -> Double {
            Double(zip(tickets, heldOut).count { $0.trimmingSpaces == $1.ticket }) / Double(heldOut.count)
        }
        let percent = NumberStyle.percent
        var report = Report(
            "Supervised tuning on orders",
            summary: "Exact match on \(heldOut.count) held-out orders: \(percent.text(matches(before))) before, "
                + "\(percent.text(matches(after))) after \(orders.count) examples.")
        report.add(LearningBench.plot(summary))
        report.add(
            heldOut.prefix(8).enumerated().map { index, order in
                SampleTrace(
                    "\(index + 1)", input: order.question, expected: order.ticket,
                    arms: [("before", before), ("after", after)].map { name, found in
                        .init(name, found[index], isCorrect: found[index].trimmingSpaces == order.ticket)
                    })
            })
        return Demonstration(
            report,
            checks: [
                Check("exact match before", matches(before), .atMost(0.1)),
                Check("exact match after", matches(after), .atLeast(0.9)),
            ],
            controls: [.init("last training loss", summary.history.steps.last?.loss ?? .nan)])
    }

    private func tickets(of model: LocalModel) async throws -> [String] {
        try await bench.lab.forEach("Writing tickets", heldOut) { order in
            try await model.complete(
                CompletionRequest(.chat([.user(order.question)]), stop: StopRule(maxTokens: 24))
            ).text
        }
    }
}
