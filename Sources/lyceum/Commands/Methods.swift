import ArgumentParser
import Catalogue
import Laboratory
import Text

struct Methods: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List every method, by family.",
        discussion: """
            Methods marked with · are planned and not built yet.

              lyceum methods
              lyceum methods unlearning
              lyceum methods --ready
              lyceum methods --json
            """)

    @Argument(
        help: "Only this family: \(Family.allCases.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(Family.allCases.map(\.rawValue)))
    var family: String?

    @Flag(help: "Only methods that run.")
    var ready = false

    @Flag(help: "Print the cards as JSON.")
    var json = false

    func run() throws {
        let cards = Catalogue.standard.cards(of: try chosenFamily()).filter { !ready || $0.status == .ready }
        if json { return Output.json(.array(cards.map(OptionHelp.json))) }
        for family in Family.allCases {
            let members = cards.filter { $0.family == family }
            guard !members.isEmpty else { continue }
            var table = Table("\(family.title) (\(members.count))", columns: [.text(""), .text(""), .text("")])
            for card in members { table.add(card.status == .ready ? "✓" : "·", card.slug, card.summary) }
            Output.table(table)
            Output.line("")
        }
        let built = cards.count { $0.status == .ready }
        Output.line("\(cards.count) methods: \(built) ready (✓), \(cards.count - built) planned (·).")
    }

    private func chosenFamily() throws -> Family? {
        guard let family else { return nil }
        if let known = Family(rawValue: family.lowercased()) { return known }
        let names = Family.allCases.map(\.rawValue)
        throw ValidationError(
            "There is no family \(family.debugDescription). "
                + Spelling.suggestion(
                    for: family, among: names, otherwise: "Families: \(names.joined(separator: ", "))."))
    }
}

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a method does, what it needs, its options and its claim.",
        discussion: """
              lyceum explain autopasta
              lyceum explain zero-shot-cot --json
            """)

    @Argument(help: "The method; lyceum methods lists them.", completion: .custom(Completions.methods))
    var method: String

    @Flag(help: "Print the card and the options as JSON.")
    var json = false

    func run() throws {
        let catalogue = Catalogue.standard
        let card = try catalogue.card(method)
        let built = catalogue.methods.first { $0.card.slug == method }
        let options = built.map { $0.optionDescriptions } ?? []
        if json {
            var members = OptionHelp.json(card).objectValue ?? []
            members.append(.init("options", .array(options.map(OptionHelp.json))))
            return Output.json(.object(members))
        }
        Output.write(OptionHelp.explanation(of: card) + "\n")
        if built != nil {
            Output.write(OptionHelp.text(options, "Options"))
            Output.line("\nTry: lyceum demo \(method), or lyceum run \(method) --help")
        }
    }
}
