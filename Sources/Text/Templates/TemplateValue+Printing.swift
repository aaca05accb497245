/// Values as text, the way Python's `str` and `repr` write them.
extension TemplateRenderer {
    /// `str(value)`; undefined prints as nothing.
    func text(of value: TemplateValue) throws -> TemplateText {
        switch value {
        case .string(let text): return text
        case .undefined: return TemplateText()
        default:
            var bytes: [UInt8] = []
            try appendRepresentation(of: value, to: &bytes, level: 0)
            return TemplateText(bytes, isOwn: false)
        }
    }

    /// Appends `repr(value)`.
    func appendRepresentation(of value: TemplateValue, to bytes: inout [UInt8], level: Int) throws {
        try meter.step()
        guard level <= TemplateList.maximumDepth else {
            throw TemplateFault.limit("a value nests too deep to be printed")
        }
        let start = bytes.count
        switch value {
        case .undefined: bytes += "Undefined".utf8
        case .null: bytes += "None".utf8
        case .bool(let value): bytes += (value ? "True" : "False").utf8
        case .integer(let value): bytes += String(value).utf8
        case .double(let value): bytes += TemplateNumber.representation(of: value).utf8
        case .string(let text):
            if text.isMarkup { bytes += "Markup(".utf8 }
            TemplateQuoting.appendRepresentation(of: text.bytes, to: &bytes)
            if text.isMarkup { bytes.append(UInt8(ascii: ")")) }
        case .list(let list):
            bytes.append(UInt8(ascii: list.isTuple ? "(" : "["))
            for (position, element) in list.elements.enumerated() {
                if position > 0 { bytes += ", ".utf8 }
                try appendRepresentation(of: element, to: &bytes, level: level + 1)
            }
            if list.isTuple, list.elements.count == 1 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(UInt8(ascii: list.isTuple ? ")" : "]"))
            try meter.charge(list.elements.count * 2 + 2)
            return
        case .dictionary(let dictionary):
            bytes.append(UInt8(ascii: "{"))
            for (position, entry) in dictionary.entries.enumerated() {
                if position > 0 { bytes += ", ".utf8 }
                try appendRepresentation(of: entry.key, to: &bytes, level: level + 1)
                bytes += ": ".utf8
                try appendRepresentation(of: entry.value, to: &bytes, level: level + 1)
            }
            bytes.append(UInt8(ascii: "}"))
            try meter.charge(dictionary.entries.count * 4 + 2)
            return
        case .generator, .namespace, .loop, .function, .method, .macro, .cycler, .joiner:
            bytes += "<\(value.typeName)>".utf8
        }
        try meter.charge(bytes.count - start)
    }
}

/// How Python quotes strings.
enum TemplateQuoting {
    /// Appends `repr` of a string: single quotes unless only those occur in it, and escapes for what can't be printed.
    static func appendRepresentation(of text: [UInt8], to bytes: inout [UInt8]) {
        let hasSingle = text.contains(UInt8(ascii: "'"))
        let quote = UInt8(ascii: hasSingle && !text.contains(UInt8(ascii: "\"")) ? "\"" : "'")
        bytes.append(quote)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\\": bytes += "\\\\".utf8
            case "\n": bytes += "\\n".utf8
            case "\r": bytes += "\\r".utf8
            case "\t": bytes += "\\t".utf8
            case _ where scalar.value == UInt32(quote): bytes += [UInt8(ascii: "\\"), quote]
            case " "..."~": bytes.append(UInt8(scalar.value))
            default:
                if isPrintable(scalar) {
                    bytes += String(scalar).utf8
                } else if scalar.value <= 0xFF {
                    bytes += "\\x".utf8
                    appendHexadecimal(scalar.value, digits: 2, to: &bytes)
                } else if scalar.value <= 0xFFFF {
                    bytes += "\\u".utf8
                    appendHexadecimal(scalar.value, digits: 4, to: &bytes)
                } else {
                    bytes += "\\U".utf8
                    appendHexadecimal(scalar.value, digits: 8, to: &bytes)
                }
            }
        }
        bytes.append(quote)
    }

    static func appendHexadecimal(_ value: UInt32, digits: Int, to bytes: inout [UInt8]) {
        let text = String(value, radix: 16)
        bytes += [UInt8](repeating: UInt8(ascii: "0"), count: max(0, digits - text.utf8.count))
        bytes += text.utf8
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }

    /// `&`, `<`, `>` and quotes as HTML entities.
    static func escapedHTML(_ text: TemplateText, meter: TemplateMeter) throws -> TemplateText {
        if text.isMarkup { return text }
        var result = TemplateText()
        var start = 0
        for (offset, byte) in text.bytes.enumerated() {
            let entity: String
            switch byte {
            case UInt8(ascii: "&"): entity = "&amp;"
            case UInt8(ascii: "<"): entity = "&lt;"
            case UInt8(ascii: ">"): entity = "&gt;"
            case UInt8(ascii: "'"): entity = "&#39;"
            case UInt8(ascii: "\""): entity = "&#34;"
            default: continue
            }
            result.append(text[start..<offset])
            result.append(TemplateText(entity, isOwn: false))
            start = offset + 1
        }
        result.append(text[start..<text.count])
        try meter.charge(result.count)
        result.isMarkup = true
        return result
    }
}
