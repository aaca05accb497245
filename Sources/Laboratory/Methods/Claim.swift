import Inference

/// An experiment that can prove something wrong: what a method's paper says, or that a part of the laboratory does what it is for.
public struct Claim: Sendable {
    public var slug: String
    public var name: String
    /// What is claimed, in a sentence.
    public var statement: String
    /// What the subject must be able to do.
    public var needs: Capabilities
    public var experiment: @Sendable (Lab) async throws -> Demonstration

    public init(
        _ slug: String, name: String, _ statement: String, needs: Capabilities,
        experiment: @escaping @Sendable (Lab) async throws -> Demonstration
    ) {
        self.slug = slug
        self.name = name
        self.statement = statement
        self.needs = needs
        self.experiment = experiment
    }

    /// What a method's demo puts to the test.
    public init<M: Method>(_ method: M.Type) {
        self.init(M.card.slug, name: M.card.name, M.card.claim, needs: M.card.needs) { try await M().demo(in: $0) }
    }
}
