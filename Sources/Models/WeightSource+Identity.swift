import Tensors

extension WeightSource {
    /// A short name for tables: the file's or folder's last part, without the ending.
    public var displayName: String {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        return last.hasSuffix(".gguf") ? String(last.dropLast(5)) : last
    }

    /// 128 bits of a hash over every tensor's name, shape and bytes, in hexadecimal. Equal weights in the same form give equal
    /// fingerprints; it guards against mix-ups, not against an adversary.
    public func fingerprint() -> String {
        var hash = Fingerprint()
        for tensor in tensors {
            hash.add(tensor.name.utf8)
            hash.add(UInt64(tensor.byteCount))
            if let bytes = try? bytes(of: tensor.name) { bytes.readOnce { hash.add($0) } }
        }
        return hash.hexadecimal
    }
}

/// Four independent multiply-and-rotate lanes over 32-byte strides, mixed at the end (the structure of xxHash64).
package struct Fingerprint {
    package init() {}

    private var lanes: SIMD4<UInt64> = [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 1]
    private var length: UInt64 = 0
    private static let prime: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index + 32 <= bytes.count {
            let words = bytes.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            lanes = (lanes &+ words &* Self.prime)
            lanes = (lanes &<< 31 | lanes &>> 33) &* 0x9E37_79B1_85EB_CA87
            index += 32
        }
        while index < bytes.count {
            add(UInt64(bytes[index]))
            index += 1
        }
        length &+= UInt64(bytes.count)
    }

    package mutating func add(_ text: some Sequence<UInt8>) {
        for byte in text { add(UInt64(byte)) }
    }

    package mutating func add(_ value: UInt64) {
        lanes[0] = (lanes[0] ^ value &* Self.prime) &* 0x9E37_79B1_85EB_CA87
        lanes = [lanes[1], lanes[2], lanes[3], lanes[0] ^ lanes[0] >> 29]
        length &+= 1
    }

    package var hexadecimal: String {
        func mix(_ value: UInt64) -> UInt64 {
            var z = value
            z = (z ^ z >> 33) &* 0xFF51_AFD7_ED55_8CCD
            z = (z ^ z >> 33) &* 0xC4CE_B9FE_1A85_EC53
            return z ^ z >> 33
        }
        let high = mix(lanes[0] &+ mix(lanes[1]) &+ length), low = mix(lanes[2] &+ mix(lanes[3]) &+ high)
        return [high, low].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}
