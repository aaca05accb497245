import Inference
import Laboratory
import Text

/// One question's way through the rounds: what is kept of a run, and what a run goes on from.
package struct FurthestTrace: Sendable, Hashable, Codable {
    package struct Round: Sendable, Hashable, Codable {
        /// D when the round began.
        package var documents: [String]
        package var samples: [FurthestPrompt.Reply]
        package var plans: [String]
        /// Empty where nothing was scored.
        package var scores: [Double]
        package var chosen: String?
        package var new: [String]
    }

    package var question: String
    package var rounds: [Round] = []
    package var documents: [String] = []
    package var answer = ""
    /// `majority`, `forced`, `no plan left`, `unanswered`.
    package var stop = ""
    package var calls = 0

    package init(question: String) { self.question = question }
}

/// FuRePA as a strategy, and with other settings the arms that it is compared with.
///
/// ```
/// D ← ∅ or the top K for q
/// for t in 1…T:
///     N replies to prompt(q, D)                    no earlier thought or query in it
///     more than half are answers, or t = T: answer by majority, stop
///     plans ← the distinct queries, less those executed and those whose top K are all in D
///     p* ← argmax A(q, D, p);   D ← D ∪ top K of p*
/// ```
package struct FurthestReasoning: ReasoningStrategy {
    package var name = "furepa"
    package var store: PassageStore
    package var prompt = FurthestPrompt.standard
    package var choice = PlanChoice.assessor
    package var assessor: (any PlanAssessor)?
    /// Off: thoughts and queries stay in the prompt, as in ReAct and IRCoT.
    package var masksHistory = true
    /// Retrieves for the question before the first round.
    package var startsWithQuestion = false
    package var rounds = 5
    package var samples = 5
    package var topK = 5
    package var temperature = 0.7
    package var finalTemperature = 0.0
    package var voteShare = 0.5
    package var documentWords = 600
    package var maxTokens = 200
    /// The supporting passages of each question, by its id: read by the oracle alone.
    package var supports: [String: Set<String>] = [:]
    /// Steps put in place of the first round's choice, by question: for experiments on the spread of errors.
    package var injected: [String: FurthestPrompt.Step] = [:]

    package init(_ store: PassageStore) { self.store = store }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let trace = try await reason(inquiry)
        return Solution(answer: trace.answer, text: trace.answer, outcome: trace.stop)
    }

    package func reason(_ inquiry: Inquiry) async throws -> FurthestTrace {
        let question = inquiry.question
        var trace = FurthestTrace(question: question.id)
        var pool = DocumentPool(budget: documentWords)
        var executed: Set<String> = []
        var history: [FurthestPrompt.Step] = []
        if startsWithQuestion {
            _ = try pool.add(try await store.search(question.prompt, limit: topK))
            executed.insert(AnswerMatch.normalized(question.prompt))
        }
        for number in 1...max(1, rounds) {
            let replies = try await sample(inquiry, pool, history, round: number)
            var round = FurthestTrace.Round(
                documents: pool.ids, samples: replies, plans: [], scores: [], chosen: nil, new: [])
            let answers = replies.compactMap { if case .answer(_, let text) = $0 { text } else { nil } }
            // A tie goes on: only more than the share stops.
            let stops = Double(answers.count) > voteShare * Double(replies.count)
            if stops || (number == rounds && !answers.isEmpty) {
                trace.rounds.append(round)
                trace.answer = Self.majority(answers)
                trace.stop = stops ? "majority" : "forced"
                break
            }
            let steps = try await candidates(replies, pool, executed)
            var step: FurthestPrompt.Step?
            if number == 1, let wrong = injected[question.id] {
                step = wrong
            } else if number < rounds, !steps.isEmpty {
                round.plans = steps.map(\.query)
                let picked = try await pick(steps, question, pool, inquiry, round: number)
                round.scores = picked.scores
                step = steps[picked.place]
            }
            guard let step else {
                trace.rounds.append(round)
                trace.stop = number == rounds ? "forced" : "no plan left"
                trace.answer = try await forced(inquiry, pool, history, answers)
                break
            }
            executed.insert(AnswerMatch.normalized(step.query))
            round.chosen = step.query
            round.new = try pool.add(try await store.search(step.query, limit: topK))
            inquiry.note("round \(number)", "searched for \(step.query); new: \(round.new.joined(separator: ", "))")
            history.append(step)
            trace.rounds.append(round)
        }
        if trace.answer.isEmpty { trace.stop = "unanswered" }
        trace.documents = pool.ids
        trace.calls = inquiry.cost.calls
        return trace
    }

    private func sample(
        _ inquiry: Inquiry, _ pool: DocumentPool, _ history: [FurthestPrompt.Step], round: Int
    ) async throws -> [FurthestPrompt.Reply] {
        let messages = prompt.messages(
            inquiry.question.prompt, documents: pool.passages, history: masksHistory ? [] : history)
        let sampling = temperature > 0 ? Sampling.random(temperature: temperature) : .greedy
        return try await inquiry.branches((1...max(1, samples)).map { "round \(round), sample \($0)" }) { branch, _ in
            FurthestPrompt.read(
                try await branch.ask("reasoning", messages, maxTokens: maxTokens, sampling: sampling).text)
        }
    }

    /// The distinct queries, each with its first thought, less those that would bring nothing: the check that keeps a model which
    /// forgets its queries from asking one for ever.
    private func candidates(
        _ replies: [FurthestPrompt.Reply], _ pool: DocumentPool, _ executed: Set<String>
    ) async throws -> [FurthestPrompt.Step] {
        var seen = executed
        var steps: [FurthestPrompt.Step] = []
        for case .plan(let thought, let query) in replies where seen.insert(AnswerMatch.normalized(query)).inserted {
            let found = try await store.search(query, limit: topK)
            if found.contains(where: { !pool.contains($0.passage.id) }) {
                steps.append(FurthestPrompt.Step(thought: thought, query: query))
            }
        }
        return steps
    }

    private func pick(
        _ steps: [FurthestPrompt.Step], _ question: Question, _ pool: DocumentPool, _ inquiry: Inquiry, round: Int
    ) async throws -> (place: Int, scores: [Double]) {
        switch choice {
        case .first: return (0, [])
        case .random:
            var generator = SeededGenerator(seed: inquiry.streamSeed("plan of round \(round)"))
            return (generator.below(steps.count), [])
        case .oracle:
            var gains: [Double] = []
            for step in steps {
                gains.append(
                    Double(
                        try await AssessedState.gain(
                            of: step.query, supports: supports[question.id] ?? [], known: Set(pool.ids), in: store,
                            topK: topK)))
            }
            return (Self.best(gains), gains)
        case .assessor:
            guard let assessor else { throw FuRePAError.noAssessor }
            let scores = try await assessor.scores(
                question.prompt, facts: pool.passages.map(\.line), plans: steps.map(\.query))
            return (Self.best(scores), scores)
        }
    }

    private static func best(_ scores: [Double]) -> Int {
        scores.indices.max { (scores[$0], -$0) < (scores[$1], -$1) } ?? 0
    }

    /// The majority of what answers there are, else one more call that must answer.
    private func forced(
        _ inquiry: Inquiry, _ pool: DocumentPool, _ history: [FurthestPrompt.Step], _ answers: [String]
    ) async throws -> String {
        if !answers.isEmpty { return Self.majority(answers) }
        let messages = prompt.messages(
            inquiry.question.prompt, documents: pool.passages, history: masksHistory ? [] : history, isFinal: true)
        let reply = try await inquiry.ask(
            "forced answer", messages, maxTokens: maxTokens,
            sampling: finalTemperature > 0 ? .random(temperature: finalTemperature) : .greedy
        ).text
        if case .answer(_, let text) = FurthestPrompt.read(reply) { return text }
        return ""
    }

    /// The answer most others equal in their normal form; of equally frequent ones the first.
    package static func majority(_ answers: [String]) -> String {
        let forms = answers.map(AnswerMatch.normalized)
        let votes = forms.map { form in forms.count { $0 == form } }
        return votes.indices.max { (votes[$0], -$0) < (votes[$1], -$1) }.map { answers[$0] } ?? ""
    }
}
