import Inference
import Laboratory
import Text

/// A whole method in forty lines: asks each question plainly and with a polite word before it, and compares.
struct PoliteQuestion: Method {
    static let card = MethodCard(
        "polite-question", .reasoning, name: "Polite question", [.inference],
        "Puts a polite word before each question.", paper: Paper("An example", "Nobody", 2024),
        needs: .completion, data: "question and answer (or answers)",
        claim: "A polite word does not change the answers of a deterministic model.")

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
            let arms = [("plain", baseline), ("polite", method)].map { name, text in
                SampleTrace.Arm(name, text, isCorrect: item.answers.contains(text))
            }
            let trace = SampleTrace(
                item.question, input: item.question, expected: item.answers.joined(separator: " or "), arms: arms)
            await lab.recorder.record(trace)
            return trace
        }
        let difference = try PairedDifference(
            baseline: outcomes.map { $0.arms[0].isCorrect == true },
            method: outcomes.map { $0.arms[1].isCorrect == true }, seed: lab.seed)
        var report = Report("Polite questions", summary: "\(outcomes.count) questions, asked both ways.")
        report.add(Comparison("accuracy", baseline: "plain", method: "polite", difference, style: .percent))
        report.add(outcomes)
        return report
    }

    func demo(in lab: Lab) async throws -> Demonstration {
        let answer = try await lab.languageModel().complete(CompletionRequest(.chat([.user("2 + 2?")])))
        return Demonstration(
            Report("Polite questions"), checks: [Check("answers", answer.text.isEmpty ? 0 : 1, .atLeast(1))])
    }
}
