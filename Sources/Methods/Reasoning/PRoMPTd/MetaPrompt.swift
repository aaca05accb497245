import Laboratory
import Text

/// Which parts of a rewrite are left out, to see what they are worth.
public enum RewriteAblation: String, OptionChoice {
    case none
    case noReason = "no-reason"
    case noType = "no-type"
}

/// The names of the parts of a demonstration and of a reply, each at the start of a line.
package enum RewriteHeader: String, Sendable, CaseIterable {
    case candidate = "Candidate Prompt"
    case output = "Output"
    case reason = "Reason"
    case taskType = "Task Type"
    case better = "Better Prompt"
}

/// What tells the meta model how to rewrite: instructions, and demonstrations of prompts that were made better.
///
/// One meta prompt serves every data set. That of the loop belongs to a family of task models, as the demonstrated failures are to be that
/// family's own.
package struct MetaPrompt: Sendable, Hashable {
    package var instructions: String
    package var demonstrations: [PromptDemonstration]
    /// Whether what the task model made of the prompt stands behind it.
    package var showsOutput: Bool
    package var ablation = RewriteAblation.none

    package init(
        instructions: String, demonstrations: [PromptDemonstration], showsOutput: Bool,
        ablation: RewriteAblation = .none
    ) throws(PRoMPTdError) {
        guard !instructions.trimmingSpaces.isEmpty || !demonstrations.isEmpty else { throw .emptyMetaPrompt }
        self.instructions = instructions
        self.demonstrations = demonstrations
        self.showsOutput = showsOutput
        self.ablation = ablation
    }

    /// The paper's kind of meta prompt for a mode, in words of our own, or with a user's demonstrations.
    package init(_ mode: RewriteMode, file: String? = nil, ablation: RewriteAblation = .none) throws {
        let shown: [PromptDemonstration]
        if let file {
            shown = try DataSet(path: file).records.map { try PromptDemonstration($0, mode: mode) }
        } else {
            shown = mode == .oneShot ? Self.oneShotDemonstrations : Self.loopDemonstrations
        }
        try self.init(
            instructions: mode == .oneShot ? Self.oneShotInstructions : Self.loopInstructions, demonstrations: shown,
            showsOutput: mode == .loop, ablation: ablation)
    }

    /// The parts that a reply must have, in their order.
    package var replyHeaders: [RewriteHeader] {
        [.reason, .taskType, .better].filter {
            !($0 == .reason && ablation == .noReason) && !($0 == .taskType && ablation == .noType)
        }
    }

    /// What stands before the candidate in every request: the same to the byte, so that engines read it once.
    package var preamble: String {
        var parts = instructions.trimmingSpaces.isEmpty ? [] : [instructions]
        for demonstration in demonstrations {
            parts.append(
                Self.section(.candidate, demonstration.candidatePrompt)
                    + (showsOutput ? "\n" + Self.section(.output, demonstration.output) : "")
                    + replyHeaders.map { "\n" + Self.section($0, demonstration[$0]) }.joined())
        }
        return parts.joined(separator: "\n\n")
    }

    /// The candidate with its output, in the form of the demonstrations.
    package func request(_ candidate: String, output: String?) -> String {
        Self.section(.candidate, candidate)
            + (showsOutput ? "\n" + Self.section(.output, output ?? "") : "")
    }

    /// How the reply begins: with the header of its first part, and in the loop with the words that make it judge the output first.
    package var replyStart: String {
        let header = "\(replyHeaders[0].rawValue):"
        return showsOutput ? "\(header) \(Self.judgement)" : header
    }

    /// The forced beginning of the loop's reasons.
    package static let judgement = "The output is"

    private static func section(_ header: RewriteHeader, _ text: String) -> String {
        "\(header.rawValue): \(text)"
    }
}

/// A prompt that was made better, with the reason: one example of a meta prompt.
package struct PromptDemonstration: Sendable, Hashable {
    package var candidatePrompt: String
    /// What the task model answered; empty in meta prompts that show none.
    package var output: String
    package var reason: String
    package var taskType: String
    package var betterPrompt: String

    package init(_ taskType: String, prompt: String, output: String = "", reason: String, better: String) {
        candidatePrompt = prompt
        self.output = output
        self.reason = reason
        self.taskType = taskType
        betterPrompt = better
    }

    /// Reads `candidate_prompt`, `output` (of the loop), `reason`, `task_type` and `better_prompt`; none may be empty, and the loop's
    /// reasons begin as the meta model is made to begin its own.
    package init(_ record: Record, mode: RewriteMode) throws(DataError) {
        func text(_ field: String) throws(DataError) -> String {
            let text = try record.string(field).trimmingSpaces
            guard !text.isEmpty else {
                throw .wrongField(record.place, field: field, expected: "filled in", found: "an empty text")
            }
            return text
        }
        candidatePrompt = try text("candidate_prompt")
        output = mode == .loop ? try text("output") : ""
        reason = try text("reason")
        taskType = try text("task_type")
        betterPrompt = try text("better_prompt")
        if mode == .loop, !reason.hasPrefix(MetaPrompt.judgement) {
            throw .wrongField(
                record.place, field: "reason",
                expected: "a text that begins with \(MetaPrompt.judgement.debugDescription), as the loop's reasons do",
                found: reason.prefix(40).debugDescription)
        }
    }

    /// The record that `init(_:mode:)` reads.
    package var json: JSONValue {
        [
            "candidate_prompt": .string(candidatePrompt), "output": .string(output), "reason": .string(reason),
            "task_type": .string(taskType), "better_prompt": .string(betterPrompt),
        ]
    }

    fileprivate subscript(header: RewriteHeader) -> String {
        switch header {
        case .candidate: candidatePrompt
        case .output: output
        case .reason: reason
        case .taskType: taskType
        case .better: betterPrompt
        }
    }
}
