import Foundation
import Text
import Yams

/// The questions with worked answers that lm-evaluation-harness shows to models as examples, here asked as questions: 282 of MMLU's
/// 57 subjects, three of each of 27 tasks of BIG-Bench Hard, and eight of GSM8K. They are few and public, and models have seen them: good for
/// telling strategies apart on one model, not for ranking models.
///
/// Sources: Hendrycks et al. (2021), arXiv:2009.03300; Suzgun et al. (2022), arXiv:2210.09261; Cobbe et al. (2021), arXiv:2110.14168; the
/// worked answers of the first and the last by Chung et al. (2022), arXiv:2210.11416, and Wei et al. (2022), arXiv:2201.11903.
public enum WorkedExamples {
    static var folder: URL { Folders.cache.appendingPathComponent("suites/worked-examples", isDirectory: true) }

    // MARK: MMLU

    /// The questions of these subjects, as `abstract_algebra`; none: of all.
    public static func mmlu(subjects: [String] = []) throws -> QuestionSet {
        let (path, bytes) = try contents("mmlu.json", of: "mmlu")
        guard let members = try JSONValue(parsing: bytes).objectValue else {
            throw BenchmarkError.malformed(path: path, "it is no object of subjects.")
        }
        let known = members.map(\.key).sorted()
        for subject in subjects where !known.contains(subject) {
            throw BenchmarkError.unknownPart(suite: "mmlu", part: subject, known: known)
        }
        var questions: [Question] = []
        for subject in subjects.isEmpty ? known : subjects {
            let text = members.first { $0.key == subject }?.value.stringValue ?? ""
            let found = multipleChoice(text, subject: subject)
            guard !found.isEmpty else {
                throw BenchmarkError.malformed(path: path, "the subject \(subject) has no question that can be read.")
            }
            questions += found
        }
        return QuestionSet(questions, name: "mmlu")
    }

    /// Reads `Q: question\n(A) … (B) …\nA: Let's think step by step. … The answer is (C).`, one after the other.
    static func multipleChoice(_ text: String, subject: String) -> [Question] {
        text.split(separator: "\nQ: ").dropFirst().enumerated().compactMap { index, item in
            guard let reply = item.range(of: "\nA: "),
                let start = item[..<reply.lowerBound].range(of: "(A) ", options: .backwards)
            else { return nil }
            var options: [String] = []
            var rest = item[start.upperBound..<reply.lowerBound]
            for letter in "BCDEFGHIJ" {
                guard let next = rest.range(of: "(\(letter)) ") else { break }
                options.append(String(rest[..<next.lowerBound]).trimmingSpaces)
                rest = rest[next.upperBound...]
            }
            options.append(String(rest).trimmingSpaces)
            let kind = AnswerKind.options(options.count)
            guard options.count >= 2,
                let gold = AnswerExtractor(kind, letters: .standalone).candidates(
                    in: ending(of: String(item[reply.upperBound...]))
                ).first
            else { return nil }
            return Question(
                id: "\(subject)/\(index + 1)", String(item[..<start.lowerBound]).trimmingSpaces, options: options,
                kind: kind, golds: [gold], subject: subject)
        }
    }

    // MARK: BIG-Bench Hard

    /// The questions of these tasks, as `navigate`; none: of all.
    public static func bigBenchHard(tasks: [String] = []) throws -> QuestionSet {
        let known = try FileManager.default.contents(of: folder.appendingPathComponent("bbh"), suite: "bbh")
            .filter { $0.hasSuffix(".yaml") && !$0.hasPrefix("_") }.map { String($0.dropLast(5)) }.sorted()
        for task in tasks where !known.contains(task) {
            throw BenchmarkError.unknownPart(suite: "bbh", part: task, known: known)
        }
        let questions = try (tasks.isEmpty ? known : tasks).flatMap { task in
            try Self.questions("bbh/\(task).yaml", field: "input", subject: task, of: "bbh")
        }
        return QuestionSet(questions, name: "bbh")
    }

    /// A question with the kind of its answer, options taken out of its text.
    static func question(_ text: String, reply: String, id: String, subject: String) -> Question {
        var gold = ending(of: reply).trimmingSpaces
        if gold.hasSuffix(".") { gold.removeLast() }
        let parts = text.components(separatedBy: "Options:")
        if parts.count == 2 {
            let options = parts[1].split(whereSeparator: \.isNewline).map { String($0).trimmingSpaces }.filter {
                !$0.isEmpty
            }
            if options.count >= 2, options.allSatisfy({ $0.hasPrefix("(") && $0.dropFirst(2).hasPrefix(")") }) {
                let kind = AnswerKind.options(options.count)
                return Question(
                    id: id, parts[0].trimmingSpaces, options: options.map { String($0.dropFirst(3)).trimmingSpaces },
                    kind: kind, golds: [AnswerExtractor(kind).gold(gold) ?? gold], subject: subject)
            }
        }
        let kind: AnswerKind =
            ["yes", "no"].contains(gold.lowercased()) ? .yesNo : Grader(.number).reads(gold: gold) ? .number : .text
        return Question(id: id, text.trimmingSpaces, kind: kind, golds: [gold], subject: subject)
    }

    // MARK: GSM8K

    public static func gsm8k() throws -> QuestionSet {
        QuestionSet(try questions("gsm8k.yaml", field: "question", subject: "gsm8k", of: "gsm8k"), name: "gsm8k")
    }

    // MARK: Files

    private static func contents(_ file: String, of suite: String) throws -> (path: String, bytes: [UInt8]) {
        let path = folder.appendingPathComponent(file).path
        guard let data = FileManager.default.contents(atPath: path) else {
            throw BenchmarkError.notInstalled(suite: suite, path: path)
        }
        return (path, Array(data))
    }

    /// What a worked answer ends in: behind its last "answer is", else the whole.
    private static func ending(of reply: String) -> String {
        reply.components(separatedBy: "nswer is ").last ?? ""
    }

    /// The `fewshot_config.samples` of a task's file, whose questions stand in this field.
    private static func questions(
        _ file: String, field: String, subject: String, of suite: String
    ) throws -> [Question] {
        let (path, bytes) = try contents(file, of: suite)
        let node: Node?
        do {
            node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw BenchmarkError.malformed(path: path, "\(error)")
        }
        guard let list = node?["fewshot_config"]?["samples"]?.sequence, !list.isEmpty else {
            throw BenchmarkError.malformed(path: path, "it has no fewshot_config.samples.")
        }
        return try list.enumerated().map { index, sample in
            guard let text = sample[field]?.string, let reply = sample["target"]?.string else {
                throw BenchmarkError.malformed(
                    path: path, "sample \(index + 1) has no \(field.debugDescription) and \"target\".")
            }
            return question(text, reply: reply, id: "\(subject)/\(index + 1)", subject: subject)
        }
    }
}

extension FileManager {
    fileprivate func contents(of folder: URL, suite: String) throws -> [String] {
        do {
            return try contentsOfDirectory(atPath: folder.path)
        } catch {
            throw BenchmarkError.notInstalled(suite: suite, path: folder.path)
        }
    }
}
