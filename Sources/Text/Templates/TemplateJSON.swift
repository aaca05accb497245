/// `tojson`: what Python's `json.dumps` writes.
struct TemplateJSON {
    var asciiOnly = false
    /// What one level is indented by; nil for all on one line.
    var indent: [UInt8]?
    var itemSeparator: [UInt8] = Array(", ".utf8)
    var keySeparator: [UInt8] = Array(": ".utf8)
    var sortsKeys = false

    let meter: TemplateMeter

    init(meter: TemplateMeter) { self.meter = meter }

    func encoded(_ value: TemplateValue) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try append(value, to: &bytes, level: 0)
        return bytes
    }

    private func append(_ value: TemplateValue, to bytes: inout [UInt8], level: Int) throws {
        try meter.step()
        let start = bytes.count
        switch value {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .integer(let value): bytes += String(value).utf8
        case .double(let value): bytes += Self.number(value).utf8
        case .string(let text): appendString(text.bytes, to: &bytes)
        case .list(let list):
            try appendContainer("[", "]", count: list.elements.count, to: &bytes, level: level) { position, bytes in
                try append(list.elements[position], to: &bytes, level: level + 1)
            }
            return
        case .dictionary(let dictionary):
            var entries = try dictionary.entries.map { (key: try key($0.key), value: $0.value) }
            if sortsKeys { entries.sort { $0.key.lexicographicallyPrecedes($1.key) } }
            try appendContainer("{", "}", count: entries.count, to: &bytes, level: level) { position, bytes in
                appendString(entries[position].key, to: &bytes)
                bytes += keySeparator
                try meter.charge(entries[position].key.count + keySeparator.count)
                try append(entries[position].value, to: &bytes, level: level + 1)
            }
            return
        default: throw TemplateFault.value("a value of type \(value.typeName) can't be written as JSON")
        }
        try meter.charge(bytes.count - start)
    }

    private func appendContainer(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, count: Int, to bytes: inout [UInt8], level: Int,
        element: (Int, inout [UInt8]) throws -> Void
    ) throws {
        bytes.append(UInt8(ascii: open))
        for position in 0..<count {
            if position > 0 {
                bytes += itemSeparator
                try meter.charge(itemSeparator.count)
            }
            try appendNewline(level: level + 1, to: &bytes)
            try element(position, &bytes)
        }
        if count > 0 { try appendNewline(level: level, to: &bytes) }
        bytes.append(UInt8(ascii: close))
    }

    private func appendNewline(level: Int, to bytes: inout [UInt8]) throws {
        guard let indent else { return }
        try meter.charge(level, times: indent.count)
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<level { bytes += indent }
    }

    private func key(_ value: TemplateValue) throws -> [UInt8] {
        switch value {
        case .string(let text): return text.bytes
        case .null: return Array("null".utf8)
        case .bool(let value): return Array((value ? "true" : "false").utf8)
        case .integer(let value): return Array(String(value).utf8)
        case .double(let value): return Array(Self.number(value).utf8)
        default: throw TemplateFault.value("a \(value.typeName) can't be a key in JSON")
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return TemplateNumber.representation(of: value)
    }

    private func appendString(_ text: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if asciiOnly {
            for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
                if scalar.isASCII {
                    append(UInt8(scalar.value), to: &bytes)
                } else {
                    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                        appendUnit(unit, to: &bytes)
                    }
                }
            }
        } else {
            for byte in text { append(byte, to: &bytes) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func append(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes += "\\\"".utf8
        case UInt8(ascii: "\\"): bytes += "\\\\".utf8
        case 0x0A: bytes += "\\n".utf8
        case 0x0D: bytes += "\\r".utf8
        case 0x09: bytes += "\\t".utf8
        case 0x0C: bytes += "\\f".utf8
        case 0x08: bytes += "\\b".utf8
        case 0..<0x20: appendUnit(UInt16(byte), to: &bytes)
        case 0x7F where asciiOnly: appendUnit(0x7F, to: &bytes)
        default: bytes.append(byte)
        }
    }

    private func appendUnit(_ unit: UInt16, to bytes: inout [UInt8]) {
        bytes += "\\u".utf8
        TemplateQuoting.appendHexadecimal(UInt32(unit), digits: 4, to: &bytes)
    }
}
