#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How surprised a model is by a text.
public enum Perplexity {
    /// exp of the negative mean log-probability per token, in nats.
    public static func of(meanLogProbability mean: Double) -> Double { exp(-mean) }
}
