import Catalogue

/// What the shell offers where a command takes a name.
enum Completions {
    static let methods: @Sendable ([String], Int, String) -> [String] = { _, _, prefix in
        Catalogue.standard.cards.map(\.slug).filter { $0.hasPrefix(prefix) }
    }

    static let claims: @Sendable ([String], Int, String) -> [String] = { _, _, prefix in
        Catalogue.standard.claims.map(\.slug).filter { $0.hasPrefix(prefix) }
    }
}
