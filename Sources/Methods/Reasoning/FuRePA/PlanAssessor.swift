import Inference
import Laboratory
import Models
import Text
import Training

/// How the next query is picked among the candidates.
public enum PlanChoice: String, OptionChoice {
    /// By the trained assessor.
    case assessor
    case first, random
    /// By the true gain: an upper bound, for questions with annotated supports.
    case oracle
}

/// Scores a plan for a question and what is known: higher is better.
package protocol PlanAssessor: Sendable {
    func scores(_ question: String, facts: [String], plans: [String]) async throws -> [Double]
}

/// A state of the search with the plans tried in it, each with its gain: the new supporting passages that it brought.
package struct AssessedState: Sendable, Hashable {
    package var question: String
    package var facts: [String]
    package var plans: [String]
    package var gains: [Int]

    package init(question: String, facts: [String], plans: [String], gains: [Int]) {
        self.question = question
        self.facts = facts
        self.plans = plans
        self.gains = gains
    }

    /// g = |(top K of the plan ∩ G) \ D|. By supporting passages, not by the answer's words, which reward lucky matches.
    package static func gain(
        of plan: String, supports: Set<String>, known: Set<String>, in store: PassageStore, topK: Int
    ) async throws -> Int {
        let found = Set(try await store.search(plan, limit: topK).map(\.passage.id))
        return found.intersection(supports).subtracting(known).count
    }
}

/// What the assessor's training makes smaller.
public enum AssessorLoss: String, OptionChoice {
    /// −log σ(s_i − s_j) over the pairs of a state with g_i > g_j.
    case pairwise
    /// Cross-entropy of the label g > 0.
    case bce
}

