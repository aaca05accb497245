import Laboratory

/// Open-book questions about made-up people: 6 people, two relations each out of four, 12 one-sentence facts in random order
/// over 16 places. The question asks for one fact; the answer's beginning ("Anna lives in") is given, so that the next token
/// is the place.
///
/// Profiling and testing draw from different people and different places, so that nothing learnt on one helps on the other.
package enum MadeUpFacts {
    package enum Part: Sendable {
        case profiling, test

        package var people: [String] {
            switch self {
            case .profiling:
                [
                    "Alice", "Brian", "Clara", "David", "Emma", "Frank", "Grace", "Henry", "Irene", "James", "Karen",
                    "Louis",
                ]
            case .test:
                ["Anna", "Ben", "Carl", "Diana", "Eric", "Fiona", "George", "Helen", "Ivan", "Julia", "Kevin", "Laura"]
            }
        }

        package var places: [String] {
            switch self {
            case .profiling:
                [
                    "Madrid", "Vienna", "Dublin", "Athens", "Chicago", "Boston", "Moscow", "Delhi", "Toronto", "Sydney",
                    "Beijing", "Milan", "Denver", "Seattle", "Warsaw", "Baghdad",
                ]
            case .test:
                [
                    "Paris", "London", "Berlin", "Rome", "Tokyo", "Cairo", "Lisbon", "Prague", "Oslo", "Mumbai",
                    "Dallas", "Houston", "Geneva", "Melbourne", "Jakarta", "Venice",
                ]
            }
        }
    }

    /// How a fact is told and asked for.
    private enum Relation: CaseIterable {
        case lives, born, works, visited

        var verb: String {
            switch self {
            case .lives: "lives in"
            case .born: "was born in"
            case .works: "works in"
            case .visited: "once visited"
            }
        }

        func question(_ person: String) -> String {
            switch self {
            case .lives: "Where does \(person) live?"
            case .born: "Where was \(person) born?"
            case .works: "Where does \(person) work?"
            case .visited: "Which city did \(person) once visit?"
            }
        }
    }

    package static func items(_ part: Part, count: Int, seed: UInt64) -> [OpenBookItem] {
        var random = SeededGenerator(seed: seed, stream: "made-up facts, \(part)")
        return (0..<count).map { index in
            let people = random.sample(6, of: part.people)
            var places = random.sample(12, of: part.places)
            var facts: [(person: String, relation: Relation, place: String)] = []
            for person in people {
                for relation in random.sample(2, of: Relation.allCases) {
                    facts.append((person, relation, places.removeLast()))
                }
            }
            facts = random.shuffled(facts)
            let asked = facts[random.below(facts.count)]
            let sentences = facts.map { "\($0.person) \($0.relation.verb) \($0.place)." }
            let beginning = "\(asked.person) \(asked.relation.verb)"
            return OpenBookItem(
                id: "\(part) \(index + 1)", question: asked.relation.question(asked.person),
                context: sentences.joined(separator: " "), answers: [asked.place],
                supporting: ["\(beginning) \(asked.place)."], answerPrefix: beginning)
        }
    }
}
