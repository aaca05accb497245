/// SHA-256 (FIPS 180-4), for names of cache entries and fingerprints.
package enum SHA256 {
    /// The digest in 64 hexadecimal digits.
    package static func hexadecimal(_ message: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(digest(message).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// The 32 bytes of the digest.
    package static func digest(_ message: some Collection<UInt8>) -> [UInt8] {
        var padded = Array(message)
        let bitCount = UInt64(padded.count) * 8
        padded.append(0x80)
        padded.append(contentsOf: repeatElement(0, count: (120 - padded.count % 64) % 64))
        for shift in stride(from: 56, through: 0, by: -8) {
            padded.append(UInt8(truncatingIfNeeded: bitCount >> shift))
        }

        var hash = initialHash
        var schedule = [UInt32](repeating: 0, count: 64)
        for block in stride(from: 0, to: padded.count, by: 64) {
            for t in 0..<16 {
                let at = block + 4 * t
                schedule[t] =
                    UInt32(padded[at]) << 24 | UInt32(padded[at + 1]) << 16 | UInt32(padded[at + 2]) << 8
                    | UInt32(padded[at + 3])
            }
            for t in 16..<64 {
                let a = schedule[t - 15]
                let b = schedule[t - 2]
                let small0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3
                let small1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10
                schedule[t] = schedule[t - 16] &+ small0 &+ schedule[t - 7] &+ small1
            }
            compress(schedule, into: &hash)
        }
        return hash.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
    }

    private static func compress(_ schedule: [UInt32], into hash: inout [UInt32]) {
        var (a, b, c, d) = (hash[0], hash[1], hash[2], hash[3])
        var (e, f, g, h) = (hash[4], hash[5], hash[6], hash[7])
        for t in 0..<64 {
            let choice = (e & f) ^ (~e & g)
            let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
            let first = h &+ sum1 &+ choice &+ roundConstants[t] &+ schedule[t]
            let majority = (a & b) ^ (a & c) ^ (b & c)
            let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ majority
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ second)
        }
        for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { hash[index] &+= word }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

    private static let primes: [Int] = (2...311).filter { candidate in
        !(2..<candidate).contains { candidate % $0 == 0 }
    }

    /// The first 32 bits of the fractional parts of the square roots of the first eight primes.
    private static let initialHash: [UInt32] = primes.prefix(8).map { fraction(of: $0, root: 2) }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let roundConstants: [UInt32] = primes.prefix(64).map { fraction(of: $0, root: 3) }

    /// ⌊2³² · (ᵏ√prime mod 1)⌋, by bisection over exact integers.
    private static func fraction(of prime: Int, root: Int) -> UInt32 {
        // Finds the largest x with xᵏ ≤ prime · 2³²ᵏ.
        var low: UInt64 = 0
        var high: UInt64 = 1 << 37
        while high - low > 1 {
            let middle = (low + high) / 2
            var power = UInt128(middle)
            for _ in 1..<root { power *= UInt128(middle) }
            if power <= UInt128(prime) << UInt128(32 * root) { low = middle } else { high = middle }
        }
        return UInt32(truncatingIfNeeded: low)
    }
}
