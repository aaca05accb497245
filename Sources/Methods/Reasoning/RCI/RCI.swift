import Foundation
import Inference
import Laboratory
import Text

/// RCI, recursively criticise and improve: the model finds problems in its own output and writes it again, as a way to answer questions
/// and as an agent on web pages.
///
/// Questions (`--data`), in one growing conversation (see ``SelfCriticism``):
/// 1. Ask, with or without "Let's think step by step." → y₀.
/// 2. "Review your previous answer and find problems with your answer." → c₁.
/// 3. "Based on the problems you found, improve your answer." → y₁; R rounds. The answer is taken from the last y.
/// 4. It stops after R rounds (`fixed`), where the critique finds no problem (`confirmed`), or as soon as the answer is right
///    (`oracle`). The last reads the right answers: it is what the paper's arithmetic results rest on, no user can have it, and only
///    `run` offers it, under that name.
///
/// Pages (`--task`, `--page`; see ``WebAgent``): a plan criticised `erci` times (explicit RCI), each instruction put again for what
/// the page shows (`state-grounding`) and repaired where it has no valid form (`irci`), within as many steps as the plan has lines,
/// or four.
///
/// Taken from the paper's agent where the code's flags differ: state grounding is on. Taken otherwise than in the code: words outside
/// the forms are never carried out, the prompt of a step has no ordinal in it, and an instruction that can't be carried out ends its
/// episode, counted apart from invalid ones.
///
/// Source: Kim, Baldi, McAleer, "Language Models can Solve Computer Tasks" (NeurIPS 2023), arXiv:2303.17491.
public struct RCI: StrategyMethod {
    public static let card = MethodCard(
        "rci", .reasoning, name: "RCI", [.inference],
        "Lets the model criticise and improve its own output in a loop, for questions and for actions on web pages.",
        paper: Paper("Language Models can Solve Computer Tasks", "Kim et al.", 2023, arXiv: "2303.17491"),
        data: "question, answer; options, answer_type and subject where there are any; none for web tasks (--task)",
        claim:
            "Each implicit loop makes an agent on web pages end more episodes well: putting an instruction again for the page "
            + "at hand, and repairing one that has no valid form.")

    public static let holdsAnother = true

    public init() {}

    public struct Options: MethodOptions {
        public var rounds = 1
        public var stop = Stop.fixed
        public var stepByStep = false
        public var answerTokens = 32
        public var answerType = AnswerType.auto
        public var world = AgentWorld.practice
        public var task: [String] = []
        public var episodes = 10
        public var erci = 0
        public var irci = 1
        public var stateGrounding = true
        public var steps = 4
        public var demonstrations = 3
        public var plans: Path?
        public var ablations = false
        public var page: Path?
        public var goal: String?
        public var success: String?
        public var temperature = 0.0
        public var maxTokens = 256

        public init() {}

        public enum Stop: String, OptionChoice { case fixed, confirmed, oracle }

        public static let fields: [Field<Self>] = [
            Field("rounds", \.rounds, "rounds of critique and improvement of an answer", .within(0...20)),
            Field("stop", \.stop, "when they end; oracle reads the right answers and measures no method"),
            Field("step-by-step", \.stepByStep, "begin the first answer with zero-shot-cot's trigger"),
            Field("answer-tokens", \.answerTokens, "most tokens of the extraction turn", .atLeast(1)),
            Field("answer-type", \.answerType, "the kind of all answers"),
            Field("world", \.world, "pages of the agent: small ones in memory, or MiniWoB++ in a browser"),
            Field("task", \.task, "tasks of that world, or all; without any, questions are answered", .filled),
            Field("episodes", \.episodes, "episodes a task", .within(1...10_000)),
            Field("erci", \.erci, "critiques of the plan; -1: no plan", .within(-1...10)),
            Field("irci", \.irci, "repairs of an instruction without a valid form", .within(0...10)),
            Field("state-grounding", \.stateGrounding, "put each instruction again for what the page shows"),
            Field("steps", \.steps, "steps where the plan has one line or there is none", .within(1...100)),
            Field("demonstrations", \.demonstrations, "the most example plans shown", .atLeast(0)),
            Field("plans", \.plans, "example plans instead of the built-in ones: records of goal and plan"),
            Field("ablations", \.ablations, "also run the agent without each of its groundings"),
            Field("page", \.page, "an HTML file to act on; with --goal and --success"),
            Field("goal", \.goal, "what is to be done on --page", .filled),
            Field("success", \.success, "an XPath that is true of --page when it is done", .filled),
            Field("temperature", \.temperature, "temperature of every call, 0: greedy", .atLeast(0)),
            Field("max-tokens", \.maxTokens, "most tokens of a reply, a plan or an instruction", .atLeast(1)),
        ]

        public func validate() throws(OptionError) {
            let own = [page != nil, goal != nil, success != nil]
            if own.contains(true), own.contains(false) {
                throw .conflict(
                    "--page, --goal and --success belong together: the page, what to do, and when it is done.")
            }
            if page != nil, !task.isEmpty { throw .conflict("--page is a task of its own; leave --task out.") }
            if let success {
                do { _ = try PagePath(success) } catch {
                    throw .wrongValue(option: "success", value: success, expectation: "an XPath. \(error)")
                }
            }
        }

        var isAgent: Bool { !task.isEmpty || page != nil }

