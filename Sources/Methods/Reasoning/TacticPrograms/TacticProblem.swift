import Laboratory
import Text

/// A problem to solve with programs: one of a single source, or a hybrid whose text mixes several.
package struct TacticProblem: Sendable, Hashable {
    package var id: String
    /// Where it comes from (`gsm8k`), by which results are told apart.
    package var dataset: String
    package var text: String
    /// The tactic that fits it.
    package var tactic: String
    package var form: TacticAnswer
    package var gold: String
    /// A program that solves it.
    package var program: String?
    /// Of hybrids: a statement each, exactly one of them right.
    package var options: [String]
    /// Of hybrids: the problem behind each option.
    package var parts: [TacticProblem]

    package init(
        id: String, dataset: String, _ text: String, tactic: String, form: TacticAnswer, gold: String,
        program: String? = nil, options: [String] = [], parts: [TacticProblem] = []
    ) {
        self.id = id
        self.dataset = dataset
        self.text = text
        self.tactic = tactic
        self.form = form
        self.gold = gold
        self.program = program
        self.options = options
        self.parts = parts
    }

    package var isHybrid: Bool { !parts.isEmpty }

    /// The text with its numbered options.
    package var prompt: String {
        options.isEmpty
            ? text
            : text + "\nOptions:\n" + options.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n")
    }

    /// Reads `dataset`, `input`, `label`, and where there are any `options`, `program` (a reference), and of hybrids `qls` (the
    /// problems) with `option_ind2qls` (which of them each option is about; in their order where it is missing).
    package init(_ record: Record, graphThreshold: Double, book: TacticBook) throws {
        try self.init(record, record.place.description, graphThreshold, book, allowsParts: true)
    }

    private init(
        _ record: Record, _ name: String, _ threshold: Double, _ book: TacticBook, allowsParts: Bool
    ) throws {
        id = try record.stringIfPresent("id") ?? name
        dataset = try record.string("dataset")
        text = try record.string("input").trimmingSpaces
        gold = try record.string("label").trimmingSpaces
        program = try record.stringIfPresent("program")
        options = record["options"] == nil ? [] : try record.strings("options")
        parts = []
        let named = TacticBook.sources[dataset.lowercased()] ?? dataset
        let tactic = try book.tactic(try record.stringIfPresent("tactic") ?? named)
        self.tactic = tactic.name
        if tactic.engine == .routing {
            form = .option(options.count)
            guard allowsParts, let parts = record["qls"]?.arrayValue, (2...26).contains(options.count) else {
                throw TacticError.badProblem(
                    id, "a hybrid has 2 to 26 options and its problems under \"qls\", none of them a hybrid")
            }
            let problems = try parts.enumerated().map {
                try TacticProblem(
                    Record($1, at: record.place), "\(name), problem \($0 + 1)", threshold, book, allowsParts: false)
            }
            let places = try record["option_ind2qls"].map(Self.places) ?? Array(options.indices)
            guard places.count == options.count, places.allSatisfy(problems.indices.contains) else {
                throw TacticError.badProblem(
                    id,
                    "each option needs one of its \(problems.count) problems; \"option_ind2qls\" lists a position from 0 "
                        + "for each of the \(options.count) options")
            }
            self.parts = places.map { problems[$0] }
        } else if !options.isEmpty {
            form = .option(options.count)
        } else if tactic.engine == .logic {
            form = .truth
            if let known = Self.truths[gold.lowercased()] { gold = known }
        } else if tactic.engine == .graph {
            form = .edges(threshold: threshold)
        } else {
            form = Grader(.number).reads(gold: gold) ? .number : .other(.text)
        }
        guard !text.isEmpty else { throw TacticError.badProblem(id, "its \"input\" is empty") }
        guard form.accepts(gold: gold) else {
            throw TacticError.badProblem(id, "its label \(gold.prefix(60).debugDescription) is not \(form.request)")
        }
    }

    /// FOLIO's labels.
    private static let truths = ["true": "Agree", "false": "Contradict", "unknown": "Uncertain"]

    /// An array, or an object by the option's position, as the reference data have it.
    private static func places(_ value: JSONValue) throws -> [Int] {
        if let array = value.arrayValue { return array.compactMap(\.intValue) }
        let members = (value.objectValue ?? []).compactMap { member in
            Int(member.key).flatMap { key in member.value.intValue.map { (key, $0) } }
        }
        return members.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
