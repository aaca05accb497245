import Inference
import Laboratory
import Text

/// How a model is asked: the paper's groups.
public enum SearchGroup: String, OptionChoice {
    /// ATS-BFS: one reply that writes the whole tree, step by step.
    case nct
    /// ATS-DFS: one reply that follows one path, steps back and revises.
    case dfs
    /// Chain of thought: the task alone.
    case cot
    /// Tree of Thoughts: a search outside the model.
    case tot

    /// The name of tables.
    package var name: String {
        switch self {
        case .nct: "ats"
        case .dfs: "ats-dfs"
        case .cot: "cot"
        case .tot: "tot"
        }
    }

    var transcript: SearchTranscript.Kind {
        switch self {
        case .nct: .breadthFirst
        case .dfs: .depthFirst
        case .cot, .tot: .direct
        }
    }
}

/// The conversation of one call.
package enum SearchPrompt {
    /// The same for all tasks; none for chain of thought.
    package static func system(_ group: SearchGroup) -> String? {
        switch group {
        case .nct: breadthFirst
        case .dfs: depthFirst
        case .cot, .tot: nil
        }
    }

    static let breadthFirst = """
        Where you can't be sure which step is best, don't choose one: write down several scenarios and follow all of them, step by \
        step, each with its whole path. Reply in this form:
        Step 1
        1. [initial state] -> (operation) [new state]
        2. [initial state] -> (operation) [new state]
        Step 2
        1.1. [initial state] -> [state] -> (operation) [new state]
        1.2. [initial state] -> [state] -> (operation) [new state]
        2.1. [initial state] -> [state] -> (operation) [new state]
        2.2. [initial state] -> [state] -> (operation) [new state]
        Step 3
        1.1.1. [initial state] -> [state] -> [state] -> (operation) [new state]
        … about 8 lines
        Step 4
        … about 16 lines
        Stop as soon as a scenario reaches the goal, and end with the summary that the task asks for, as the last line:
        Summary: …
        """

    static let depthFirst = """
        Follow one path, step by step. Where a step can't succeed, step back to an earlier state and try another one. Reply in this \
        form:
        Step 1
        [initial state] -> (operation) [new state]
        Step 2
        [initial state] -> [state] -> (operation) [new state]
        What was reached: not the goal.
        Step back to [state].
        Step 2 (revised)
        [initial state] -> [state] -> (other operation) [new state]
        You may step back several times in a row. End with the summary that the task asks for, as the last line:
        Summary: …
        """

    /// System message, demonstrations as turns, and the task.
    package static func messages(
        _ group: SearchGroup, task: String, demonstrations: [(task: String, reply: String)] = []
    ) -> [ChatMessage] {
        (system(group).map { [.system($0)] } ?? [])
            + demonstrations.flatMap { [ChatMessage.user($0.task), .assistant($0.reply)] } + [.user(task)]
    }

    /// The task of a question that is no puzzle.
    package static func task(_ question: Question) -> String {
        question.prompt + "\nSolve this step by step. End with a summary as the last line: Summary: the answer is "
            + question.kind.request + "."
    }

    /// What precedes a transcript in tuned models' texts.
    package static func tuned(task: String) -> String { "# Question\n\(task)\n\n# Answer\n" }
}

/// Where the answer stands in a reply.
package enum AnswerLine {
    /// The last line of more than 8 characters that has an arrow, or digits and `ans`; empty where there is none. What stands behind a
    /// second `# Answer` is another question's, and lines that begin with `Input: ` repeat a prompt.
    package static func find(in reply: String) -> String {
        let marks = reply.ranges(of: "# Answer")
        let own = marks.count > 1 ? reply[..<marks[1].lowerBound] : reply[...]
        let lines = own.split(whereSeparator: \.isNewline).map(\.trimmingSpaces)
        return lines.last { line in
            guard line.count > 8, !line.hasPrefix("Input: ") else { return false }
            return line.contains("->") || line.contains("→")
                || (line.contains(where: \.isNumber) && (line.contains("ans") || line.contains("Ans")))
        } ?? ""
    }

    /// The answer of a reply: its line for puzzles, else what the question's kind reads, from the summary where there is one.
    package static func answer(in reply: String, to question: Question) -> String {
        if question.check != nil { return find(in: reply) }
        let grader = Grader(question.kind)
        guard let summary = reply.ranges(of: "Summary:").last else { return grader.answer(in: reply) }
        let answer = grader.answer(in: String(reply[summary.upperBound...]))
        return answer.isEmpty ? grader.answer(in: reply) : answer
    }
}
