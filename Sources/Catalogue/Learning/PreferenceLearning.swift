import Inference
import Laboratory
import Text
import Training

/// DPO on a taste: of two things the answer takes the one that belongs to a drawn half of all things. Which half is decided by the seed,
/// and both orders of each pair occur, so a model without the taste is right half of the time.
struct PreferenceLearning {
    private struct Choice {
        var question: String
        var liked: String
        var disliked: String

        static func answer(_ thing: String) -> String { "Take the \(thing)." }
    }

    private let bench: LearningBench
    private let choices: [Choice]
    private let heldOut: [Choice]

    init(in lab: Lab) throws {
        bench = try LearningBench(in: lab)
        var generator = lab.random("taste")
        let things = generator.shuffled(Order.items)
        let (liked, disliked) = (things.prefix(things.count / 2), things.suffix(things.count / 2))
        func choices(heldOut: Bool) -> [Choice] {
            var all: [Choice] = []
            for (i, liked) in liked.enumerated() {
                for (j, disliked) in disliked.enumerated() where ((i + j) % 4 == 0) == heldOut {
                    for (first, second) in [(liked, disliked), (disliked, liked)] {
                        let question = "Which one should I take, the \(first) or the \(second)?"
                        all.append(Choice(question: question, liked: liked, disliked: disliked))
                    }
                }
            }
            return all
        }
        self.choices = generator.shuffled(choices(heldOut: false))
        self.heldOut = choices(heldOut: true)
    }

    func demonstration() async throws -> Demonstration {
        var encoder = try SampleEncoder(bench.words, limit: 128)
        let pairs = try choices.map {
            try encoder.pair(
                prompt: [.user($0.question)], chosen: Choice.answer($0.liked), rejected: Choice.answer($0.disliked))
        }
        let before = try await scores(of: bench.subject)
        var run = try bench.run(try DPO(beta: 0.1), on: pairs, rate: 2e-4)
        run.settings.epochs = 3
        let summary = try await bench.lab.train("DPO", run)
        let after = try await scores(of: bench.lab.open(run.output, base: bench.path))
        let percent = NumberStyle.percent
        let two = NumberStyle.decimals(2)
        var report = Report(
            "DPO on a made-up taste",
            summary:
                "The liked answer is the likelier one in \(percent.text(before.accuracy)) of \(heldOut.count) held-out pairs before, in "
                + "\(percent.text(after.accuracy)) after; by \(two.text(before.margin)) and \(two.text(after.margin)) nats."
        )
        report.add(LearningBench.plot(summary))
        report.add(LearningBench.plot(summary, "margin"))
        return Demonstration(
            report,
            checks: [
                Check("accuracy before", before.accuracy, .between(0.35, 0.65)),
                Check("accuracy after", after.accuracy, .atLeast(0.85)),
                Check("margin gained, nats", after.margin - before.margin, .atLeast(1)),
                // A collapse takes tens of nats off an answer.
                Check("log-probability gained by liked answers, nats", after.liked - before.liked, .atLeast(-1)),
            ],
            controls: [
                .init("margin before, nats", before.margin), .init("margin after, nats", after.margin),
                .init("log-probability of liked answers before", before.liked),
                .init("log-probability of liked answers after", after.liked),
            ])
    }

    private struct Scores {
        /// How often the liked answer is the likelier one.
        var accuracy: Double
        /// How much likelier, in nats.
        var margin: Double
        /// The mean log-probability of liked answers.
        var liked: Double
    }

    private func scores(of model: LocalModel) async throws -> Scores {
        let found = try await bench.lab.forEach("Scoring answers", heldOut, inFlight: 8) { choice in
            try await model.score(
                continuations: [Choice.answer(choice.liked), Choice.answer(choice.disliked)],
                after: .chat([.user(choice.question)])
            ).map { $0.logProbs.reduce(0) { $0 + Double($1 ?? 0) } }
        }
        let count = Double(found.count)
        return Scores(
            accuracy: Double(found.count { $0[0] > $0[1] }) / count,
            margin: found.reduce(0) { $0 + $1[0] - $1[1] } / count, liked: found.reduce(0) { $0 + $1[0] } / count)
    }
}
