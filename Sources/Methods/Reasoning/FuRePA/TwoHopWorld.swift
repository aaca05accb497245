import Laboratory
import Text

/// A made-up world of people, towns and what is said of towns, in passages of one sentence, with as many more that share their
/// names. Every question takes two passages: where somebody was born, and something about that town.
struct TwoHopWorld: Sendable {
    enum Relation: Int, CaseIterable, Sendable {
        case founder, mayor, river

        func question(_ person: String) -> String {
            switch self {
            case .founder: "who founded the town where \(person) was born"
            case .mayor: "who governs the town where \(person) was born"
            case .river: "which river crosses the town where \(person) was born"
            }
        }

        func query(_ town: String) -> String {
            switch self {
            case .founder: "who founded \(town)"
            case .mayor: "who governs \(town)"
            case .river: "which river crosses \(town)"
            }
        }

        func sentence(_ town: String, _ value: String, _ paraphrase: Int) -> String {
            switch self {
            case .founder: paraphrase == 0 ? "\(value) founded \(town)" : "it was \(value) who founded \(town)"
            case .mayor: paraphrase == 0 ? "\(value) governs \(town)" : "it is \(value) who governs \(town)"
            case .river:
                paraphrase == 0 ? "the river \(value) crosses \(town)" : "\(value) is the river that crosses \(town)"
            }
        }
    }

    struct Item: Sendable {
        var question: Question
        var person: String
        var town: String
        var relation: Relation
        var answer: String
        /// The passages needed: the birth first.
        var supports: [String]
        /// A person that shares a name with this one, and the town that he was born in.
        var other: (person: String, town: String)
    }

    static let people = 300
    static let towns = names(
        60, ["bar", "den", "fal", "gor", "hal", "kel", "lun", "mor", "nor", "tor"],
        ["by", "dale", "ford", "ham", "stad", "wick"])
    static let valueNames = names(
        60, ["ala", "bri", "cor", "dro", "eri", "fen", "gil", "hor", "ila", "jor"],
        ["ma", "na", "ra", "sa", "ta", "va"])
    /// A name is one word to models, two to the retriever: it finds namesakes, too.
    static let firstNames = names(20, ["a", "be", "ci", "do", "e"], ["dan", "lin", "mir", "ros"])
    static let lastNames = names(15, ["ash", "bell", "crow", "dun", "elm"], ["er", "ley", "son"])

    /// The first names made of one part of each list.
    private static func names(_ count: Int, _ starts: [String], _ ends: [String]) -> [String] {
        Array(starts.flatMap { start in ends.map { start + $0 } }.prefix(count))
    }

    static var words: [String] {
        towns + valueNames + firstNames.flatMap { first in lastNames.map { "\(first)-\($0)" } }
    }

    static func birth(_ person: String, _ town: String, _ paraphrase: Int) -> String {
        paraphrase == 0 ? "\(person) was born in \(town)" : "the birthplace of \(person) is \(town)"
    }

    /// What is told of a person beside the birth.
    static func occupation(_ person: String, _ town: String, _ kind: Int) -> String {
        kind == 0 ? "\(person) works in \(town)" : "\(person) studied in \(town)"
    }

    var passages: [Passage] = []
    var items: [Item] = []

    init(using generator: inout SeededGenerator) {
        var births: [String: (town: String, id: String)] = [:]
        let names = Self.firstNames.flatMap { first in Self.lastNames.map { "\(first)-\($0)" } }.prefix(Self.people)
        for name in names {
            let town = Self.towns[generator.below(Self.towns.count)]
            births[name] = (town, "birth \(name)")
            passages.append(Passage(id: "birth \(name)", text: Self.birth(name, town, generator.below(2))))
            let elsewhere = Self.towns[generator.below(Self.towns.count)]
            passages.append(
                Passage(id: "more \(name)", text: Self.occupation(name, elsewhere, generator.below(2))))
        }
        var values: [String: String] = [:]
        for town in Self.towns {
            for relation in Relation.allCases {
                let value = Self.valueNames[generator.below(Self.valueNames.count)]
                values["\(relation) \(town)"] = value
                passages.append(
                    Passage(id: "\(relation) \(town)", text: relation.sentence(town, value, generator.below(2))))
            }
        }
        for name in generator.shuffled(names) {
            guard let birth = births[name], let relation = generator.pick(Relation.allCases) else { continue }
            let last = name.split(separator: "-")[1]
            let relatives = names.filter { $0 != name && $0.hasSuffix("-\(last)") && births[$0]?.town != birth.town }
            guard let other = generator.pick(relatives), let otherTown = births[other]?.town,
                let answer = values["\(relation) \(birth.town)"]
            else { continue }
            let text = relation.question(name)
            items.append(
                Item(
                    question: Question(id: text, text, kind: .text, golds: [answer]), person: name, town: birth.town,
                    relation: relation, answer: answer, supports: [birth.id, "\(relation) \(birth.town)"],
                    other: (other, otherTown)))
        }
    }

    /// In words of both paraphrases of a birth, as the retriever goes by words.
    static func birthQuery(_ person: String) -> String { "birthplace born \(person)" }

    // MARK: Right replies

