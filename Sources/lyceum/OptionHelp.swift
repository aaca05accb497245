import Catalogue
import Laboratory
import Text

/// What is said about a method: its card and its options.
enum OptionHelp {
    /// Options with what they take and their defaults, aligned.
    static func text(_ options: [OptionDescription], _ heading: String) -> String {
        guard !options.isEmpty else { return "\(heading): none.\n" }
        var table = Table("", columns: [.text("Option"), .text("What it does"), .text("Takes"), .text("Default")])
        for option in options { table.add(option.usage, option.summary, option.expectation, option.initial) }
        let lines = TerminalRenderer(.standardOutput).table(table)
        return "\(heading):\n" + lines.joined(separator: "\n") + "\n"
    }

    /// The help of one method under `run`.
    static func page(of slug: String, in catalogue: Catalogue) throws -> String {
        let method = try? catalogue.method(slug)
        var page = explanation(of: try method?.card ?? catalogue.card(slug)) + "\n"
        if let method { page += text(method.optionDescriptions, "Options of \(slug)") + "\n" }
        return page + text(RunSettings.descriptions, "Options of every run")
    }

    /// A card in a few lines.
    static func explanation(of card: MethodCard) -> String {
        var table = Table("\(card.name) (\(card.slug))", columns: [.text(""), .text("")])
        table.add("What", card.summary)
        table.add("Family", card.family.title)
        table.add("Kind", card.kinds.map(\.title).joined(separator: ", "))
        table.add("Paper", card.paper.citation + (card.paper.address.map { "\n\($0)" } ?? ""))
        table.add("Needs", card.needs.names.joined(separator: ", "))
        if !card.data.isEmpty { table.add("Data", card.data) }
        if !card.claim.isEmpty { table.add("Claim", card.claim) }
        table.add("Status", card.status == .ready ? "ready" : "planned, not built yet")
        return TerminalRenderer(.standardOutput).table(table).joined(separator: "\n") + "\n"
    }

    static func json(_ card: MethodCard) -> JSONValue {
        [
            "slug": .string(card.slug), "family": .string(card.family.rawValue), "name": .string(card.name),
            "kinds": .array(card.kinds.map { .string($0.rawValue) }), "summary": .string(card.summary),
            "paper": [
                "title": .string(card.paper.title), "authors": .string(card.paper.authors),
                "year": .integer(card.paper.year), "arXiv": card.paper.arXiv.map { .string($0) } ?? .null,
            ],
            "needs": .array(card.needs.names.map { .string($0) }), "data": .string(card.data),
            "claim": .string(card.claim),
            "status": .string(card.status.rawValue),
        ]
    }

    static func json(_ option: OptionDescription) -> JSONValue {
        [
            "name": .string(option.name), "summary": .string(option.summary),
            "expects": .string(option.expectation), "default": .string(option.initial),
        ]
    }
}
