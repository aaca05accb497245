import Foundation
import Inference
import Laboratory
import Models
import Reasoning
import Testing
import Text
import Training

@Suite struct CoinFlipModelTests {
    private let coin = CoinFlips([.init("K", flips: true), .init("B", flips: false), .init("Z", flips: true)])
    private let small = CoinFlipModel()

    // MARK: The generator

    @Test func movesAreRestatedWithTheRunningState() {
        #expect(coin.steps == "K flips, tails. B does not, tails. Z flips, heads.")
        #expect(coin.answer == "yes")
        #expect(CoinFlips([.init("C", flips: true)]).answer == "no")
        #expect(CoinFlips([]).answer == "yes")
        #expect(
            coin.question
                == "A coin is heads up. K flips the coin. B does not flip the coin. Z flips the coin. Is the coin still heads up? "
                + "Note that \"flip\" here means \"reverse\".")
    }

    @Test func coinsHaveTheParityOfTheirFlipsAndPeopleOfTheirOwn() {
        var generator = SeededGenerator(seed: 5)
        let coins = (0..<400).map { _ in small.coin(using: &generator) }
        for coin in coins {
            let names = coin.moves.map(\.name)
            #expect(Set(names).count == names.count && (8...14).contains(names.count))
            #expect(names.allSatisfy { $0.count == 1 && $0 != "A" })
            let flips = coin.question.ranges(of: " flips the coin.").count
            #expect(coin.answer == (flips % 2 == 0 ? "yes" : "no"))
            // The last state of the working is the answer's.
            #expect(coin.steps.hasSuffix(flips % 2 == 0 ? " heads." : " tails."))
            #expect(coin.steps.ranges(of: " flips,").count == flips)
        }
        #expect(Set(coins.map(\.moves.count)).count == 7)
        #expect((150...250).contains(coins.count { $0.answer == "yes" }))
    }

    // MARK: What is learnt

    /// A model that says what the lessons teach is asked by the runner: its prompts are the lessons' parts to the byte.
    @Test func lessonsAreWhatTheRunnerSends() async throws {
        let item = CoinFlipModel.item(coin, id: "1")
        let direct = small.parts(coin, .direct)
        let worked = small.parts(coin, .extraction)
        let model = ScriptedModel([direct[1].text, worked[1].text, worked[3].text])
        let runner = ReasoningRunner(model, frame: .raw)
        let atOnce = try await runner.outcome(ReasoningArm(.zeroShot), of: item)
        let inSteps = try await runner.outcome(ReasoningArm(.zeroShotCoT, trigger: small.trigger), of: item)
        #expect(atOnce.isRight && inSteps.isRight)
        let prompts = model.requests.map(\.prompt.plainText)
        #expect(prompts == [direct[0].text, worked[0].text, worked.prefix(3).map(\.text).joined()])
        let reasoning = small.parts(coin, .reasoning)
        #expect(reasoning.map(\.text) == worked.prefix(2).map(\.text))
    }

    @Test(arguments: CoinFlipModel.Lesson.allCases)
    func onlyTheContinuationCounts(lesson: CoinFlipModel.Lesson) throws {
        let parts = small.parts(coin, lesson)
        let text = parts.map(\.text).joined()
        let tokenizer = try Tokenizer(.spacedWords(of: [text], phrases: CoinFlips.phrases))
        let sequence = TokenSequence(parts: parts, tokenizer, isWhole: true)
        let end = try #require(tokenizer.eos)
        #expect(sequence.tokens == tokenizer.encode(text) + [end])
        let counted = zip(sequence.tokens, sequence.weights).filter { $1 > 0 }.map(\.0)
        #expect(sequence.weights.allSatisfy { $0 == 0 || $0 == 1 })
        let learnt =
            switch lesson {
            case .direct: " yes"
            case .reasoning: " " + coin.steps
            case .extraction: " " + coin.steps + " yes"
            }
        #expect(counted == tokenizer.encode(learnt) + [end])
        #expect(!tokenizer.decode(counted).contains(small.trigger))
    }

    @Test func promptsAndReasoningFitTheContext() throws {
        let longest = CoinFlips(CoinFlipModel.names.prefix(14).map { .init($0, flips: false) })
        let parts = small.parts(longest, .extraction)
        let tokenizer = try Tokenizer(.spacedWords(of: [parts.map(\.text).joined()], phrases: CoinFlips.phrases))
        let options = ZeroShotCoT.Options()
        #expect(tokenizer.encode(parts[1].text).count < options.maxLengthCoT)
        let prompt = tokenizer.encode(parts[0].text + parts[2].text).count
        #expect(prompt + options.maxLengthCoT + options.maxLengthDirect <= small.training.contextLength)
    }

    // MARK: End to end

    /// With two or three people both ways are learnt in seconds.
    @Test(.timeLimit(.minutes(3))) func aTinyModelLearnsBothWays() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("coins-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = Lab(slug: "zero-shot-cot", subject: ScriptedModel([]), seed: 3, outputFolder: folder)
        var small = CoinFlipModel()
        small.people = 1...2
        small.items = 4_000
        small.training.layers = 2
        small.training.hiddenSize = 64
        small.training.samplesPerStep = 32
        small.training.rate = 4e-3
        let coins = [true, false].flatMap { first in
            [CoinFlips([.init("B", flips: first)])]
                + [true, false].map {
                    CoinFlips([.init("C", flips: first), .init("D", flips: $0)])
                }
        }
        let model = try await small.train("two ways", without: Set(coins), in: lab)
        let runner = ReasoningRunner(model, frame: .raw)
        for coin in coins {
            let item = CoinFlipModel.item(coin, id: "1")
            let outcome = try await runner.outcome(ReasoningArm(.zeroShotCoT, trigger: small.trigger), of: item)
            #expect(outcome.steps[1].text == " " + coin.steps)
            #expect(outcome.isRight && !outcome.isTruncated && outcome.calls == 2)
            let direct = try await runner.outcome(ReasoningArm(.zeroShot), of: item)
            #expect(["yes", "no"].contains(direct.answer))
            #expect(direct.steps[1].text == " " + direct.answer)
        }
    }
}
