/// What a constraint may cost to compile and to follow. Crossing a compile-time limit is a `ConstraintError`; the limits on
/// following a constraint only narrow what is permitted, so that the output stays valid.
public struct ConstraintLimits: Sendable, Hashable {
    /// The deepest nesting of groups in a regular expression.
    public var regexDepth = 100
    /// States of the nondeterministic automaton of one regular expression, with its bounded repetitions written out.
    public var regexStates = 20_000
    /// States of a deterministic automaton over characters.
    public var automatonStates = 20_000
    /// Elementary steps of one determinisation or product of automata.
    public var automatonWork = 40_000_000
    /// Values (objects, arrays, scalars) in a JSON Schema document.
    public var schemaNodes = 50_000
    /// Nesting of `$ref`, `allOf`, `anyOf` and `oneOf` within each other at one place of the document.
    public var schemaDepth = 64
    /// Combinations that the `anyOf` and `oneOf` of one place may multiply to.
    public var schemaAlternatives = 512
    /// Rules of the compiled grammar.
    public var rules = 20_000
    /// Positions of the compiled grammar.
    public var positions = 1_000_000
    /// How deep a recursive schema may nest in the output. Deeper nesting is not generated.
    public var recursionDepth = 32
    /// Strings longer and arrays larger than this are not generated, whatever `maxLength` and `maxItems` allow.
    public var repetitions = 65_536
    /// Parallel readings of an ambiguous text that are followed. Of more, the first in a fixed order are kept.
    public var parallelStacks = 256
    /// Automaton states remembered between steps, in 8-byte words of their description.
    public var rememberedWords = 8_000_000
    /// Token masks remembered between steps.
    public var rememberedMasks = 2_048

    public init() {}
}
