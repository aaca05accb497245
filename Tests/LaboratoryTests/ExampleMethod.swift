import Inference
import Laboratory
import Text

/// A whole method in forty lines: asks each question plainly and with a polite word before it, and compares.
struct PoliteQuestion: Method {
    static let card = MethodCard(
        "polite-question", .reasoning, name: "Polite question", [.inference],
        "Puts a polite word before each question.", paper: Paper("An example", "Nobody", 2024),
        needs: .completion, claim: "A polite word does not change the answers of a deterministic model.")

    struct Options: MethodOptions {
        enum Place: String, OptionChoice { case before, after }

        var word = "Please"
        var place = Place.before
        var maxTokens = 16
        static let fields: [Field<Self>] = [
            Field("word", \.word, "the polite word", .filled),
            Field("place", \.place, "where it stands"),
            Field("max-tokens", \.maxTokens, "the longest answer, in tokens", .within(1...512)),
        ]
    }

    func run(_ options: Options, in lab: Lab) async throws -> Report {
        let model = try lab.languageModel()
        let questions = try lab.data().records(as: QuestionRecord.self)
        let stop = StopRule(maxTokens: options.maxTokens)
        let outcomes = try await lab.forEach("ask", questions) { item in
            let polite =
                options.place == .before ? "\(options.word), \(item.question)" : "\(item.question) \(options.word)."
            async let plain = model.complete(CompletionRequest(.chat([.user(item.question)]), stop: stop))
            async let asked = model.complete(CompletionRequest(.chat([.user(polite)]), stop: stop))
            let (baseline, method) = try await (plain.text, asked.text)
            await lab.recorder.record(
                SampleTrace(
                    item.question, input: item.question, expected: item.answers.joined(separator: " or "),
                    arms: [
                        .init("plain", baseline, isCorrect: item.answers.contains(baseline)),
                        .init("polite", method, isCorrect: item.answers.contains(method)),
                    ]))
            return (item.answers.contains(baseline), item.answers.contains(method))
        }
        let difference = try PairedDifference(baseline: outcomes.map(\.0), method: outcomes.map(\.1), seed: lab.seed)
        var report = Report("Polite questions", summary: "\(outcomes.count) questions, asked both ways.")
        report.add(Comparison("accuracy", baseline: "plain", method: "polite", difference, style: .percent))
        report.add(await lab.recorder.samples)
        return report
    }

    func demo(in lab: Lab) async throws -> Demonstration {
        let answer = try await lab.languageModel().complete(CompletionRequest(.chat([.user("2 + 2?")])))
        return Demonstration(
            Report("Polite questions"), checks: [Check("answers", answer.text.isEmpty ? 0 : 1, .atLeast(1))])
    }
}
