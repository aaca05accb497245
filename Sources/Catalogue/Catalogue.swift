import Laboratory

/// Every method of Lyceum, built or planned: what the command line, the server and the pages are generated from.
public struct Catalogue: Sendable {
    /// The built methods, by slug.
    public let methods: [any Method.Type]
    /// One card a method, sorted by slug.
    public let cards: [MethodCard]
    /// What `lyceum claims` puts to the test, sorted by slug: the built methods' demos, and that learning works.
    public let claims: [Claim]

    /// All methods of this package.
    public static let standard = Catalogue(methods: builtMethods)

    /// What runs like a method and is no paper's.
    private static let examinations: [any Method.Type] = [BenchmarkStrategies.self]

    /// A catalogue of these built methods and of the planned cards that none of them replaces.
    public init(methods: [any Method.Type]) {
        self.methods = methods.sorted { $0.card.slug < $1.card.slug }
        claims = (methods.map { Claim($0) } + LearningClaims.all).sorted { $0.slug < $1.slug }
        let built = Set(methods.map { $0.card.slug })
        let planned = Cards.planned.filter { !built.contains($0.slug) }
        cards = (methods.map { $0.card } + planned).sorted { $0.slug < $1.slug }
    }

    public func card(_ slug: String) throws(CatalogueError) -> MethodCard {
        guard let card = cards.first(where: { $0.slug == slug }) else {
            throw .unknown(slug: slug, known: cards.map(\.slug))
        }
        return card
    }

    /// A method that runs.
    public func method(_ slug: String) throws(CatalogueError) -> any Method.Type {
        if let method = (methods + Self.examinations).first(where: { $0.card.slug == slug }) { return method }
        throw .planned(try card(slug))
    }

    /// A claim that can be put to the test.
    public func claim(_ slug: String) throws(CatalogueError) -> Claim {
        if let claim = claims.first(where: { $0.slug == slug }) { return claim }
        if let card = cards.first(where: { $0.slug == slug }) { throw .planned(card) }
        throw .unknown(slug: slug, known: claims.map(\.slug))
    }

    /// The cards of a family, or all.
    public func cards(of family: Family?) -> [MethodCard] {
        family.map { family in cards.filter { $0.family == family } } ?? cards
    }
}

/// Why the catalogue has no such method to run.
public enum CatalogueError: Error, Hashable, CustomStringConvertible {
    case unknown(slug: String, known: [String])
    case planned(MethodCard)

    public var description: String {
        switch self {
        case .unknown(let slug, let known):
            "There is no method \(slug.debugDescription). "
                + Spelling.suggestion(for: slug, among: known, otherwise: "lyceum methods lists all \(known.count).")
        case .planned(let card):
            "\(card.slug) (\(card.name)) is planned and not built yet; lyceum explain \(card.slug) says what it will do."
        }
    }
}
