import Foundation
import Inference
import Laboratory
import Models
import Reasoning
import Testing
import Text

@Suite struct TrainedContemplationTests {
    private let template = DemonstrationTemplate(.text, .van)

    private func isTested(_ text: String) -> Bool {
        let words = text.dropLast().split(separator: " ").map(String.init)
        let letters = StyledItem.letters
        let places =
            words.contains("larger")
            ? words.compactMap { Int($0) }.map { $0 - AnswerStyle.values.lowerBound }
            : words.last.map { $0.compactMap { letters.firstIndex(of: $0) } } ?? []
        return places.reduce(0, +) % 5 == 0
    }

    // MARK: Styles

    @Test func noTwoStylesOrValuesReadTheSame() {
        let answers = AnswerStyle.allCases.flatMap { style in AnswerStyle.values.map { style.text($0) } }
        let grader = Grader(.text)
        for (place, answer) in answers.enumerated() {
            #expect(grader.isSame(answer, answer))
            // What stands in a reply is read back as it is.
            #expect(grader.isSame(grader.answer(in: "The answer is \(answer)."), answer))
            for other in answers[(place + 1)...] { #expect(!grader.isSame(answer, other), "\(answer), \(other)") }
        }
    }

    @Test func aStyleHasTwoVerbsOfItsOwnAndOneThatAnotherHasToo() {
        let uses = Dictionary(grouping: AnswerStyle.allCases.flatMap(\.verbs)) { $0 }.mapValues(\.count)
        for style in AnswerStyle.allCases { #expect(style.verbs.map { uses[$0] } == [1, 1, 2]) }
    }

    @Test(arguments: [
        (StyledItem.Task.larger(3, 11), AnswerStyle.word, "eleven"), (.larger(12, 2), .digits, "12"),
        (.lastLetter("fib"), .letter, "(B)"), (.lastLetter("bid"), .roman, "IV"), (.larger(3, 2), .ordinal, "3rd"),
        (.lastLetter("bell"), .ordinalWord, "twelfth"),
    ])
    func answersAreTheValueInTheStyle(task: StyledItem.Task, style: AnswerStyle, answer: String) {
        let item = StyledItem(task: task, style: style, verb: "Give")
        #expect(item.answer == answer && item.hasStyle(answer) && item.hasValue(answer))
        let other = style == .digits ? AnswerStyle.word : .digits
        #expect(item.hasValue(other.text(item.value)) && !item.hasStyle(other.text(item.value)))
        let near = item.value == 12 ? 2 : item.value + 1
        #expect(!item.hasValue(style.text(near)) && item.hasStyle(style.text(near)))
    }

    // MARK: Texts

    @Test func testedQuestionsAreBalancedAndUnlikeThoseOfTheTraining() throws {
        let items = StyledWorld.tested(120, using: SeededGenerator(seed: 5, stream: "tested"))
        #expect(Set(items.map(\.text)).count == 120)
        for style in AnswerStyle.allCases {
            let own = items.filter { $0.style == style }
            #expect(own.count == 20 && own.count(where: \.isLetter) == 10)
            #expect(own.allSatisfy { style.verbs.contains($0.verb) && isTested($0.text) })
        }
        let options = try TrainedContemplation.options()
        let samples = StyledWorld.samples(
            conversations: 300, sheets: 300, options, using: SeededGenerator(seed: 5, stream: "samples"))
        let questions = samples.flatMap { sample in
            sample.messages.dropFirst().filter { $0.role == .user }
                .compactMap { $0.content.split(whereSeparator: \.isNewline).first.map(String.init) }
                + template.demonstrations(in: sample.messages.last?.content ?? "").map(\.question)
        }
        #expect(questions.count > 1_500)
        for question in questions { #expect(!isTested(question), "\(question)") }
        var generator = SeededGenerator(seed: 5, stream: "gold")
        for item in items {
            let shown = StyledWorld.gold(3, for: item, using: &generator)
            #expect(shown.count == 3 && shown.allSatisfy { item.hasStyle($0.answer) && !isTested($0.question) })
        }
    }

    /// A sheet is an attempt's own request, and its reply is what the method reads demonstrations from.
    @Test func sheetsAreTheMethodsOwnRequestsWithRightReplies() throws {
        let options = try TrainedContemplation.options()
        var generator = SeededGenerator(seed: 6, stream: "sheets")
        var verbs: [String: Set<AnswerStyle>] = [:]
        for _ in 0..<400 {
            let messages = StyledWorld.sheet(options, using: &generator).messages
            let request = try #require(messages.dropLast().last?.content)
            let text = String(request.prefix { !$0.isNewline })
            let question = Question(id: "", text, kind: .text, golds: [""])
            #expect(
                DemonstrationTemplate.paraphrases.indices.contains {
                    template.messages(for: question, count: 3, attempt: $0) == Array(messages.dropLast())
                })
            let written = template.demonstrations(in: try #require(messages.last?.content))
            let styles = AnswerStyle.allCases.filter { style in
                written.allSatisfy { demonstration in
                    AnswerStyle.values.contains { style.text($0) == demonstration.answer }
                }
            }
            #expect(written.count == 3 && styles.count == 1)
            let verb = String(text.prefix { $0 != " " })
            #expect(written.allSatisfy { $0.question.hasPrefix(verb + " ") })
            verbs[verb, default: []].formUnion(styles)
        }
        for (verb, styles) in verbs {
            #expect(styles == Set(AnswerStyle.allCases.filter { $0.verbs.contains(verb) }), "\(verb)")
        }
    }

    @Test func conversationsHideTheirStyleFromTheVerbs() throws {
        let options = try TrainedContemplation.options()
        var generator = SeededGenerator(seed: 7, stream: "conversations")
        var styles: [String: Set<AnswerStyle>] = [:]
        var lengths: Set<Int> = []
        for _ in 0..<1_000 {
            let sample = StyledWorld.conversation(options, using: &generator)
            let turns = sample.messages.dropFirst()
            let answers = turns.filter { $0.role == .assistant }.map(\.content)
            let questions = turns.filter { $0.role == .user }.map(\.content)
            #expect(answers.count == questions.count && sample.counting.count == answers.count)
            lengths.insert(answers.count)
            let style = try #require(
                AnswerStyle.allCases.first { style in
                    AnswerStyle.values.contains { answers[0] == "The answer is \(style.text($0))." }
                })
            #expect(
                answers.allSatisfy { answer in
                    AnswerStyle.values.contains { answer == "The answer is \(style.text($0))." }
                })
            for question in questions { styles[String(question.prefix { $0 != " " }), default: []].insert(style) }
        }
        #expect(lengths == [1, 2, 3, 4, 5])
        #expect(Set(styles.keys) == Set(StyledWorld.neutralVerbs) && styles.values.allSatisfy { $0.count == 6 })
    }

    @Test func everyWordOfTheTextsIsKnown() throws {
        let options = try TrainedContemplation.options()
        let specification = TokenizerSpecification.words(
            StyledWorld.words(options), speltWith: StyledWorld.pieces,
            special: ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"])
        let tokenizer = try Tokenizer(specification)
        let unknown = try #require(specification.unknown)
        let samples = StyledWorld.samples(
            conversations: 200, sheets: 200, options, using: SeededGenerator(seed: 8, stream: "samples"))
        for message in samples.flatMap(\.messages) {
            let tokens = tokenizer.encode(message.content)
            #expect(!tokens.contains(unknown), "\(message.content)")
            // Line breaks and signs come back, so that the method can read what a model writes.
            let back = tokenizer.decode(tokens)
            #expect(back.filter { !$0.isWhitespace } == message.content.filter { !$0.isWhitespace })
            #expect(back.count(where: \.isNewline) == message.content.count(where: \.isNewline))
        }
    }

    @Test func demonstrationsAreReadBackAsTheyAreWritten() {
        let free = [
            WrittenDemonstration(question: "a", solution: "b\nc", answer: "d"),
            WrittenDemonstration(question: "e", solution: "f", answer: "g"),
        ]
        #expect(template.demonstrations(in: template.text(of: free)) == free)
        let choices = [
            WrittenDemonstration(question: "q", options: ["x \"y\"", "back\\slash"], solution: "s", answer: "B")
        ]
        let options = DemonstrationTemplate(.options(2), .cot)
        #expect(options.demonstrations(in: options.text(of: choices)) == choices)
    }

    // MARK: Arms

    @Test func attemptsTellTheirDemonstrations() async throws {
        let options = try TrainedContemplation.options()
        var generator = SeededGenerator(seed: 9, stream: "scripts")
        let item = StyledWorld.tested(1, using: generator)[0]
        let shown = StyledWorld.gold(3, for: item, using: &generator)
        let own = SelfContemplation(options)
        let willing = ScriptedModel(["no", template.text(of: shown), "The answer is \(item.answer)."])
        let attempt = try await own.attempt(item.question("1"), asking: willing, seed: 1)
        #expect(attempt.isRight && own.demonstrations(of: attempt, kind: .text) == shown)
        let given = HumanDemonstrations(name: "given", options: options) { $0.id == "1" ? shown : [] }
        let listener = ScriptedModel(capabilities: [.completion]) { _, _ in "" }
        for id in ["1", "2"] { _ = try await given.attempt(item.question(id), asking: listener, seed: 1) }
        let turns = listener.requests.map { request in
            if case .chat(let messages, _) = request.prompt { messages.count } else { 0 }
        }
        #expect(turns == [8, 2])
        let silent = ScriptedModel(capabilities: [.completion]) { _, _ in "no" }
        let skipped = try await own.attempt(item.question("1"), asking: silent, seed: 1)
        #expect(own.demonstrations(of: skipped, kind: .text).isEmpty && skipped.cost.calls == 24)
    }

    /// Two steps of training: a model that has learnt nothing goes through all arms, and its failures are counted.
    @Test(.timeLimit(.minutes(2))) func anUntrainedModelFailsInTheOpen() async throws {
        var experiment = TrainedContemplation()
        (experiment.conversations, experiment.sheets, experiment.items) = (16, 16, 4)
        (experiment.training.layers, experiment.training.hiddenSize) = (1, 32)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sec-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await experiment.run(in: Lab(slug: "sec", subject: nil, outputFolder: folder))
        #expect(result.arms.strategies.map(\.name) == ["zero-shot", "icl", "sec"])
        #expect(result.arms.attempts[0].allSatisfy { $0.cost.calls == 1 })
        #expect(result.items.count == 4 && result.parsed == 0 && result.inStyle == 0)
        // No demonstrations in 24 attempts: the question is given up, and not asked without any.
        for attempt in result.arms.attempts[2] {
            #expect(attempt.cost.calls == 24 && attempt.solution.answer.isEmpty && !attempt.isRight)
        }
        #expect(try result.report().metrics.contains { $0.name == "questions with demonstrations" })
    }
}
