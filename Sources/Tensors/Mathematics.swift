#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// The C library's functions under names that the tensor operations of the same names don't hide.

func sineAndCosine(_ angle: Double) -> (sine: Double, cosine: Double) { (sin(angle), cos(angle)) }

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

func naturalLogarithm(_ x: Double) -> Double { log(x) }

func squareRoot(_ x: Double) -> Double { x.squareRoot() }
