import Foundation

/// HumanEval: 164 Python functions to write from their descriptions, each with tests.
///
/// Source: Chen et al., "Evaluating Large Language Models Trained on Code" (2021), arXiv:2107.03374.
public enum HumanEval {
    /// Where set-up puts the problems.
    public static var place: URL {
        Folders.cache.appendingPathComponent("suites").appendingPathComponent("HumanEval.jsonl")
    }

    /// What installs them, typed in the repository.
    public static let command = "make suites"

    /// Where a continuation of a prompt has left the function (the paper's stop sequences, section 3.2).
    public static let stopStrings = ["\nclass", "\ndef", "\n#", "\nif", "\nprint"]

    /// Reads the problems.
    ///
    /// - Parameter path: another file of the same form; nil: the one that set-up installs.
    /// - Throws: `DataError` that names the file, the line and the field; for a missing file, what installs it.
    public static func problems(path: String? = nil) throws(DataError) -> [CodeProblem] {
        let file = path ?? place.path
        if path == nil, !FileManager.default.fileExists(atPath: file) {
            throw .unreadable(source: file, reason: "HumanEval is not installed. Type: \(command)")
        }
        let data = try DataSet(path: file, format: .jsonl)
        let problems = try data.records(as: CodeProblem.self)
        var seen: Set<String> = []
        for (problem, record) in zip(problems, data.records) where !seen.insert(problem.name).inserted {
            throw .malformed(record.place, "the problem \(problem.name.debugDescription) is in the file twice.")
        }
        return problems
    }
}
