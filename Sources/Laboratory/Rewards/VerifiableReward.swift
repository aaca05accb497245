import Foundation
import Text

/// A reward that can be checked: 1 for a reply that is right, 0 for any other.
///
/// Spelt `number`, `text`, `expression`, `yesno` or `date` (the reply's answer is compared with the record's, see ``Grader``), `regex:PATTERN` (found
/// anywhere in the reply), or `python:FILE`, a program run in the sandbox that finds the reply on its standard input and the right answers in
/// `/input/answers`, one a line, and says by exit status 0 that the reply is right.
public enum VerifiableReward: Sendable, Hashable {
    case answer(AnswerKind)
    case pattern(String)
    /// The text of the program.
    case program(String)

    public init(spelling: String) throws {
        let kinds: [String: AnswerKind] = [
            "number": .number, "text": .text, "expression": .expression, "yesno": .yesNo, "date": .date,
        ]
        if let kind = kinds[spelling] {
            self = .answer(kind)
        } else if spelling.hasPrefix("regex:") {
            let pattern = String(spelling.dropFirst("regex:".count))
            guard !pattern.isEmpty, (try? Regex(pattern)) != nil else {
                throw RewardError(
                    description: "The reward's regular expression \(pattern.debugDescription) can't be read.")
            }
            self = .pattern(pattern)
        } else if spelling.hasPrefix("python:") {
            let path = String(spelling.dropFirst("python:".count))
            guard let program = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw RewardError(description: "The reward's program \(path.debugDescription) can't be read.")
            }
            self = .program(program)
        } else {
            throw RewardError(
                description:
                    "The reward \(spelling.debugDescription) is unknown. It must be number, text, expression, yesno, date, "
                    + "regex:PATTERN or python:FILE.")
        }
    }

    /// Whether a record without answers can't be rewarded.
    public var needsAnswers: Bool {
        if case .answer = self { true } else { false }
    }

    /// Whether replies are right.
    /// - Parameters:
    ///   - golds: the right answers of each reply's question.
    ///   - sandbox: where programs run.
    public func areRight(_ replies: [String], golds: [[String]], sandbox: Sandbox?) async throws -> [Bool] {
        switch self {
        case .answer(let kind):
            let grader = Grader(kind)
            return zip(replies, golds).map { grader.isRight(grader.answer(in: $0), golds: $1) }
        case .pattern(let pattern):
            let regex = try Regex(pattern)
            return replies.map { $0.contains(regex) }
        case .program(let program):
            guard let sandbox else { throw RewardError(description: "A reward by a program needs the sandbox.") }
            return try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
                for (index, reply) in replies.enumerated() {
                    let answers = [UInt8]((golds[index].joined(separator: "\n") + "\n").utf8)
                    group.addTask {
                        let result = try await sandbox.run(program, input: reply, files: ["answers": answers])
                        return (index, result.succeeded)
                    }
                }
                var right = [Bool](repeating: false, count: replies.count)
                for try await (index, isRight) in group { right[index] = isRight }
                return right
            }
        }
    }
}

/// Why a reward can't be used.
public struct RewardError: Error, Hashable, CustomStringConvertible {
    public let description: String
}
