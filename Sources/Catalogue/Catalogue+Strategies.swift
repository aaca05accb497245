import Inference
import Laboratory
import Reasoning

extension Catalogue {
    /// The names of all strategies: the baseline and the built methods that answer questions.
    public var strategyNames: [String] {
        [DirectStrategy.name] + methods.compactMap { $0 as? any StrategyMethod.Type }.map { $0.card.slug }
    }

    /// A strategy as a user spells it: its method's name, with options in brackets where the defaults don't do, and around another
    /// one behind a colon: `sec`, `sec[k=3;on-failure=zero-shot]`, `jekyll-hyde:zero-shot-cot`.
    public func strategy(_ spelling: String) throws -> any ReasoningStrategy {
        let parts = Self.parts(of: spelling)
        var strategy: (any ReasoningStrategy)?
        for (place, part) in parts.enumerated().reversed() {
            let bracket = part.firstIndex(of: "[") ?? part.endIndex
            let slug = String(part[..<bracket])
            if part == DirectStrategy.name, place == parts.count - 1 {
                strategy = DirectStrategy()
                continue
            }
            guard let method = methods.first(where: { $0.card.slug == slug }) as? any StrategyMethod.Type else {
                throw StrategyError.unknown(name: slug, known: strategyNames)
            }
            if strategy != nil, !method.holdsAnother {
                throw StrategyError.holdsNone(outer: slug, inner: parts[place + 1])
            }
            strategy = try method.strategy(flags: Self.flags(part[bracket...], of: part), around: strategy)
        }
        guard let strategy else { throw StrategyError.unknown(name: spelling, known: strategyNames) }
        return spelling.contains("[") ? SpeltStrategy(name: spelling, base: strategy) : strategy
    }

    /// What stands between colons outside of brackets.
    private static func parts(of spelling: String) -> [String] {
        var parts = [""]
        var depth = 0
        for character in spelling {
            depth += character == "[" ? 1 : character == "]" ? -1 : 0
            if character == ":", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts
    }

    /// `[k=3;on-failure=zero-shot]` as flags.
    private static func flags(_ text: Substring, of part: String) throws -> [String] {
        guard !text.isEmpty else { return [] }
        guard text.count > 2, text.last == "]" else { throw StrategyError.badOptions(part) }
        return try text.dropFirst().dropLast().split(separator: ";").map { option in
            guard let equals = option.firstIndex(of: "="), equals > option.startIndex else {
                throw StrategyError.badOptions(part)
            }
            return "--\(option)"
        }
    }
}

/// A strategy under the name that its options make it.
private struct SpeltStrategy: ReasoningStrategy {
    let name: String
    let base: any ReasoningStrategy
    var needs: Capabilities { base.needs }

    func solve(_ inquiry: Inquiry) async throws -> Solution { try await base.solve(inquiry) }
}

/// Why there is no such strategy.
public enum StrategyError: Error, Hashable, CustomStringConvertible {
    case unknown(name: String, known: [String])
    case holdsNone(outer: String, inner: String)
    case badOptions(String)

    public var description: String {
        switch self {
        case .unknown(let name, let known):
            "There is no strategy \(name.debugDescription). Strategies: \(known.joined(separator: ", "))."
        case .badOptions(let part):
            "The options of \(part) can't be read. They stand in brackets with semicolons between: sec[k=3;on-failure=zero-shot]."
        case .holdsNone(let outer, let inner):
            "\(outer) can't be put around \(inner): it asks the model itself. Give them as two strategies, \(outer),\(inner)."
        }
    }
}
