/// Backslash escapes of string literals, as Python reads them.
enum TemplateEscapes {
    static func unescaped(_ source: [UInt8]) throws -> [UInt8] {
        guard source.contains(UInt8(ascii: "\\")) else { return source }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var offset = 0
        while offset < source.count {
            let byte = source[offset]
            guard byte == UInt8(ascii: "\\"), offset + 1 < source.count else {
                bytes.append(byte)
                offset += 1
                continue
            }
            let escape = source[offset + 1]
            offset += 2
            switch escape {
            case UInt8(ascii: "\n"): break
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
            case UInt8(ascii: "a"): bytes.append(0x07)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "v"): bytes.append(0x0B)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "x"): try appendHexadecimal(2)
            case UInt8(ascii: "u"): try appendHexadecimal(4)
            case UInt8(ascii: "U"): try appendHexadecimal(8)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                var value = UInt32(escape - UInt8(ascii: "0"))
                var digits = 1
                while digits < 3, offset < source.count,
                    (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(source[offset])
                {
                    value = value * 8 + UInt32(source[offset] - UInt8(ascii: "0"))
                    offset += 1
                    digits += 1
                }
                try append(value)
            case UInt8(ascii: "N"):
                throw TemplateFault.unsupported(
                    "characters by name, '\\N{…}', are not supported; write '\\u' and the code")
            default: bytes += [UInt8(ascii: "\\"), escape]
            }
        }
        return bytes

        func append(_ value: UInt32) throws {
            guard let scalar = Unicode.Scalar(value) else {
                throw TemplateFault(kind: .syntax, message: "an escape names the code \(value), which is no character")
            }
            bytes.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        }

        func appendHexadecimal(_ digits: Int) throws {
            let end = offset + digits
            guard end <= source.count,
                let value = UInt32(String(decoding: source[offset..<end], as: UTF8.self), radix: 16)
            else { throw TemplateFault(kind: .syntax, message: "an escape needs \(digits) hexadecimal digits") }
            offset = end
            try append(value)
        }
    }
}