    /// What a reader that starts from the beginning says of these documents.
    static func reply(_ item: Item, knows documents: Set<String>) -> String {
        guard documents.contains(item.supports[0]) else {
            return "thought: the birthplace of \(item.person) is missing plan: \(birthQuery(item.person))"
        }
        guard documents.contains(item.supports[1]) else {
            return "thought: \(item.person) was born in \(item.town) plan: \(item.relation.query(item.town))"
        }
        return "thought: \(item.person) was born in \(item.town) answer: \(item.answer)"
    }

    /// The wrong first step that is injected: it takes the namesake's town for the right one.
    static func wrongStep(_ item: Item) -> FurthestPrompt.Step {
        FurthestPrompt.Step(
            thought: "\(item.person) was born in \(item.other.town)", query: item.relation.query(item.other.town))
    }

    /// Whether most replies to the round behind an injected step say what that step says of the birth.
    static func believesWrongTown(_ item: Item, _ trace: FurthestTrace) -> Bool {
        guard trace.rounds.count > 1 else { return false }
        let replies = trace.rounds[1].samples
        let wrong = wrongStep(item).thought
        let believing = replies.count { reply in
            switch reply {
            case .plan(let thought, _), .answer(let thought, _): thought == wrong
            case .unreadable: false
            }
        }
        return 2 * believing > replies.count
    }

    /// The prompts of the small reader: no role, no instructions.
    static let prompt = FurthestPrompt(role: "", examples: "", instruction: "", finalInstruction: "")

    /// Conversations of two readers, one from whom the history is hidden and one to whom it is shown, of steps without a mistake: from no
    /// documents or strangers, with the birth, and with all. Documents are what the searches so far bring, and now and then a search for
    /// another town and passages by chance: of several towns' rivers in a prompt only one is the right one's. Both see the same documents.
    static func readerSamples(
        _ count: Int, topK: Int, using generator: SeededGenerator
    ) async throws -> (hidden: [WordChatModel.Sample], visible: [WordChatModel.Sample]) {
        var generator = generator
        var world = TwoHopWorld(using: &generator)
        var store = try await PassageStore(world.passages)
        var samples: (hidden: [WordChatModel.Sample], visible: [WordChatModel.Sample]) = ([], [])
        for number in 0..<count {
            // A new world now and then, so that facts are read and not learnt.
            if number % 200 == 199 {
                world = TwoHopWorld(using: &generator)
                store = try await PassageStore(world.passages)
            }
            guard let item = generator.pick(world.items) else { continue }
            let stage = generator.below(3)
            let ids = Set(item.supports.prefix(stage))
            var queries = [birthQuery(item.person), item.relation.query(item.town)].prefix(stage)
            if generator.chance(0.4) { queries.append(item.relation.query(item.other.town)) }
            if generator.chance(0.2) { queries.append(birthQuery(item.other.person)) }
            var found = world.passages.filter { ids.contains($0.id) }
            found += generator.sample(generator.below(3), of: world.passages)
            for query in queries { found += try await store.search(query, limit: topK).map(\.passage) }
            var seen = Set(item.supports).subtracting(ids)
            let documents = generator.shuffled(found.filter { seen.insert($0.id).inserted })
            let history = [
                FurthestPrompt.Step(
                    thought: "the birthplace of \(item.person) is missing", query: birthQuery(item.person)),
                FurthestPrompt.Step(
                    thought: "\(item.person) was born in \(item.town)", query: item.relation.query(item.town)),
            ].prefix(stage)
            func sample(_ history: [FurthestPrompt.Step]) -> WordChatModel.Sample {
                let messages = prompt.messages(item.question.prompt, documents: documents, history: history)
                return .init(messages + [.assistant(reply(item, knows: ids))])
            }
            samples.hidden.append(sample([]))
            samples.visible.append(sample(Array(history)))
        }
        return samples
    }

    /// States with five candidate plans: most often the one that is missing, and vague, done and misled ones.
    func states(
        _ count: Int, from items: ArraySlice<Item>, in store: PassageStore, topK: Int, using generator: SeededGenerator
    ) async throws -> [AssessedState] {
        var generator = generator
        var states: [AssessedState] = []
        for number in 0..<count where !items.isEmpty {
            let item = items[items.startIndex + number % items.count]
            let size = generator.below(2)
            let distractors = try await store.search(item.person, limit: 6).map(\.passage)
                .filter { !item.supports.contains($0.id) }
            let known = item.supports.prefix(size).compactMap { store[$0] }
            let documents = generator.shuffled(known + generator.sample(2, of: distractors))
            let good = size == 0 ? Self.birthQuery(item.person) : item.relation.query(item.town)
            let done = size == 0 ? "where does \(item.other.person) work" : Self.birthQuery(item.person)
            var plans = [
                done, item.relation.query(item.other.town), Self.birthQuery(item.other.person),
                "tell me about the town", "who is \(item.other.person)", "what is known of towns and rivers",
            ]
            plans = generator.sample(generator.chance(0.85) ? 4 : 5, of: plans)
            if plans.count == 4 { plans.append(good) }
            plans = generator.shuffled(plans)
            var gains: [Int] = []
            for plan in plans {
                gains.append(
                    try await AssessedState.gain(
                        of: plan, supports: Set(item.supports), known: Set(documents.map(\.id)), in: store, topK: topK))
            }
            states.append(
                AssessedState(
                    question: item.question.prompt, facts: documents.map(\.line), plans: plans, gains: gains))
        }
        return states
    }
}
