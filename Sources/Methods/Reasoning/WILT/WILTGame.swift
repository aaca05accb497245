import Foundation
import Inference
import Laboratory
import Text

/// One game's protocol: reads the player's replies and says what comes next.
package struct WILTGame: Sendable {
    package struct Test: Sendable, Hashable {
        package var triple: [Double]
        package var verdict: Bool
        package var isRepeat: Bool
    }

    package enum Step: Sendable, Hashable {
        /// Say this to the player.
        case reply(String)
        /// Ask again with the same conversation.
        case retry
        case guess(String)
        case end(String)
    }

    package let rule: WILTRule
    package let maxAttempts: Int
    package private(set) var attempts = 0
    package private(set) var tests: [Test] = []
    private var isWarned = false
    private var turns = 0

    package init(_ rule: WILTRule, maxAttempts: Int = 30) {
        self.rule = rule
        self.maxAttempts = maxAttempts
    }

    package static func instruction(maxAttempts: Int) -> String {
        """
        I have a hidden rule that takes three numbers and says True or False. Find it. You may test up to \(maxAttempts) triples, \
        one a turn, and then make one final guess. A wrong guess scores nothing, and so does a second one; fewer tests score \
        more. Every test should be a new triple that tells you something. Numbers have at most three digits; decimals are allowed. \
        The rule is deterministic and can be written as one Python expression.

        Reason first, then end with exactly one action on the last line, either

        Test Case: ```(a, b, c)```

        or

        Final Guess: ```lambda x, y, z: <expression>```
        """
    }

    /// The triple as it stands in the reply, as Python writes floats.
    static func text(_ triple: [Double]) -> String { triple.map(\.description).joined(separator: ", ") }

    package mutating func read(_ response: String) throws -> Step {
        let step = try next(response)
        turns += 1
        if case .guess = step { return step }
        // Replies that cost no attempt could go on for ever.
        if attempts > maxAttempts || turns >= 2 * maxAttempts + 10 { return .end("out of attempts") }
        return step
    }

    private mutating func next(_ response: String) throws -> Step {
        guard response.contains(where: { !$0.isWhitespace }) else {
            guard !isWarned else { return .end("no reply") }
            isWarned = true
            attempts += 1
            return .retry
        }
        if let place = response.range(of: "final guess:", options: [.caseInsensitive, .backwards]) {
            if let guess = Self.quoted(String(response[place.upperBound...])) { return .guess(guess) }
            guard !isWarned else { return .end("a guess without back-quotes") }
            isWarned = true
            return .reply("Please put the function into back-quotes: Final Guess: ```lambda x, y, z: True```")
        }
        if let place = response.range(of: "test case:", options: [.caseInsensitive, .backwards]) {
            isWarned = false
            return .reply(try test(String(response[place.upperBound...])))
        }
        guard !isWarned else { return .end("no action twice") }
        isWarned = true
        attempts += 1
        return .reply(
            "Please end with an action: Test Case: ```(0, 0, 0)``` or Final Guess: ```lambda x, y, z: True```")
    }

    private mutating func test(_ text: String) throws -> String {
        guard let open = text.firstIndex(of: "("), let close = text[open...].firstIndex(of: ")") else {
            return "There is no test case in your reply."
        }
        let parts = text[text.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false)
        let triple = parts.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }.filter(\.isFinite)
        guard triple.count == parts.count else { return "The test case can't be read." }
        guard triple.count == 3 else { return "A test case has exactly 3 numbers." }
        guard attempts < maxAttempts else { return "Maximum attempts reached. Please make a guess." }
        let verdict = try rule.verdict(triple.map { .float($0) })
        let remaining = maxAttempts - attempts
        tests.append(Test(triple: triple, verdict: verdict, isRepeat: tests.contains { $0.triple == triple }))
        attempts += 1
        return
            "Result for input (\(Self.text(triple))): \(verdict ? "True" : "False"). Attempts Remaining: \(remaining)"
    }

    /// What stands in back-quotes, three or fewer, the language's name left out.
    static func quoted(_ text: String) -> String? {
        guard let open = text.range(of: "`+", options: .regularExpression) else { return nil }
        let fence = text[open].count >= 3 ? "```" : "`"
        var inner = text[open.upperBound...]
        guard let close = inner.range(of: fence) else { return nil }
        inner = inner[..<close.lowerBound]
        if fence == "```", inner.hasPrefix("python") { inner = inner.dropFirst(6) }
        let guess = inner.trimmingCharacters(in: .whitespacesAndNewlines)
        return guess.isEmpty ? nil : guess
    }
}

/// What became of one game.
package struct WILTRecord: Sendable {
    package var rule: WILTRule
    package var guess: String?
    package var score: WILTScorer.Score?
    package var ending: String
    package var game: WILTGame
    package var messages: [ChatMessage] = []

    package var isCorrect: Bool { score?.outcome == .correct }
    package var points: Double {
        isCorrect ? 1_000 + 100 * (1 - Double(game.attempts) / Double(game.maxAttempts)) : 0
    }
    package var repeats: Int { game.tests.count { $0.isRepeat } }

    /// Plays one game on a fresh conversation; the conversation ends with the guess.
    package static func play(
        _ rule: WILTRule, maxAttempts: Int, temperature: Double, maxTokens: Int, scorer: WILTScorer,
        asking model: any LanguageModel, seed: UInt64
    ) async throws -> WILTRecord {
        var game = WILTGame(rule, maxAttempts: maxAttempts)
        var messages = [ChatMessage.system(WILTGame.instruction(maxAttempts: maxAttempts))]
        var turn = 0
        while true {
            var sampling = Sampling()
            sampling.temperature = temperature
            sampling.seed = SeededGenerator.derive(seed, "turn \(turn)")
            turn += 1
            let response = try await model.complete(
                CompletionRequest(.chat(messages), sampling: sampling, stop: StopRule(maxTokens: maxTokens))
            ).text
            let step = try game.read(response)
            if step != .retry { messages.append(.assistant(response)) }
            switch step {
            case .reply(let text): messages.append(.user(text))
            case .retry: continue
            case .guess(let guess):
                let score = await scorer.score(guess, against: rule)
                return WILTRecord(
                    rule: rule, guess: guess, score: score, ending: "guess", game: game, messages: messages)
            case .end(let reason):
                return WILTRecord(rule: rule, ending: reason, game: game, messages: messages)
            }
        }
    }
}
