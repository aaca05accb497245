import Inference
import Laboratory
import Text

/// The three ways of decoding that a run compares.
package enum ContrastArm: String, Sendable, CaseIterable {
    case standard
    case always = "always contrast"
    case selective = "USCD"

    package func rule(_ options: USCD.Options, vocabularySize: Int?) -> SelectiveContrast? {
        var rule = options.rule(vocabularySize: vocabularySize)
        switch self {
        case .standard: return nil
        case .selective: return rule
        case .always:
            rule.threshold = .none
            return rule
        }
    }
}

/// What each way of decoding made of each item, and what a report says of it.
package struct ContrastTable: Sendable {
    package struct Outcome: Sendable {
        package var completion: Completion
        package var steps: [SelectiveContrast.Step]
        /// nil where there are no tests, or they were not run.
        package var grade: CodeGrade?
    }

    package let items: [CodeItem]
    /// [items × arms × samples]
    package let outcomes: [[[Outcome]]]
    private let options: USCD.Options
    private let vocabularySize: Int
    private let unequalEnds: Int
    private let texts: [SampleTrace]

    /// - Parameter grader: runs the items' tests; nil leaves them.
    package init(
        _ items: [CodeItem], options: USCD.Options, grader: CodeGrader?, model: any OpenModel, in lab: Lab
    ) async throws {
        let vocabularySize = min(model.tokenizer.vocabularySize, model.architecture.vocabularySize)
        let budgets = try items.map { try Self.budget($0, options: options, model: model) }
        let found = try await lab.forEach("items", Array(items.indices)) { index in
            var arms: [[Outcome]] = []
            for arm in ContrastArm.allCases {
                var samples: [Outcome] = []
                for sample in 0..<options.samples {
                    // The arms of a sample share their random stream, so that what differs is the contrast.
                    let seed = lab.seed("\(items[index].id)/\(sample)")
                    var outcome = try await Self.complete(
                        items[index], rule: arm.rule(options, vocabularySize: vocabularySize),
                        maxTokens: budgets[index].tokens, seed: seed, options: options, model: model)
                    if let check = items[index].check {
                        outcome.grade = try await grader?.grade(
                            program: items[index].prompt + outcome.completion.text, tests: check)
                    }
                    samples.append(outcome)
                }
                arms.append(samples)
            }
            let trace = Self.trace(items[index], arms, tokenizer: model.tokenizer)
            await lab.recorder.record(trace)
            return (arms, trace)
        }
        self.items = items
        outcomes = found.map(\.0)
        texts = found.map(\.1)
        self.options = options
        self.vocabularySize = vocabularySize
        unequalEnds = budgets.count { !$0.endsAlike }
    }

    /// How many tokens an item's completion may have, and whether both prompts end in the same token.
    private static func budget(
        _ item: CodeItem, options: USCD.Options, model: any OpenModel
    ) throws -> (tokens: Int, endsAlike: Bool) {
        let standard = try model.tokens(of: .text(item.prompt))
        let lame = try model.tokens(of: .text(item.lamePrompt))
        guard !lame.isEmpty else { throw USCDError.emptyLamePrompt(item: item.id) }
        let longest = max(standard.count, lame.count)
        let limit = min(options.maxLength, model.identity.contextLength ?? options.maxLength)
        guard longest < limit else { throw USCDError.promptTooLong(item: item.id, tokens: longest, limit: limit) }
        return (limit - longest, standard.last == lame.last)
    }

    package static func complete(
        _ item: CodeItem, rule: SelectiveContrast?, maxTokens: Int, seed: UInt64, options: USCD.Options,
        model: any LanguageModel
    ) async throws -> Outcome {
        let combiner = rule.map { ContrastCombiner($0) }
        let completion = try await model.complete(
            CompletionRequest(
                .text(item.prompt),
                sampling: .random(temperature: options.temperature, topP: options.topP, seed: seed),
                stop: StopRule(maxTokens: maxTokens, strings: options.stop),
                interventions: combiner.map { [.companions([.text(item.lamePrompt)], $0)] } ?? []))
        return Outcome(completion: completion, steps: combiner?.steps ?? [])
    }

    // MARK: Reports

    package func report() throws -> Report {
        var report = Report("USCD", summary: summary)
        try addPassRates(to: &report)
        report.add(try armTable())
        report.add(try stepMetrics())
        report.note(tests)
        for note in warnings { report.note(note) }
        report.add(texts)
        return report
    }

    private func steps(_ arm: ContrastArm) -> [SelectiveContrast.Step] {
        guard let place = ContrastArm.allCases.firstIndex(of: arm) else { return [] }
        return outcomes.flatMap { $0[place].flatMap(\.steps) }
    }

    private var summary: String {
        let all = steps(.selective)
        let contrasted = all.count { $0.isContrasted }
        let changed = all.count { $0.isChanged }
        let different = outcomes.count { $0[0].map(\.completion.text) != $0[2].map(\.completion.text) }
        return "USCD contrasted \(contrasted) of \(all.count) steps and changed the most likely token at \(changed); "
            + "\(different) of \(items.count) items were completed differently from standard decoding."
    }

    private func armTable() throws -> Table {
        var table = Table(
            "Ways of decoding, same items and random streams",
            columns: [
                .text("decoding"), .number("steps"), .number("contrasted"), .number("top token changed"),
                .number("fell back"), .number("mean |K|"), .number("tokens a completion"), .number("cut at max length"),
            ])
        for (place, arm) in ContrastArm.allCases.enumerated() {
            let steps = steps(arm)
            let contrasted = steps.filter(\.isContrasted)
            let completions = outcomes.flatMap { $0[place].map(\.completion) }
            func share(_ count: Int, of total: Int) -> String {
                total == 0 ? "–" : NumberStyle.percent.text(Double(count) / Double(total))
            }
            table.add([
                arm.rawValue, arm == .standard ? "–" : "\(steps.count)", share(contrasted.count, of: steps.count),
                share(steps.count { $0.isChanged }, of: steps.count),
                arm == .standard ? "–" : "\(steps.count { $0.fellBack })",
                contrasted.isEmpty
                    ? "–"
                    : NumberStyle.decimals(1).text(
                        Double(contrasted.reduce(0) { $0 + $1.kept }) / Double(contrasted.count)),
                NumberStyle.decimals(1).text(
                    Double(completions.reduce(0) { $0 + $1.usage.completionTokens }) / Double(max(1, completions.count))
                ),
                share(completions.count { $0.finish == .length }, of: completions.count),
            ])
        }
        return table
    }

    private func stepMetrics() throws -> [Metric] {
        let all = steps(.selective)
        guard !all.isEmpty else { return [] }
        return [
            Metric("share of contrasted steps", try .accuracy(all.map(\.isContrasted)), style: .percent),
            Metric("share of changed top tokens", try .accuracy(all.map(\.isChanged)), style: .percent),
            Metric("mean confidence", try .mean(all.map(\.confidence)), detail: "of the standard prompt, 1 is one-hot"),
        ]
    }

    /// The grades of the tested items' completions under an arm, [items × samples].
    private func grades(_ arm: ContrastArm) -> [[CodeGrade]] {
        guard let place = ContrastArm.allCases.firstIndex(of: arm) else { return [] }
        return outcomes.map { $0[place].compactMap(\.grade) }.filter { !$0.isEmpty }
    }

    /// pass@1, and pass@k of k samples, of each way of decoding against the standard one; and why completions failed.
    private func addPassRates(to report: inout Report) throws {
        let graded = ContrastArm.allCases.map(grades)
        guard graded.contains(where: { !$0.isEmpty }) else { return }
        let passed = graded.map { $0.map { $0.map(\.passed) } }
        for (arm, passes) in zip(ContrastArm.allCases, passed).dropFirst() {
            for k in Set([1, options.samples]).sorted() {
                report.add(
                    Comparison(
                        "pass@\(k)", baseline: ContrastArm.standard.rawValue, method: arm.rawValue,
                        try Self.difference(passed[0], passes, k: k), style: .percent))
            }
        }
        var table = Table(
            "What the tests said of the completions",
            columns: [.text("decoding")] + CodeGrade.Outcome.allCases.map { .number($0.title) } + [.text("most often")])
        for (arm, grades) in zip(ContrastArm.allCases, graded) {
            let all = grades.flatMap(\.self)
            let reasons = Dictionary(grouping: all.filter { !$0.passed }, by: \.kind).mapValues(\.count)
            let commonest = reasons.max { ($0.value, $1.key) < ($1.value, $0.key) }
            table.add(
                [arm.rawValue] + CodeGrade.Outcome.allCases.map { outcome in "\(all.count { $0.outcome == outcome })" }
                    + [commonest.map { "\($0.key) (\($0.value))" } ?? "–"])
        }
        report.add(table)
    }

    private static func difference(_ standard: [[Bool]], _ other: [[Bool]], k: Int) throws -> PairedDifference {
        if standard.allSatisfy({ $0.count == 1 }) {
            return try PairedDifference(baseline: standard.flatMap(\.self), method: other.flatMap(\.self))
        }
        func rates(_ arm: [[Bool]]) throws -> [Double] {
            try arm.map { try PassRate.estimate(correct: $0.count { $0 }, of: $0.count, k: k) }
        }
        return try PairedDifference(baseline: rates(standard), method: rates(other))
    }

    private var tests: String {
        let tested = items.count { !$0.tests.isEmpty }
        if tested == 0 { return "The records have no tests; completions and step logs are what there is to see." }
        return "\(tested) of \(items.count) records have tests. "
            + (grades(.standard).isEmpty
                ? "They were not run (--run-tests false), so there is no pass@1."
                : "Each completion ran with its record's tests in the sandbox.")
    }

    private var warnings: [String] {
        var notes: [String] = []
        if case .absolute(let bound) = options.rule().threshold,
            !options.rule().canBeSure(vocabularySize: vocabularySize)
        {
            let maximum = 1 / Double(vocabularySize).squareRoot()
            notes.append(
                "The absolute threshold \(bound) can never be exceeded: with \(vocabularySize) tokens the deviation is at most "
                    + "\(NumberStyle.decimals(5).text(maximum)). Every step is contrasted; --threshold-mode relative avoids that."
            )
        }
        if unequalEnds > 0 {
            notes.append(
                "The two prompts of \(unequalEnds) items end in different tokens, so that their next tokens may be of different "
                    + "kinds of position.")
        }
        return notes
    }

    /// An item's completions with the steps that the contrast changed.
    private static func trace(_ item: CodeItem, _ arms: [[Outcome]], tokenizer: Tokenizer) -> SampleTrace {
        SampleTrace(
            item.id, input: item.prompt,
            arms: zip(ContrastArm.allCases, arms).flatMap { arm, samples in
                samples.enumerated().map { sample, outcome in
                    var steps = arm == .standard ? [] : [SampleTrace.Step("lame prompt", item.lamePrompt)]
                    if !outcome.steps.isEmpty {
                        steps.append(.init("steps", Self.log(outcome.steps, tokenizer: tokenizer)))
                    }
                    if let grade = outcome.grade, !grade.passed {
                        steps.append(.init("tests", "\(grade.outcome.title): \(grade.detail)"))
                    }
                    return SampleTrace.Arm(
                        samples.count == 1 ? arm.rawValue : "\(arm.rawValue), sample \(sample + 1)",
                        outcome.completion.text, isCorrect: outcome.grade?.passed, steps: steps)
                }
            })
    }

    /// One line a step: number, μ, confidence, |K|, top token before and after.
    private static func log(_ steps: [SelectiveContrast.Step], tokenizer: Tokenizer) -> String {
        steps.enumerated().map { index, step in
            var line =
                "\(index + 1): deviation \(NumberStyle.decimals(6).text(step.deviation)), "
                + "confidence \(NumberStyle.decimals(3).text(step.confidence)), "
            line += step.isContrasted ? "\(step.kept) kept" : "sure"
            if step.fellBack { line += ", no score above 0" }
            line += ", top \(tokenizer.text(of: step.topBefore).debugDescription)"
            if step.isChanged { line += " → \(tokenizer.text(of: step.topAfter).debugDescription)" }
            return line
        }.joined(separator: "\n")
    }
}

/// Why an item can't be decoded.
public enum USCDError: Error, Hashable, CustomStringConvertible {
    case promptTooLong(item: String, tokens: Int, limit: Int)
    case emptyLamePrompt(item: String)

    public var description: String {
        switch self {
        case .promptTooLong(let item, let tokens, let limit):
            "\(item): the prompt has \(tokens) tokens, and prompt and completion together may have \(limit). "
                + "Raise --max-length, or shorten the prompt."
        case .emptyLamePrompt(let item):
            "\(item): nothing is left of the prompt without its examples. Choose another --lame-rule."
        }
    }
}
