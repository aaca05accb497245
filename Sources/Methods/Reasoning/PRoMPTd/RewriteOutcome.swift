import Foundation
import Laboratory
import Text

/// What rewriting did to a set of questions: measurements that look at the right answers afterwards, and the files of a run.
package struct RewriteOutcome: Sendable {
    private struct Item {
        var question: Question
        var trace: RewriteTrace
        var attempt: Attempt
        /// Whether the task model answered the prompt as it is rightly, and its reply.
        var zeroShot: Attempt
        /// The outputs that the meta model judged, whether they are right, and whether it took them for right.
        var judged: [(isRight: Bool, isTakenForRight: Bool)]
    }

    private let items: [Item]

    /// - Parameter arm: the rewriting one; the first is zero-shot.
    /// - Throws: what the benchmark throws when it grades an output.
    package init(_ comparison: StrategyComparison, arm: Int, _ journal: RewriteJournal) async throws {
        var items: [Item] = []
        for (place, question) in comparison.questions.enumerated() {
            guard let trace = journal[question] else { continue }
            items.append(
                Item(
                    question: question, trace: trace, attempt: comparison.attempts[arm][place],
                    zeroShot: comparison.attempts[0][place],
                    judged: try await Self.judged(trace, question, comparison.benchmark)))
        }
        self.items = items
    }

    private static func judged(
        _ trace: RewriteTrace, _ question: Question, _ benchmark: any Benchmark
    ) async throws -> [(isRight: Bool, isTakenForRight: Bool)] {
        let grader = Grader(question.kind)
        var judged: [(isRight: Bool, isTakenForRight: Bool)] = []
        var seen: Set<String> = []
        for attempt in trace.attempts {
            guard let output = attempt.output else { continue }
            // Asked again about the same output, the last word counts.
            if !seen.insert("\(attempt.prompt)\u{0}\(output)").inserted, let last = judged.popLast() {
                judged.append((last.isRight, attempt.declaresSuccess))
                continue
            }
            let solution = Solution(answer: grader.answer(in: output), text: output)
            judged.append((try await benchmark.score(solution, of: question) == 1, attempt.declaresSuccess))
        }
        return judged
    }

    // MARK: Measurements

    /// Rewrites that lack numbers or options, of those that could be read and were no declaration of success.
    package var lossyShare: Double {
        let rewrites = items.flatMap(\.trace.attempts).filter { !$0.declaresSuccess }
        return share(rewrites.count { !$0.lost.isEmpty }, of: rewrites.count)
    }

    /// Questions with a used prompt that holds the right answer while the original doesn't.
    package var leakage: Double { share(items.count(where: Self.isLeaked), of: items.count) }

    /// Accuracy on the questions whose answer did not leak; nil where all did.
    package var accuracyWithoutLeaks: Double? {
        let rest = items.filter { !Self.isLeaked($0) }
        return rest.isEmpty ? nil : share(rest.count(where: \.attempt.isRight), of: rest.count)
    }

    /// The stop test's errors over all outputs that it judged: wrong ones taken for right, and right ones taken for wrong. Nil where there
    /// was no such output.
    package var stopErrors: (wrongTakenForRight: Double?, rightTakenForWrong: Double?) {
        let judged = items.flatMap(\.judged)
        let wrong = judged.filter { !$0.isRight }
        let right = judged.filter(\.isRight)
        return (
            wrong.isEmpty ? nil : share(wrong.count(where: \.isTakenForRight), of: wrong.count),
            right.isEmpty ? nil : share(right.count { !$0.isTakenForRight }, of: right.count)
        )
    }

    /// How often each task type was named, the most frequent first.
    package var taskTypes: [(type: String, count: Int)] {
        let types = items.compactMap { $0.trace.attempts.last?.reply.taskType }.filter { !$0.isEmpty }
        return Dictionary(grouping: types) { $0 }.map { ($0.key, $0.value.count) }
            .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }

    private static func isLeaked(_ item: Item) -> Bool {
        item.trace.attempts.contains {
            $0.isUsed && AnswerLeak.happened(from: item.trace.original, to: $0.reply.betterPrompt, item.question)
        }
    }

    private func share(_ count: Int, of whole: Int) -> Double { whole == 0 ? 0 : Double(count) / Double(whole) }

    // MARK: Report

    package func add(to report: inout Report) throws {
        var metrics = [
            Metric(
                "rewrites that lost numbers or options", lossyShare, style: .percent,
                detail: "of all that could be read, those asked for again included"),
            Metric(
                "prompts that give the answer away", leakage, style: .percent,
                detail: "the right answer stands in the better prompt and not in the original"),
            Metric("unreadable replies", Double(items.reduce(0) { $0 + $1.trace.malformed }), style: .whole),
        ]
        if let rest = accuracyWithoutLeaks {
            metrics.append(Metric("accuracy where no answer was given away", rest, style: .percent))
        }
        let errors = stopErrors
        if let wrong = errors.wrongTakenForRight {
            metrics.append(Metric("wrong outputs taken for right", wrong, style: .percent))
        }
        if let right = errors.rightTakenForWrong {
            metrics.append(Metric("right outputs taken for wrong", right, style: .percent))
        }
        report.add(metrics)
        var types = Table("Task types that the meta model named", columns: [.text("task type"), .number("questions")])
        for (type, count) in taskTypes.prefix(30) { types.add(type, String(count)) }
        if !types.rows.isEmpty { report.add(types) }
    }

    // MARK: Files

    /// Writes the traces, and the rewritten prompts as a data set that any run takes.
    package func write(in lab: Lab) async throws {
        for (name, kind, records) in [
            ("rewrites.jsonl", "traces of rewriting", items.map(record)),
            ("rewritten-prompts.jsonl", "rewritten prompts", items.map(rewritten)),
        ] {
            let file = try lab.outputFile(name)
            try Self.lines(records).write(to: file, options: .atomic)
            await lab.recorder.record(Artifact(kind: kind, path: file.path))
        }
    }

    /// Writes the prompts that the task model answered wrongly as drafts of demonstrations, with what the meta model made of them. What is
    /// empty, and what is poor, is for a person or a strong model to write; `--meta-prompt` refuses a file with empty fields.
    package func writeDrafts(to path: String, _ mode: RewriteMode) throws {
        let drafts = items.filter { !$0.zeroShot.isRight }.map { item -> JSONValue in
            let first = item.trace.attempts.first { !$0.declaresSuccess && $0.lost.isEmpty }
            let demonstration = PromptDemonstration(
                first?.reply.taskType ?? "", prompt: item.trace.original,
                output: item.zeroShot.solution.text.trimmingSpaces, reason: first?.reply.reason ?? "",
                better: first?.reply.betterPrompt ?? "")
            return .object(
                (demonstration.json.objectValue ?? []) + [
                    .init("gold", .string(item.question.golds.first ?? "")),
                    .init("helped", .bool(item.attempt.isRight)),
                ])
        }
        try Self.lines(drafts).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private func record(_ item: Item) -> JSONValue {
        let trace = item.trace
        return [
            "id": .string(item.question.id), "prompt": .string(trace.original),
            "gold": .string(item.question.golds.first ?? ""),
            "zero_shot": [
                "output": .string(item.zeroShot.solution.text), "answer": .string(item.zeroShot.solution.answer),
                "is_right": .bool(item.zeroShot.isRight),
            ],
            "attempts": .array(trace.attempts.map { Self.json($0, item.question, trace.original) }),
            "final": [
                "prompt": .string(trace.prompt), "output": .string(trace.output),
                "answer": .string(item.attempt.solution.answer), "is_right": .bool(item.attempt.isRight),
            ],
            "stop": .string(trace.stop.rawValue), "unreadable": .integer(trace.malformed),
            "calls": .integer(item.attempt.cost.calls), "tokens": .integer(item.attempt.cost.tokens),
        ]
    }

    private static func json(_ attempt: RewriteAttempt, _ question: Question, _ original: String) -> JSONValue {
        let reply = attempt.reply
        return [
            "prompt": .string(attempt.prompt), "output": attempt.output.map { .string($0) } ?? .null,
            "reason": .string(reply.reason), "task_type": .string(reply.taskType),
            "better_prompt": .string(reply.betterPrompt), "lost": .array(attempt.lost.map { .string($0) }),
            "gives_answer_away": .bool(AnswerLeak.happened(from: original, to: reply.betterPrompt, question)),
            "declares_success": .bool(attempt.declaresSuccess), "is_used": .bool(attempt.isUsed),
        ]
    }

    private func rewritten(_ item: Item) -> JSONValue {
        let question = item.question
        var members: [JSONValue.Member] = [
            .init("id", .string(question.id)), .init("question", .string(item.trace.prompt)),
            .init("answer", .string(question.golds.first ?? "")), .init("original", .string(item.trace.original)),
        ]
        if !question.options.isEmpty { members.append(.init("options", .array(question.options.map { .string($0) }))) }
        let type: AnswerType =
            switch question.kind {
            case .number: .number
            case .options: .options
            case .yesNo: .yesno
            case .text: .string
            case .date: .date
            case .expression: .expression
            case .block: .block
            }
        return .object(members + [.init("answer_type", .string(type.rawValue))])
    }

    private static func lines(_ records: [JSONValue]) -> Data {
        Data(records.map { $0.text() + "\n" }.joined().utf8)
    }
}
