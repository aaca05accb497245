/// A pattern over names of weights: `*` stands for anything, and a pattern without it also fits as the last parts of a name, with or without
/// `.weight`: `down_proj`, `layers.3.mlp.down_proj` and `model.layers.3.mlp.down_proj.weight` all fit the last one.
public struct NamePattern: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { text = value }

    public var description: String { text }

    public func matches(_ name: String) -> Bool {
        if text.contains("*") { return Self.matches(Array(text.utf8)[...], Array(name.utf8)[...]) }
        return [name, Self.module(of: name)].contains { $0 == text || $0.hasSuffix("." + text) }
    }

    /// - Throws: where a pattern fits none of the names that were chosen.
    static func demandAllFit(_ patterns: [NamePattern], _ chosen: [String], of all: [String]) throws {
        let idle = patterns.filter { pattern in !chosen.contains { pattern.matches($0) } }
        guard idle.isEmpty, !chosen.isEmpty else {
            throw TrainingError.nothingToTrain(patterns: idle.map(\.text), examples: Array(all.prefix(4)))
        }
    }

    /// A weight's name without `.weight`: the module it belongs to.
    public static func module(of name: String) -> String {
        name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
    }

    /// Greedy matching: at a mismatch the last `*` takes one byte more.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        let star = UInt8(ascii: "*")
        var (p, n) = (pattern.startIndex, name.startIndex)
        var retry: (pattern: Int, name: Int)?
        while n < name.endIndex {
            if p < pattern.endIndex, pattern[p] == star {
                retry = (p + 1, n)
                p += 1
            } else if p < pattern.endIndex, pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                p = last.pattern
                n = last.name + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == star }
    }
}
