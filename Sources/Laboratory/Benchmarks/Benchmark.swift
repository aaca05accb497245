/// An examination: questions, and what an answer to each of them is worth. Any benchmark runs under any strategy, because a strategy
/// sees the question alone.
public protocol Benchmark: Sendable {
    /// How tables name it: `humaneval`.
    var name: String { get }
    var questions: [Question] { get }

    /// What an answer is worth, from 0 to 1; only 1 counts as right.
    ///
    /// - Throws: only for what is no fault of the answer's, such as a sandbox that breaks down.
    func score(_ solution: Solution, of question: Question) async throws -> Double
}

extension Benchmark {
    /// Right answers by what they mean or by the question's own check, with no half-right ones: see ``Question/accepts(_:)``.
    public func score(_ solution: Solution, of question: Question) async throws -> Double {
        question.accepts(solution.answer) ? 1 : 0
    }
}

/// Questions whose right answers stand beside them.
public struct QuestionSet: Benchmark {
    public let name: String
    public let questions: [Question]

    public init(_ questions: [Question], name: String = "questions") {
        self.questions = questions
        self.name = name
    }
}

/// A benchmark with fewer questions, or the same in other words; the whole one grades by their identifiers.
public struct BenchmarkPart: Benchmark {
    private let whole: any Benchmark
    public let questions: [Question]

    public init(of whole: any Benchmark, _ questions: [Question]) {
        self.whole = whole
        self.questions = questions
    }

    public var name: String { whole.name }

    public func score(_ solution: Solution, of question: Question) async throws -> Double {
        try await whole.score(solution, of: question)
    }
}

/// Why a benchmark can't be used.
public enum BenchmarkError: Error, Hashable, CustomStringConvertible {
    case notInstalled(suite: String, path: String)
    case unknownPart(suite: String, part: String, known: [String])
    case malformed(path: String, String)
    case broken(suite: String, String)

    public var description: String {
        switch self {
        case .notInstalled(let suite, let path):
            "The suite \(suite) is not installed: there is no \(path). Type: make suites"
        case .unknownPart(let suite, let part, let known):
            "\(suite) has no part \(part.debugDescription). "
                + Spelling.suggestion(for: part, among: known, otherwise: "It has: \(known.joined(separator: ", ")).")
        case .malformed(let path, let what): "\(path): \(what)"
        case .broken(let suite, let what): "\(suite): \(what)"
        }
    }
}