/// A trained assessor: a causal model that reads question, facts and plan, and whose score is the log-probability that it goes on
/// with "yes".
package struct LabelTokenAssessor: PlanAssessor {
    package let model: any ScoringModel

    package init(_ model: any ScoringModel) { self.model = model }

    /// Words in lower case without the signs at their ends, apart by spaces: the form that a small model over a list of words reads,
    /// too.
    package static func text(_ question: String, facts: [String], plan: String) -> String {
        let words = { (text: String) in
            text.lowercased().split(whereSeparator: \.isWhitespace).map { word in
                var word = word
                while let last = word.last, last.isPunctuation { word.removeLast() }
                while let first = word.first, first.isPunctuation { word.removeFirst() }
                return String(word)
            }.filter { !$0.isEmpty }.joined(separator: " ")
        }
        return "question : \(words(question)) facts : "
            + facts.map { words($0) + " ." }.joined(separator: " ") + " plan : \(words(plan)) useful :"
    }

    /// What the assessor reads of each plan of a state.
    package static func texts(of state: AssessedState) -> [String] {
        state.plans.map { text(state.question, facts: state.facts, plan: $0) }
    }

    package func scores(_ question: String, facts: [String], plans: [String]) async throws -> [Double] {
        try await withThrowingTaskGroup(of: (Int, Double).self) { group in
            for (index, plan) in plans.enumerated() {
                group.addTask {
                    let found = try await model.score(
                        continuations: [" yes"], after: .text(Self.text(question, facts: facts, plan: plan)))
                    return (index, Double(found[0].total()))
                }
            }
            var scores = [Double](repeating: 0, count: plans.count)
            for try await (index, score) in group { scores[index] = score }
            return scores
        }
    }

    /// Trains an assessor from nothing, over the words of the states, and opens it.
    ///
    /// - Parameter words: known beyond those of the states.
    package static func train(
        _ name: String, on states: [AssessedState], loss: AssessorLoss, words: [String] = [], epochs: Double = 1,
        layers: Int = 4, hiddenSize: Int = 160, in lab: Lab
    ) async throws -> (assessor: LabelTokenAssessor, path: String) {
        let texts = states.flatMap { Self.texts(of: $0) }
        let start = try SmallTraining(layers: layers, hiddenSize: hiddenSize).start(
            name, .words(WordChatModel.words(of: texts + words + ["yes no"])), in: lab)
        return try await tune(
            name, start, on: states, loss: loss, parameterisation: ChosenWeights.all, rate: 2e-3,
            epochs: epochs, in: lab)
    }

    /// Trains a model that exists into an assessor: with low-rank adapters, or as a whole.
    package static func tune(
        _ name: String, _ base: String, on states: [AssessedState], loss: AssessorLoss,
        parameterisation: any Parameterisation, rate: Double, epochs: Double, in lab: Lab
    ) async throws -> (assessor: LabelTokenAssessor, path: String) {
        let tokenizer = try ModelText(path: base).tokenizer
        func sequence(_ state: AssessedState, _ plan: Int, _ label: String) -> TokenSequence {
            let prompt = text(state.question, facts: state.facts, plan: state.plans[plan])
            return TokenSequence(
                prompt: tokenizer.boundaryTokens.before + tokenizer.encode(prompt), completion: tokenizer.encode(label))
        }
        let output = try lab.modelFolder(name)
        func finish<Training: Objective>(_ run: TrainingRun<Training>) async throws {
            try await SmallTraining(epochs: epochs).follow(run, name, in: lab)
        }
        let optimisation = try Optimisation(
            AdamW(beta2: 0.99), rate: rate, schedule: .init(.cosine(end: 0.05), warmUp: 20), decay: 0.01)
        switch loss {
        case .bce:
            let samples = states.flatMap { state in
                state.plans.indices.map { sequence(state, $0, state.gains[$0] > 0 ? " yes" : " no") }
            }
            try await finish(
                TrainingRun(
                    model: base, objective: Supervised(), parameterisation: parameterisation,
                    optimisation: optimisation, samples: samples, output: output))
        case .pairwise:
            let samples = states.flatMap { state in
                state.plans.indices.flatMap { better in
                    state.plans.indices.filter { state.gains[better] > state.gains[$0] }.map { worse in
                        PreferencePair(
                            chosen: sequence(state, better, " yes"), rejected: sequence(state, worse, " yes"))
                    }
                }
            }
            guard !samples.isEmpty else { throw FuRePAError.noSupports }
            // With one token that counts, SimPO without a margin is −log σ(s_i − s_j).
            try await finish(
                TrainingRun(
                    model: base, objective: try SimPO(beta: 1, margin: 0), parameterisation: parameterisation,
                    optimisation: optimisation, samples: samples, output: output))
        }
        return (LabelTokenAssessor(try lab.open(output)), output)
    }
}

/// What an assessor is worth on states that it was not trained on.
package struct AssessorQuality: Sendable, Hashable {
    /// Shares of states in which the choice brings a new supporting passage.
    package var assessor = 0.0
    package var random = 0.0
    package var first = 0.0
    package var oracle = 0.0
    /// Of a plan with gain over one without in the same state.
    package var auc = 0.0

    package init(_ assessor: any PlanAssessor, on states: [AssessedState]) async throws {
        var (ordered, pairs) = (0.0, 0)
        for state in states where !state.plans.isEmpty {
            let scores = try await assessor.scores(state.question, facts: state.facts, plans: state.plans)
            let useful = state.gains.map { $0 > 0 }
            let best = scores.indices.max { scores[$0] < scores[$1] || (scores[$0] == scores[$1] && $0 > $1) } ?? 0
            self.assessor += useful[best] ? 1 : 0
            random += Double(useful.count { $0 }) / Double(useful.count)
            first += useful[0] ? 1 : 0
            oracle += useful.contains(true) ? 1 : 0
            for i in scores.indices where useful[i] {
                for j in scores.indices where !useful[j] {
                    pairs += 1
                    ordered += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0
                }
            }
        }
        let count = Double(max(1, states.count))
        self.assessor /= count
        random /= count
        first /= count
        oracle /= count
        auc = ordered / Double(max(1, pairs))
    }
}
