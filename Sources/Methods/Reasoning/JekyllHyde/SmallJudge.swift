import Inference
import Laboratory

/// A judge that is trained from nothing in the run on labelled pairs, 70% of which show the right solution first.
///
/// In minutes such a model doesn't learn to add. What it can learn to read is how sure a solution sounds: each sentence begins with a sure
/// or a doubtful word, more often a sure one where the solution is right. Its evidence thus differs from pair to pair and is never certain,
/// as a real judge's is, and next to it stands the position that it learnt to expect the right solution in.
package struct SmallJudge: Sendable {
    package static let tone = JudgedPair.Tone(right: 0.65, wrong: 0.35)

    package var pairs = 12_000
    package var model = WordChatModel(SmallTraining(contextLength: 128, samplesPerStep: 16))
    /// The share of labelled pairs that show the right solution first.
    package var rightFirst = 0.7

    package init() {}

    /// Labelled pairs, none about a question to be tested with.
    package func labelled(without tested: [JudgedPair], using generator: SeededGenerator) -> [JudgedPair] {
        let held = Set(tested.map(\.question.prompt))
        return JudgedPair.additions(pairs, rightFirst: rightFirst, tone: Self.tone, using: generator)
            .filter { !held.contains($0.question.prompt) }
    }

    /// The conversation that asks for a verdict, its begun reply ended with the right label, which alone is learnt.
    package static func sample(_ pair: JudgedPair) -> WordChatModel.Sample {
        var messages = pair.messages
        let begun = messages.removeLast().content
        messages.append(.assistant("\(begun) \(pair.rightIsFirst ? "A" : "B")"))
        return .init(messages, unpredictable: begun.split(whereSeparator: \.isWhitespace).count)
    }

    package func train(without tested: [JudgedPair], in lab: Lab) async throws -> any ScoringModel {
        let samples = labelled(without: tested, using: lab.random("labelled pairs")).map(Self.sample)
        let words = WordChatModel.words(of: tested.flatMap { $0.messages.map(\.content) })
        return try await model.train("judge", on: samples, words: words, in: lab)
    }
}
