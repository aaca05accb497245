import Inference
import Laboratory
import Models
import Text
import Training

/// A small model that learns from nothing to answer coin flips in two ways, by what its answer begins with: half of the questions at once,
/// half worked out move by move behind a trigger. Which of the two it does is then a matter of the prompt alone.
///
/// What it reads is what the runner sends, made by the same functions; what counts in its loss is what it has to say itself:
/// the reasoning and its end, and the answer. Between the two, the extraction phrase is a prompt again and counts nothing.
package struct CoinFlipModel: Sendable {
    /// The one-letter names; an A would be the article of the question's first words.
    package static let names = "BCDEFGHIJKLMNOPQRSTUVWXYZ".map(String.init)

    /// So many people that the number of flips is not learnt at a glance.
    package var people = 8...14
    package var trigger = ReasoningTrigger.all[0]
    /// Seen once each.
    package var items = 57_600
    package var training = SmallTraining(hiddenSize: 96, rate: 3e-3)

    package init() {}

    /// How one item is learnt.
    package enum Lesson: CaseIterable, Sendable {
        case direct
        /// The reasoning and its end.
        case reasoning
        /// The reasoning, and the answer behind the extraction phrase.
        case extraction
    }

    package func coin(using generator: inout SeededGenerator) -> CoinFlips {
        CoinFlips(
            people: people.lowerBound + generator.below(people.count), of: Self.names, using: &generator)
    }

    /// A coin as a question for the runner.
    package static func item(_ coin: CoinFlips, id: String) -> ReasoningItem {
        ReasoningItem(id: id, question: coin.question, kind: .yesNo, gold: coin.answer)
    }

    /// The text of an item and which parts of it the model has to say; the end of the text belongs to the last one.
    package func parts(_ coin: CoinFlips, _ lesson: Lesson) -> [(text: String, counts: Bool)] {
        let item = Self.item(coin, id: "")
        let frame = PromptFrame.raw
        let answer = (text: " " + coin.answer, counts: true)
        guard lesson != .direct else { return [(frame.direct(item).lastText, false), answer] }
        let first = frame.reasoning(item, trigger: trigger).lastText
        let reasoning = " " + coin.steps
        let begun = [(text: first, counts: false), (text: reasoning, counts: true)]
        guard lesson == .extraction else { return begun }
        let second = frame.extraction(item, trigger: trigger, reasoning: reasoning).lastText
        return begun + [(String(second.dropFirst((first + reasoning).count)), false), answer]
    }

    /// Trains the model under a progress line and opens it.
    ///
    /// - Parameter heldOut: questions that it must not see.
    package func train(_ name: String, without heldOut: Set<CoinFlips>, in lab: Lab) async throws -> LocalModel {
        var generator = lab.random("\(name): coins")
        var texts: [[(text: String, counts: Bool)]] = []
        while texts.count < items {
            let coin = coin(using: &generator)
            guard !heldOut.contains(coin) else { continue }
            // Half direct; of the worked ones half end with the reasoning, half with the answer.
            let lesson: Lesson =
                texts.count.isMultiple(of: 2) ? .direct : texts.count % 4 == 1 ? .reasoning : .extraction
            texts.append(parts(coin, lesson))
        }
        // Phrases are a token each: a person takes two tokens of a question, and sequences are half as long as in words.
        let shown = texts.prefix(1_000).lazy.map { $0.map(\.text).joined() }
        let start = try training.start(name, .spacedWords(of: shown, phrases: CoinFlips.phrases), in: lab)
        let tokenizer = try ModelText(path: start).tokenizer
        let samples = texts.map { TokenSequence(parts: $0, tokenizer, isWhole: true) }
        return try await training.train(name, on: samples, from: start, in: lab)
    }
}
