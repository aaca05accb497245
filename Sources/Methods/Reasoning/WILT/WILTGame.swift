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

    /// - Parameter maxAttempts: nil: those of the rule's split.
    package init(_ rule: WILTRule, maxAttempts: Int? = nil) {
        self.rule = rule
        self.maxAttempts = maxAttempts ?? rule.domain.attempts
    }

    package var instruction: String {
        let domain = rule.domain
        let (numbers, tests, test) =
            domain.arity == 1 ? ("a number", "numbers", "number") : ("three numbers", "triples", "triple")
        let kind =
            domain.range.map { "Numbers are whole, from \($0.lowerBound) to \($0.upperBound)." }
            ?? "Numbers have at most three digits; decimals are allowed."
        let letters = ["a", "b", "c"].prefix(domain.arity).joined(separator: ", ")
        return """
            I have a hidden rule that takes \(numbers) and says True or False. Find it. You may test up to \(maxAttempts) \(tests), \
            one a turn, and then make one final guess. A wrong guess scores nothing, and so does a second one; fewer tests score \
            more. Every test should be a new \(test) that tells you something. \(kind) \
            The rule is deterministic and can be written as one Python expression.

            Reason first, then end with exactly one action on the last line, either

            Test Case: ```(\(letters))```

            or

            Final Guess: ```lambda \(domain.parameters.joined(separator: ", ")): <expression>```
            """
    }

    private var exampleTest: String {
        let number = rule.domain.range.map { String($0.lowerBound) } ?? "0"
        return "Test Case: ```(\(rule.domain.parameters.map { _ in number }.joined(separator: ", ")))```"
    }

    private var exampleGuess: String {
        "Final Guess: ```lambda \(rule.domain.parameters.joined(separator: ", ")): True```"
    }

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
            return .reply("Please put the function into back-quotes: \(exampleGuess)")
        }
        if let place = response.range(of: "test case:", options: [.caseInsensitive, .backwards]) {
            isWarned = false
            return .reply(try test(String(response[place.upperBound...])))
        }
        guard !isWarned else { return .end("no action twice") }
        isWarned = true
        attempts += 1
        return .reply("Please end with an action: \(exampleTest) or \(exampleGuess)")
    }

    private mutating func test(_ text: String) throws -> String {
        guard let open = text.firstIndex(of: "("), let close = text[open...].firstIndex(of: ")") else {
            return "There is no test case in your reply."
        }
        let parts = text[text.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false)
        let domain = rule.domain
        let triple = parts.compactMap { domain.number($0.trimmingCharacters(in: .whitespaces)) }
        guard triple.count == parts.count else { return "The test case can't be read." }
        guard triple.count == domain.arity else {
            return "A test case has exactly \(domain.arity == 1 ? "1 number" : "\(domain.arity) numbers")."
        }
        if let range = domain.range, !triple.allSatisfy(domain.contains) {
            return "The numbers of a test case are from \(range.lowerBound) to \(range.upperBound)."
        }
        guard attempts < maxAttempts else { return "Maximum attempts reached. Please make a guess." }
        let verdict = try rule.verdict(domain.arguments(triple))
        let remaining = maxAttempts - attempts
        tests.append(Test(triple: triple, verdict: verdict, isRepeat: tests.contains { $0.triple == triple }))
        attempts += 1
        return
            "Result for input (\(domain.text(triple))): \(verdict ? "True" : "False"). Attempts Remaining: \(remaining)"
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
        _ rule: WILTRule, maxAttempts: Int?, temperature: Double, maxTokens: Int, scorer: WILTScorer,
        asking model: any LanguageModel, seed: UInt64
    ) async throws -> WILTRecord {
        var game = WILTGame(rule, maxAttempts: maxAttempts)
        var messages = [ChatMessage.system(game.instruction)]
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
