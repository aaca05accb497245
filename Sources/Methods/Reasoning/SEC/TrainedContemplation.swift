import Inference
import Laboratory
import Text

/// A small model trained in the run on questions in hidden styles, which then answers unseen ones alone, with right demonstrations
/// and with its own.
package struct TrainedContemplation: Sendable {
    package var conversations = 14_000
    package var sheets = 10_000
    /// Questions to test with.
    package var items = 200
    package var training = SmallTraining(contextLength: 256, samplesPerStep: 16)

    package init() {}

    /// Three demonstrations, as many as are asked for. A question without any counts as wrong.
    package static func options() throws -> SEC.Options {
        try SEC.Options {
            $0.k = 3
            $0.nGenerate = 3
            // A sheet of three has about 70 tokens.
            $0.genMaxTokens = 128
            $0.ansMaxTokens = 16
            $0.onFailure = .skip
        }
    }

    package struct Result: Sendable {
        package var parameters: Int
        package var items: [StyledItem]
        /// Zero-shot, right demonstrations, the model's own.
        package var arms: StrategyComparison
        /// The model's own demonstrations, those of another style's question, and with their answers exchanged.
        package var spoilt: StrategyComparison
        /// The model's own demonstrations of each question; none where no attempt gave enough.
        package var written: [[WrittenDemonstration]]
        /// Questions whose own demonstrations repeat them.
        package var copied: Int

        /// The share of questions with demonstrations.
        package var parsed: Double { share(written.count { !$0.isEmpty }) }

        /// The share of questions whose own demonstrations are all of their style.
        package var inStyle: Double {
            share(
                zip(items, written).count { item, demonstrations in
                    !demonstrations.isEmpty && demonstrations.allSatisfy { item.hasStyle($0.answer) }
                })
        }

        /// The share of an arm's answers that are the value in any style.
        package func withValue(_ arm: Int) -> Double {
            share(zip(items, arms.attempts[arm]).count { $0.hasValue($1.solution.answer) })
        }

        package func accuracy(_ arm: Int) throws -> Double { try arms.accuracy(arm).value }

        private func share(_ count: Int) -> Double { Double(count) / Double(max(1, items.count)) }
    }

    package func run(in lab: Lab) async throws -> Result {
        let options = try Self.options()
        var small = WordChatModel(training)
        small.pieces = StyledWorld.pieces
        let model = try await small.train(
            "self-contemplator",
            on: StyledWorld.samples(
                conversations: conversations, sheets: sheets, options, using: lab.random("styled texts")),
            words: StyledWorld.words(options), in: lab)

        let items = StyledWorld.tested(self.items, using: lab.random("styled questions"))
        let questions = items.indices.map { items[$0].question("styled-\($0 + 1)") }
        var generator = lab.random("right demonstrations")
        let gold = items.map { StyledWorld.gold(options.k, for: $0, using: &generator) }
        let own = SelfContemplation(options)
        let arms = try await StrategyComparison(
            [
                HumanDemonstrations([], name: "zero-shot", options: options),
                Self.given(gold, to: questions, "icl", options), own,
            ], on: questions, asking: model, in: lab)

        let written = arms.attempts[2].map { own.demonstrations(of: $0, kind: .text) }
        let others = items.indices.map { Self.ofAnotherStyle(than: $0, items, written) }
        let exchanged = written.map { DemonstrationAblation.wrongLabels.apply(to: $0, kind: .text) }
        // Controls keep no samples: each would be one more of the same question.
        let aside = lab.aside()
        let spoilt = try await StrategyComparison(
            [
                Self.given(others, to: questions, "another style's", options),
                Self.given(exchanged, to: questions, "answers exchanged", options),
            ], on: questions, asking: model, in: aside)
        return Result(
            parameters: model.architecture.parameters, items: items, arms: arms, spoilt: spoilt, written: written,
            copied: arms.attempts[2].count { $0.solution.outcome.hasPrefix("copied") })
    }

    /// The demonstrations of each question by its place.
    private static func given(
        _ demonstrations: [[WrittenDemonstration]], to questions: [Question], _ name: String, _ options: SEC.Options
    ) -> HumanDemonstrations {
        let shown = Dictionary(
            zip(questions.map(\.id), demonstrations), uniquingKeysWith: { first, _ in first })
        return HumanDemonstrations(name: name, options: options) { shown[$0.id] ?? [] }
    }

    /// What the model wrote for the next question of the same task and another style.
    private static func ofAnotherStyle(
        than place: Int, _ items: [StyledItem], _ written: [[WrittenDemonstration]]
    ) -> [WrittenDemonstration] {
        let behind = items.indices.map { (place + $0 + 1) % items.count }
        let other = behind.first {
            items[$0].isLetter == items[place].isLetter && items[$0].style != items[place].style
                && !written[$0].isEmpty
        }
        return other.map { written[$0] } ?? []
    }
}

extension TrainedContemplation.Result {
    /// The three arms, the spoilt demonstrations, and who is right in which style.
    package func report() throws -> Report {
        let percent = NumberStyle.percent
        var report = try arms.report("SEC with a small model that was trained on questions in hidden styles")
        report.add([
            Metric("parameters", Double(parameters), style: .whole),
            Metric("questions with demonstrations", parsed, style: .percent),
            Metric("questions whose demonstrations are all of their style", inStyle, style: .percent),
            Metric("the value in any style, zero-shot", withValue(0), style: .percent),
            Metric("the value in any style, icl", withValue(1), style: .percent),
            Metric("the value in any style, sec", withValue(2), style: .percent),
        ])
        report.add(try spoilt.table("The model's own demonstrations, spoilt"))
        var table = Table(
            "By style",
            columns: [.text("style"), .number("questions")] + arms.strategies.map { .number($0.name) })
        for style in AnswerStyle.allCases {
            let places = items.indices.filter { items[$0].style == style }
            let shares = arms.strategies.indices.map { arm in
                percent.text(Double(places.count { arms.rights(arm)[$0] }) / Double(max(1, places.count)))
            }
            table.add(["\(style)", String(places.count)] + shares)
        }
        report.add(table)
        report.note(
            "The verb of a question tells its style, for one verb in three only between two. The model has seen these "
                + "verbs where it wrote similar questions, and not in conversations, whose verbs are others; there only earlier "
                + "answers tell the style.")
        return report
    }
}
