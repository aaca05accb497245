import Inference
import Laboratory
import Text

/// A question with a right and a wrong worked solution, which stand in for the persona's and the neutral one.
package struct JudgedPair: Sendable {
    package let question: Question
    package let right: String
    package let wrong: String
    /// Which one a single-order judge is shown first.
    package let rightIsFirst: Bool

    /// What is asked of a judge that is shown the pair in its order.
    package var messages: [ChatMessage] {
        PairwiseJudge.messages(question.prompt, rightIsFirst ? right : wrong, rightIsFirst ? wrong : right)
    }

    /// How often each sentence of a solution sounds sure instead of doubtful.
    package struct Tone: Sendable, Hashable {
        package var right: Double
        package var wrong: Double
    }

    /// Sums of three numbers. The wrong solution's first sum is too large by at most 4, and it goes on from there without another
    /// mistake.
    ///
    /// - Parameters:
    ///   - rightFirst: the share of pairs that show the right solution first.
    ///   - tone: where given, each sentence begins with "Surely" or "Perhaps".
    package static func additions(
        _ count: Int, rightFirst: Double = 0.5, tone: Tone? = nil, using generator: SeededGenerator
    ) -> [JudgedPair] {
        var generator = generator
        return (1...max(1, count)).map { index in
            let (a, b, c) = (10 + generator.below(80), 2 + generator.below(9), 2 + generator.below(9))
            let slip = 1 + generator.below(4)
            func worked(_ sum: Int) -> String {
                let isRight = sum == a + b
                let sentences = [
                    "\(a) + \(b) = \(sum).", "Then \(sum) + \(c) = \(sum + c).", "The answer is \(sum + c).",
                ]
                return sentences.map { sentence in
                    guard let tone else { return sentence }
                    return (generator.chance(isRight ? tone.right : tone.wrong) ? "Surely " : "Perhaps ") + sentence
                }.joined(separator: " ")
            }
            return JudgedPair(
                question: Question(
                    id: "pair-\(index)", "What is \(a) + \(b) + \(c)?", kind: .number, golds: ["\(a + b + c)"]),
                right: worked(a + b), wrong: worked(a + b + slip), rightIsFirst: generator.chance(rightFirst))
        }
    }

    /// What a judge makes of the pair, asked once and by the robust evaluator.
    package struct Judged: Sendable {
        /// Whether the greedy judge names the first solution, the right one being first and last.
        package var forwardIsFirst: Bool
        package var backwardIsFirst: Bool
        /// Whether one verdict in the pair's order names the right solution, at temperature 0 and at the evaluator's.
        package var singleIsRight: Bool
        package var sampledSingleIsRight: Bool
        /// The robust evaluator's choice, `persona` being the right solution; nil: can't answer.
        package var greedy: Candidate?
        package var sampled: Candidate?
        /// The same with the two solutions handed over the other way round.
        package var sampledSwapped: Candidate?
        /// Whether the greedy choice changes with the order.
        package var flips: Bool { forwardIsFirst == backwardIsFirst }
    }

    package func judged(
        by model: any LanguageModel, options: JekyllHyde.Options, seed: UInt64
    ) async throws -> Judged {
        let inquiry = Inquiry(question, asking: model, seed: seed)
        let greedy = PairwiseJudge(temperature: 0, verdicts: .logProbs)
        let sampling = PairwiseJudge(temperature: options.evaluatorTemperature, verdicts: .logProbs)
        func namesFirst(_ judge: PairwiseJudge, _ first: String, _ second: String) async throws -> Bool {
            try await judge.verdict(first, second, attempt: 0, asking: inquiry) == .first
        }
        func robust(_ judge: PairwiseJudge, k: Int, isSwapped: Bool) async throws -> Candidate? {
            try await RobustVerdict.find(limit: k) { first, attempt in
                let showsRightFirst = (first == .persona) != isSwapped
                return try await judge.verdict(
                    showsRightFirst ? right : wrong, showsRightFirst ? wrong : right, attempt: attempt, asking: inquiry)
            }.winner
        }
        let forward = try await namesFirst(greedy, right, wrong)
        let backward = try await namesFirst(greedy, wrong, right)
        let swapped = try await robust(sampling, k: options.k, isSwapped: true)
        return Judged(
            forwardIsFirst: forward, backwardIsFirst: backward, singleIsRight: rightIsFirst ? forward : !backward,
            sampledSingleIsRight: rightIsFirst
                ? try await namesFirst(sampling, right, wrong) : try await !namesFirst(sampling, wrong, right),
            greedy: try await robust(greedy, k: 1, isSwapped: false),
            sampled: try await robust(sampling, k: options.k, isSwapped: false),
            // Swapped, the wrong solution is the one called the persona's.
            sampledSwapped: swapped.map { $0 == .persona ? .neutral : .persona })
    }
}

/// A judge's figures over pairs.
package struct JudgeFigures: Sendable {
    package let judged: [JudgedPair.Judged]
    /// The share of greedy verdicts for the first position, both orders counted.
    package let firstChosen: Estimate
    /// The share of pairs for which the greedy single-order choice changes with the order.
    package let flips: Estimate

    package init(_ pairs: [JudgedPair], by model: any LanguageModel, as name: String, in lab: Lab) async throws {
        judged = try await lab.forEach(name, pairs) { pair in
            try await pair.judged(by: model, options: JekyllHyde.Options(), seed: lab.seed)
        }
        firstChosen = try .accuracy(judged.flatMap { [$0.forwardIsFirst, $0.backwardIsFirst] })
        flips = try .accuracy(judged.map(\.flips))
    }

    /// Pairs for which the robust evaluator's choice depends on the order.
    package var robustFlips: Int { judged.count { $0.sampled != $0.sampledSwapped } }
    /// Pairs on which abstaining at temperature 0 and a flip of the single order differ.
    package var unexplainedSilences: Int { judged.count { ($0.greedy == nil) != $0.flips } }

    package var greedy: Accuracy {
        Accuracy(single: judged.map(\.singleIsRight), robust: judged.map(\.greedy))
    }
    package var sampled: Accuracy {
        Accuracy(single: judged.map(\.sampledSingleIsRight), robust: judged.map(\.sampled))
    }

    /// The judge asked once beside the robust evaluator, both at one temperature.
    package struct Accuracy: Sendable, Hashable {
        /// Shares of all pairs.
        package var single: Double
        package var answered: Double
        /// The paper's accuracy, in which no answer is a wrong one.
        package var withSilences: Double
        /// A share of the answered pairs; nil without any.
        package var amongAnswered: Double?

        package init(single: [Bool], robust: [Candidate?]) {
            let count = Double(max(1, single.count))
            let (answered, right) = (robust.count { $0 != nil }, robust.count { $0 == .persona })
            self.single = Double(single.count { $0 }) / count
            self.answered = Double(answered) / count
            withSilences = Double(right) / count
            amongAnswered = answered > 0 ? Double(right) / Double(answered) : nil
        }

        /// What abstaining adds to the accuracy; nothing where nothing was answered.
        package var gain: Double { (amongAnswered ?? single) - single }
    }
}
