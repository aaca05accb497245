import Laboratory
import Reasoning

extension Catalogue {
    /// The names of all strategies: the baseline and the built methods that answer questions.
    public var strategyNames: [String] {
        [DirectStrategy.name] + strategyMethods.flatMap { $0.strategyNames }
    }

    private var strategyMethods: [any StrategyMethod.Type] { methods.compactMap { $0 as? any StrategyMethod.Type } }

    /// A strategy by its name, with its method's defaults. `jekyll-hyde:zero-shot-cot` is the first around the second.
    public func strategy(_ name: String) throws -> any ReasoningStrategy {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var strategy: (any ReasoningStrategy)?
        for (place, slug) in parts.enumerated().reversed() {
            if slug == DirectStrategy.name, place == parts.count - 1 {
                strategy = DirectStrategy()
                continue
            }
            guard let method = strategyMethods.first(where: { $0.strategyNames.contains(slug) }) else {
                throw StrategyError.unknown(name: slug, known: strategyNames)
            }
            if strategy != nil, !method.holdsAnother {
                throw StrategyError.holdsNone(outer: slug, inner: parts[place + 1])
            }
            strategy = try method.strategy(named: slug, around: strategy)
        }
        guard let strategy else { throw StrategyError.unknown(name: name, known: strategyNames) }
        return strategy
    }
}

/// Why there is no such strategy.
public enum StrategyError: Error, Hashable, CustomStringConvertible {
    case unknown(name: String, known: [String])
    case holdsNone(outer: String, inner: String)

    public var description: String {
        switch self {
        case .unknown(let name, let known):
            "There is no strategy \(name.debugDescription). Strategies: \(known.joined(separator: ", "))."
        case .holdsNone(let outer, let inner):
            "\(outer) can't be put around \(inner): it asks the model itself. Give them as two strategies, \(outer),\(inner)."
        }
    }
}
