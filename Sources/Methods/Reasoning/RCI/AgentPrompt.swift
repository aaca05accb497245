import Inference
import Laboratory
import Text

/// The texts that an agent's prompts are made of. Stems end in an open back-quote: what follows is the instruction.
package struct AgentWording: Sendable, Hashable {
    /// What the agent can do, and nothing else.
    package var base: String
    package var page = "The page as HTML:\n"
    package var task = "The task: "
    package var example = "The plan for it:\n"
    package var plan = "The plan for the task:\n"
    package var noHistory = "Nothing has been carried out yet."
    package var history = "Carried out so far:"
    package var first = "By the plan the first instruction is `"
    package var next = "By the plan the next instruction is `"
    package var critique = "Compare this plan with the example plans. What is wrong with it for this task?"
    package var improve = "Write the plan for the task again in the light of this, for the page as it is now."
    /// After an instruction: implicit RCI on the page's state.
    package var grounding =
        "Given what the page shows now, with its own identifiers and texts, that instruction should be `"
    /// After an instruction: implicit RCI on the forms.
    package var repair = "That matches none of the expressions. Put so that it matches one of them, it is `"

    package init(base: String) { self.base = base }

    package static let standard = AgentWording(
        base:
            "An agent works on a web page by instructions, one at a time. Every instruction matches one of these regular "
            + "expressions:\n"
            + ActionForm.allCases.map { "\($0.pattern) \($0.meaning)" }.joined(separator: "\n")
            + "\nIt can do nothing else.")

    /// For models of a few million parameters, whose context is short.
    package static let brief: AgentWording = {
        var wording = AgentWording(base: "Web agent.")
        wording.page = "Page: "
        wording.task = "Task: "
        wording.noHistory = "Done: nothing."
        wording.history = "Done:"
        wording.first = "Now: `"
        wording.next = "Now: `"
        wording.grounding = "On this page: `"
        wording.repair = "In a valid form: `"
        return wording
    }()

    // MARK: Blocks

    /// The prompt that asks for a plan: base, page, example plans, task.
    package func planning(_ page: PageObservation, examples: [ExamplePlan]) -> String {
        var blocks = [base, self.page + page.html]
        blocks += examples.map { "\(task)\($0.goal)\n\(example)\($0.plan)" }
        return blocks.joined(separator: "\n\n") + "\n\n\(task)\(page.goal)\nplan:"
    }

    /// The prompt of a step without its stem: base, page, task, plan, history.
    package func acting(_ page: PageObservation, plan: String?, history: [String]) -> String {
        var lines = [base, "", self.page + page.html, "", task + page.goal]
        if let plan { lines.append(self.plan + plan) }
        lines.append(history.isEmpty ? noHistory : self.history)
        lines += history.enumerated().map { "\($0 + 1). `\($1)`" }
        return lines.joined(separator: "\n") + "\n"
    }

    package func stem(after history: [String]) -> String { history.isEmpty ? first : next }
}

/// What was said between the agent's frame and the model: one growing text for models that continue text, turns for others.
package struct AgentDialogue: Sendable, Hashable {
    package private(set) var turns: [ChatMessage] = []

    package init(_ request: String) { say(request) }

    /// The frame's words.
    package mutating func say(_ text: String) { add(.user, text) }
    /// The model's words, whether it said them or they are put into its mouth.
    package mutating func hear(_ text: String) { add(.assistant, text) }

    private mutating func add(_ role: Role, _ text: String) {
        if turns.last?.role == role {
            turns[turns.count - 1].content += text
        } else {
            turns.append(role == .user ? .user(text) : .assistant(text))
        }
    }

    package func prompt(raw: Bool) -> Prompt {
        guard !raw else { return .text(turns.map(\.content).joined()) }
        return .chat(
            turns.map { $0.role == .user ? .user($0.content.trimmingSpaces) : $0 })
    }
}

/// A task that was done well, with the plan for it.
package struct ExamplePlan: Sendable, Hashable {
    package var goal: String
    package var plan: String

    package init(_ goal: String, _ steps: String...) { self.init(goal, steps) }

    package init(_ goal: String, _ steps: [String]) {
        self.goal = goal
        plan = steps.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n")
    }

    /// Reads `goal` and `plan`.
    package init(_ record: Record) throws(DataError) {
        goal = try record.string("goal").trimmingSpaces
        plan = try record.string("plan").trimmingSpaces
    }
}
