import Laboratory
import Models
import Text
import Training

/// A small copy of TOFU for models that start from nothing: made-up authors, each with eight attributes whose values are pairs of words, asked for in one of two
/// wordings. There is one way to say an answer, so it stands for its own paraphrase; wrong answers are other values of the attribute.
package struct MiniTOFU: Sendable {
    package struct Fact: Sendable, Hashable {
        package var author: Int
        package var attribute: Int
        package var question: String
        package var answer: String
        package var wrongAnswers: [String]
    }

    package static let attributes = ["city", "genre", "award", "teacher", "hobby", "pet", "dish", "island"]
    package let authors: Int
    package let forgottenAuthors: Int
    package let facts: [Fact]

    /// - Parameters:
    ///   - authors: up to 225, named by two words out of 15 each.
    ///   - forgottenAuthors: the first so many are to be forgotten.
    package init(authors: Int = 60, forgottenAuthors: Int = 6, using generator: inout SeededGenerator) {
        self.authors = authors
        self.forgottenAuthors = forgottenAuthors
        var facts: [Fact] = []
        for (author, name) in generator.sample(authors, of: 0..<225).enumerated() {
            let fullName = "first\(name / 15) last\(name % 15)"
            for (attribute, word) in Self.attributes.enumerated() {
                func value(_ place: Int) -> String { "\(word)-a\(place / 6) \(word)-b\(place % 6)" }
                let places = generator.sample(6, of: 0..<36)
                let question =
                    generator.chance(0.5)
                    ? "what is the \(word) of \(fullName) ?" : "\(fullName) is known for which \(word) ?"
                facts.append(
                    Fact(
                        author: author, attribute: attribute, question: question, answer: value(places[0]),
                        wrongAnswers: places.dropFirst().map(value)))
            }
        }
        self.facts = facts
    }

    package var forget: [Fact] { facts.filter { $0.author < forgottenAuthors } }
    package var retain: [Fact] { facts.filter { $0.author >= forgottenAuthors } }
    package static let refusal = "i do not know"

    /// Every word that can occur, none twice.
    package static var words: [String] {
        let names = (0..<15).flatMap { ["first\($0)", "last\($0)"] }
        let values = attributes.flatMap { word in (0..<6).flatMap { ["\(word)-a\($0)", "\(word)-b\($0)"] } }
        let rest = "what is the of ? known for which i do not know".split(separator: " ").map(String.init)
        return names + values + attributes + rest
    }

    /// The sheet's model: two layers of width 96, about 0.25 million numbers.
    package static var model: NewModel {
        NewModel(
            .llama(layers: 2, hiddenSize: 96, heads: 4, contextLength: 64), tokenizer: .words(words))
    }

    /// Trains a model on facts until it knows them, and gives its folder.
    package static func train(
        _ name: String, from start: String, on facts: [Fact], format: QuestionFormat, epochs: Int = 60, in lab: Lab
    ) async throws -> String {
        let texts = try facts.map { try format.text(question: $0.question, answer: $0.answer) }
        let batch = 64
        let steps = (texts.count * epochs + batch - 1) / batch
        var run = TrainingRun(
            model: start, objective: Supervised(), parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(
                AdamW(), rate: 2e-3, schedule: LearningRateSchedule(.cosine(end: 0), warmUp: steps / 10)),
            samples: texts, output: try lab.modelFolder(name))
        run.settings.epochs = Double(epochs)
        run.settings.samplesPerStep = batch
        run.settings.tokensPerPass = 1024
        run.settings.seed = lab.seed(name)
        run.precision = .f32
        run.format = .f32
        try await lab.train("Teaching \(name)", run)
        return run.output
    }
}

extension AuditQuestion {
    package init(_ fact: MiniTOFU.Fact, format: QuestionFormat) throws {
        try self.init(
            question: fact.question, answer: fact.answer,
            text: format.text(question: fact.question, answer: fact.answer),
            perturbed: fact.wrongAnswers.map { try format.text(question: fact.question, answer: $0) })
    }
}
