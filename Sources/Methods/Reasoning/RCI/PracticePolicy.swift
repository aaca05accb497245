import Inference
import Laboratory
import Models
import Text
import Training

/// A small policy for the practice tasks that starts from nothing. A share of the instructions that it learns is spoilt: malformed, or with
/// a placeholder where the page's own identifier or text belongs. How an instruction goes on after the stems of state grounding and of
/// repair it learns without a mistake.
package struct PracticePolicy: Sendable {
    /// The share of instructions that are spoilt, and of those the share that is malformed.
    package static let spoilt = 0.35
    static let malformed = 0.6
    /// The most steps that any practice task takes.
    package static let steps = 6

    package var states = 20_000
    package var vocabulary = 640
    package var training = SmallTraining(contextLength: 768, tokensPerPass: 8192, epochs: 2)

    package init() {}

    /// The texts of one state, in turns: those that the policy must learn to say, and those it is told.
    struct Sample: Sendable {
        var parts: [(text: String, counts: Bool)]
    }

    package func train(_ name: String, in lab: Lab) async throws -> LocalModel {
        let samples = try await samples(using: lab.random("practice pages"))
        var pairs = BytePairTrainer()
        for sample in samples.prefix(2_000) { for part in sample.parts { pairs.add(part.text) } }
        let start = try training.start(name, pairs.tokenizer(vocabulary: vocabulary), in: lab)
        let tokenizer = try ModelText(path: start).tokenizer
        let sequences = samples.map { TokenSequence(parts: $0.parts, tokenizer) }
        return try await training.train(name, on: sequences, from: start, in: lab)
    }

    /// States on the way of right actions through random episodes, and the instructions for each.
    func samples(using generator: SeededGenerator) async throws -> [Sample] {
        var generator = generator
        let wording = AgentWording.brief
        let worlds = try PracticeTask.allCases.map { try PracticePages($0) }
        var samples: [Sample] = []
        while samples.count < states {
            for world in worlds {
                let seed = generator.next()
                var page = try await world.reset(seed: seed)
                var history: [String] = []
                for action in world.task.solution(seed: seed) {
                    let right = ActionGrammar.instruction(action)
                    let prompt = wording.acting(page, plan: nil, history: history) + wording.stem(after: history)
                    samples.append(Self.sample(prompt, right, action, wording, &generator))
                    page = try await world.step(action).observation
                    history.append(right)
                }
            }
        }
        return samples
    }

    private static func sample(
        _ prompt: String, _ right: String, _ action: PageAction, _ wording: AgentWording,
        _ generator: inout SeededGenerator
    ) -> Sample {
        var said = right
        var isMalformed = false
        if generator.chance(spoilt) {
            isMalformed = generator.chance(malformed)
            said = isMalformed ? malformation(of: action, &generator) : placeholder(for: action)
        }
        // A quarter of the states goes on from a malformed instruction that isn't learnt itself, to keep the share of spoilt ones.
        let repairsAnother = generator.chance(0.25)
        if repairsAnother { said = malformation(of: action, &generator) }
        let isRepaired = repairsAnother || isMalformed && generator.chance(0.5)
        return Sample(parts: [
            (prompt, false), ("\(said)`", !repairsAnother),
            ("\n" + (isRepaired ? wording.repair : wording.grounding), false), ("\(right)`", true),
        ])
    }

    /// The right instruction in words that match none of the forms.
    private static func malformation(of action: PageAction, _ generator: inout SeededGenerator) -> String {
        func name(in path: String) -> String {
            path.split(separator: "\"").dropFirst().first.map(String.init) ?? path
        }
        let (verbs, rest): ([String], String) =
            switch action {
            case .click(let path), .hover(let path): (["click", "clickid", "push"], name(in: path))
            case .select(let path): (["choose", "select"], name(in: path))
            case .type(let text): (["enter", "write"], text)
            case .press(let key): (["hit"], key.rawValue)
            }
        return "\(generator.pick(verbs) ?? "") \"\(rest)\""
    }

    /// The right instruction with a placeholder instead of what is the page's own.
    private static func placeholder(for action: PageAction) -> String {
        switch action {
        case .click(let path), .hover(let path):
            "clickxpath " + path.prefix { $0 != "\"" } + "\"NAME\"]"
        case .select: "clickoption //option[text()=\"OPTION\"]"
        case .type: "type \"TEXT\""
        case .press(let key): "press \(key.rawValue)"
        }
    }

    /// An agent that asks such a policy: it has no plan, and its decoding is sampled, as greedy decoding would never say what the
    /// policy says in a third of its instructions.
    package static func agent(_ name: String, groundsState: Bool, repairs: Int) -> WebAgent {
        var agent = WebAgent()
        agent.name = name
        agent.planCritiques = -1
        agent.groundsState = groundsState
        agent.repairs = repairs
        agent.shortPlanSteps = steps
        agent.temperature = 1
        agent.maxTokens = 40
        agent.wording = .brief
        return agent
    }
}