        /// The agent with these options.
        package var agent: WebAgent {
            var agent = WebAgent()
            agent.planCritiques = erci
            agent.repairs = irci
            agent.groundsState = stateGrounding
            agent.shortPlanSteps = steps
            agent.temperature = temperature
            agent.maxTokens = maxTokens
            return agent
        }

        /// The strategy with these options, but for its stop.
        package func criticism(around inner: (any ReasoningStrategy)?) -> SelfCriticism {
            var strategy = SelfCriticism()
            strategy.rounds = rounds
            strategy.inner = inner
            strategy.trigger = stepByStep ? ReasoningTrigger.all[0] : nil
            strategy.temperature = temperature
            strategy.maxTokens = maxTokens
            strategy.answerTokens = answerTokens
            return strategy
        }
    }

    /// - Throws: `OptionError` for the oracle's stop: a strategy has no right answers to look at.
    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        var strategy = options.criticism(around: inner)
        switch options.stop {
        case .fixed: strategy.stop = .fixed
        case .confirmed: strategy.stop = .confirmed
        case .oracle:
            throw OptionError.conflict(
                "--stop oracle reads the right answers, which a strategy doesn't have. lyceum run rci --stop oracle measures "
                    + "it beside the others.")
        }
        return strategy
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        if options.isAgent { return try await act(options, in: lab) }
        guard lab.hasData else { throw AgentError.noTask }
        return try await answer(options, in: lab)
    }

    // MARK: Questions

    /// Asked at once, criticised with the stop asked for, and for the oracle's also with the fixed one.
    private func answer(_ options: Options, in lab: Lab) async throws -> Report {
        let questions = try Question.all(of: lab.data(), type: options.answerType)
        let record = CriticismRecord()
        var fixed = options.criticism(around: nil)
        fixed.extractsEveryRound = true
        fixed.record = record
        var arms: [any ReasoningStrategy] = [DirectStrategy(), fixed]
        var other = options.criticism(around: nil)
        switch options.stop {
        case .fixed: break
        case .confirmed:
            other.stop = .confirmed
            arms.append(other)
        case .oracle:
            other.stop = .init(oracleOf: questions)
            arms.append(other)
        }
        let comparison = try await StrategyComparison(arms, on: questions, asking: try lab.languageModel(), in: lab)
        var report = try comparison.report("RCI")
        let tally = CriticismTally(record, questions, rounds: options.rounds)
        report.add(try tally.table())
        if options.stop == .oracle {
            report.note(
                "The oracle's stop looks at the right answer after every round and keeps the first that is right: its accuracy "
                    + "is the share of items right at any round (\(tally.rightEver) of \(questions.count) here), not the accuracy of "
                    + "a method that anyone could use.")
        }
        return report
    }

    // MARK: Pages

    private func act(_ options: Options, in lab: Lab) async throws -> Report {
        var browser: Browser?
        var tasks: [AgentTask]
        if let page = options.page {
            let html = try String(contentsOfFile: page.expanded, encoding: .utf8)
            let (goal, success) = (options.goal ?? "", options.success ?? "")
            // Once here, so that a bad page is an error before any work.
            _ = try OwnPage(html: html, goal: goal, success: success)
            tasks = [
                AgentTask(name: "page", examples: []) { try OwnPage(html: html, goal: goal, success: success) }
            ]
        } else {
            let known = options.world == .practice ? PracticeTask.allCases.map(\.rawValue) : MiniWoB.tasks
            let names = options.task.contains("all") ? known : options.task
            if let unknown = names.first(where: { !known.contains($0) }) {
                throw AgentError.unknownTask(unknown, world: options.world.rawValue, known: known)
            }
            switch options.world {
            case .practice: tasks = names.compactMap(PracticeTask.init(rawValue:)).map { .practice($0) }
            case .miniwob:
                let started = try await Browser(pages: MiniWoB.pages)
                browser = started
                tasks = names.map { .miniWoB($0, in: started) }
            }
        }
        if let plans = options.plans {
            let given = try DataSet(path: plans.expanded).records.map { record throws(DataError) in
                try ExamplePlan(record)
            }
            for place in tasks.indices { tasks[place].examples = given }
        }
        do {
            let experiment = try await AgentExperiment(
                Self.agents(options), on: tasks,
                episodes: lab.limit.map { min($0, options.episodes) } ?? options.episodes,
                examples: options.demonstrations, asking: try lab.languageModel(), in: lab)
            await browser?.close()
            return try experiment.report("RCI on web pages", seed: lab.seed)
        } catch {
            await browser?.close()
            throw error
        }
    }

    /// The agent without any grounding first, which plans and acts; the one with all that was asked for; and between them, for
    /// `ablations`, that one without each.
    static func agents(_ options: Options) -> [WebAgent] {
        let whole = options.agent
        func without(_ name: String, _ change: (inout WebAgent) -> Void) -> WebAgent {
            var agent = whole
            change(&agent)
            agent.name = name
            return agent
        }
        var agents = [
            without("plain") {
                $0.planCritiques = min($0.planCritiques, 0)
                $0.groundsState = false
                $0.repairs = 0
            }
        ]
        if options.ablations {
            agents += [
                without("without plan") { $0.planCritiques = -1 },
                without("without state grounding") { $0.groundsState = false },
                without("without agent grounding") { $0.repairs = 0 },
            ]
        }
        return agents + [whole]
    }
}
