import Inference
import Laboratory

/// What a model from nothing must be able to do before it can read: to find in its prompt what belongs to a name.
extension TwoHopWorld {
    /// Conversations that say the facts of a prompt again, in another order and in either wording. The facts are drawn for each
    /// conversation and belong to no world, and nothing is asked: neither questions nor plans can be learnt from them.
    static func recitals(_ count: Int, using generator: SeededGenerator) -> [WordChatModel.Sample] {
        var generator = generator
        return (0..<count).map { _ in
            let facts = (0..<(2 + generator.below(5))).map { _ in fact(using: &generator) }
            func lines(_ facts: [[String]]) -> String {
                facts.compactMap { generator.pick($0) }.map { "- \($0)" }.joined(separator: "\n")
            }
            let told = lines(facts)
            return WordChatModel.Sample([
                .user("Knowledge:\n\(told)"), .assistant(lines(generator.shuffled(facts))),
            ])
        }
    }

    /// Conversations that repeat names, the simplest of what finding takes: what stood behind this word before?
    static func repetitions(_ count: Int, using generator: SeededGenerator) -> [WordChatModel.Sample] {
        var generator = generator
        return (0..<count).map { _ in
            .repetition(of: generator.sample(4 + generator.below(12), of: words))
        }
    }

    /// A fact in its wordings.
    private static func fact(using generator: inout SeededGenerator) -> [String] {
        let town = towns[generator.below(towns.count)]
        let person =
            "\(firstNames[generator.below(firstNames.count)])-\(lastNames[generator.below(lastNames.count)])"
        switch generator.below(3) {
        case 0: return (0...1).map { birth(person, town, $0) }
        case 1: return [occupation(person, town, generator.below(2))]
        default:
            let value = valueNames[generator.below(valueNames.count)]
            let relation = Relation.allCases[generator.below(Relation.allCases.count)]
            return (0...1).map { relation.sentence(town, value, $0) }
        }
    }

    /// A model that has learnt to repeat and to recite, from which assessors and readers go on.
    ///
    /// - Parameter texts: whose words it knows, too.
    static func reciter(
        _ model: WordChatModel, samples: Int, knowing texts: [String], in lab: Lab
    ) async throws -> LocalModel {
        var model = model
        model.samplesPerStep = 64
        return try await model.train(
            "recital",
            on: repetitions(samples * 6 / 10, using: lab.random("repetitions"))
                + recitals(samples * 4 / 10, using: lab.random("recitals")),
            words: words + WordChatModel.words(of: texts), in: lab)
    }
}
