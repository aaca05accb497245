#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The C library's logarithm under one name, where a file would otherwise need the platform's module.
enum Logarithm {
    static func natural(_ value: Double) -> Double { log(value) }
}

/// The few distribution functions that the intervals and tests need.
enum Distributions {
    /// The logarithm of the binomial coefficient n over k.
    static func logChoose(_ n: Int, _ k: Int) -> Double {
        lgamma(Double(n) + 1) - lgamma(Double(k) + 1) - lgamma(Double(n - k) + 1)
    }

    /// The probability of exactly k successes in n trials.
    static func binomial(_ k: Int, of n: Int, _ probability: Double) -> Double {
        if probability <= 0 { return k == 0 ? 1 : 0 }
        if probability >= 1 { return k == n ? 1 : 0 }
        return exp(logChoose(n, k) + Double(k) * log(probability) + Double(n - k) * log1p(-probability))
    }

    /// The standard normal distribution function.
    static func normal(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

    /// The inverse of the standard normal distribution function for probabilities strictly between 0 and 1, to double
    /// precision: a bisection's bracket refined by Newton steps on `normal`.
    static func normalQuantile(_ probability: Double) -> Double {
        if probability == 0.5 { return 0 }
        if probability > 0.5 { return -normalQuantile(1 - probability) }
        var low = -40.0
        var high = 0.0
        for _ in 0..<30 {
            let middle = (low + high) / 2
            if normal(middle) < probability { low = middle } else { high = middle }
        }
        var z = (low + high) / 2
        for _ in 0..<4 {
            let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
            guard density > 0 else { break }
            z -= (normal(z) - probability) / density
        }
        return z
    }

    /// The two-sided p-value of Student's t with the given degrees of freedom.
    static func studentTwoSided(_ t: Double, degrees: Double) -> Double {
        incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
    }

    /// The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22, Lentz's method).
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
        let tiny = 1e-300
        var c = 1.0
        var d = 1 - (a + b) * x / (a + 1)
        d = 1 / (abs(d) < tiny ? tiny : d)
        var fraction = d
        for step in 1...500 {
            let m = Double(step)
            for numerator in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 + numerator * d
                d = 1 / (abs(d) < tiny ? tiny : d)
                c = 1 + numerator / c
                if abs(c) < tiny { c = tiny }
                fraction *= c * d
            }
            if abs(c * d - 1) < 1e-15 { break }
        }
        return front * fraction
    }
}
