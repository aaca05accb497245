/// `format.format(values)`, as Python fills in `{}`.
extension TemplateRenderer {
    func braceFormatted(_ format: TemplateText, _ arguments: TemplateArguments) throws -> TemplateText {
        var automatic = 0
        return try braceFormatted(format, arguments, &automatic, level: 0)
    }

    private func braceFormatted(
        _ format: TemplateText, _ arguments: TemplateArguments, _ automatic: inout Int, level: Int
    ) throws -> TemplateText {
        guard level < 2 else { throw TemplateFault.value("the braces of a format nest too deep") }
        var result = format.emptied
        let bytes = format.bytes
        var position = 0
        while position < bytes.count {
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "{"), bytes[position] != UInt8(ascii: "}") {
                position += 1
            }
            result.append(format[start..<position])
            guard position < bytes.count else { break }
            let brace = bytes[position]
            if position + 1 < bytes.count, bytes[position + 1] == brace {
                result.append(format[position..<position + 1])
                position += 2
                continue
            }
            guard brace == UInt8(ascii: "{") else { throw TemplateFault.value("a format has a single '}'; write '}}'") }
            let end = try Self.closingBrace(bytes, from: position)
            let text = try field(format[position + 1..<end], arguments, &automatic, level: level)
            try meter.charge(text.count)
            result.append(text)
            position = end + 1
        }
        return result
    }

    private static func closingBrace(_ bytes: [UInt8], from start: Int) throws -> Int {
        var open = 0
        for position in start..<bytes.count {
            if bytes[position] == UInt8(ascii: "{") { open += 1 }
            if bytes[position] == UInt8(ascii: "}") {
                open -= 1
                if open == 0 { return position }
            }
        }
        throw TemplateFault.value("a '{' in a format is not closed")
    }

    /// One `{name!conversion:specification}`, without its braces.
    private func field(
        _ field: TemplateText, _ arguments: TemplateArguments, _ automatic: inout Int, level: Int
    ) throws -> TemplateText {
        try meter.step()
        let bytes = field.bytes
        var nameEnd = 0
        var isInBrackets = false
        while nameEnd < bytes.count {
            if bytes[nameEnd] == UInt8(ascii: "[") { isInBrackets = true }
            if bytes[nameEnd] == UInt8(ascii: "]") { isInBrackets = false }
            if !isInBrackets, bytes[nameEnd] == UInt8(ascii: "!") || bytes[nameEnd] == UInt8(ascii: ":") { break }
            nameEnd += 1
        }
        var value = try fieldValue(field[0..<nameEnd], arguments, &automatic)
        var position = nameEnd
        if position < bytes.count, bytes[position] == UInt8(ascii: "!") {
            guard position + 1 < bytes.count else { throw TemplateFault.value("a format has nothing after '!'") }
            switch bytes[position + 1] {
            case UInt8(ascii: "s"): value = .string(try text(of: value))
            case UInt8(ascii: "r"), UInt8(ascii: "a"): value = .string(try representation(of: value))
            default: throw TemplateFault.value("a format knows the conversions '!s' and '!r' only")
            }
            position += 2
        }
        guard position < bytes.count else { return try text(of: value) }
        guard bytes[position] == UInt8(ascii: ":") else {
            throw TemplateFault.value("a format needs ':' after a conversion")
        }
        var specification = field[position + 1..<bytes.count]
        if specification.bytes.contains(UInt8(ascii: "{")) {
            specification = try braceFormatted(specification, arguments, &automatic, level: level + 1)
        }
        return try formatted(value, try self.specification(specification))
    }

    private func fieldValue(
        _ name: TemplateText, _ arguments: TemplateArguments, _ automatic: inout Int
    ) throws -> TemplateValue {
        let text = name.string
        let firstEnd = text.firstIndex { $0 == "." || $0 == "[" } ?? text.endIndex
        let first = text[..<firstEnd]
        var value: TemplateValue
        if first.isEmpty || first.allSatisfy({ $0.isASCII && $0.isNumber }) {
            let place = first.isEmpty ? automatic : Int(first) ?? .max
            if first.isEmpty { automatic += 1 }
            guard place < arguments.positional.count else {
                throw TemplateFault.value("a format has more places than values")
            }
            value = arguments.positional[place]
        } else {
            guard let found = arguments.keywords.last(where: { $0.name == first })?.value else {
                throw TemplateFault.value("a format asks for '\(first)', which is not given")
            }
            value = found
        }
        var rest = text[firstEnd...]
        while let separator = rest.first {
            rest = rest.dropFirst()
            let end = rest.firstIndex { separator == "[" ? $0 == "]" : $0 == "." || $0 == "[" } ?? rest.endIndex
            let part = String(rest[..<end])
            if separator == "[" {
                value = try element(Int(part).map { .integer($0) } ?? .text(part), of: value)
                rest = rest[end...].dropFirst()
            } else {
                value = try element(.text(part), of: value)
                rest = rest[end...]
            }
        }
        return value
    }

    /// Reads `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
    private func specification(_ text: TemplateText) throws -> TemplateFormatSpecification {
        var specification = TemplateFormatSpecification()
        let characters = text.characters
        var position = 0
        func byte(_ offset: Int = 0) -> UInt8? {
            guard position + offset < characters.count else { return nil }
            let bytes = characters[position + offset].bytes
            return bytes.count == 1 ? bytes[0] : nil
        }
        func alignment(_ byte: UInt8?) -> TemplateFormatSpecification.Alignment? {
            switch byte {
            case UInt8(ascii: "<"): .left
            case UInt8(ascii: ">"): .right
            case UInt8(ascii: "^"): .center
            case UInt8(ascii: "="): .afterSign
            default: nil
            }
        }
        func number() throws -> Int? {
            var value: Int?
            while let digit = byte(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
                value = (value ?? 0) * 10 + Int(digit - UInt8(ascii: "0"))
                guard value ?? 0 <= TemplateFormatSpecification.greatestWidth else {
                    throw TemplateFault.limit("a width in a format is too large")
                }
                position += 1
            }
            return value
        }
        if let alignment = alignment(byte(1)) {
            specification.fill = characters[position]
            specification.alignment = alignment
            position += 2
        } else if let alignment = alignment(byte()) {
            specification.alignment = alignment
            position += 1
        }
        if let sign = byte(), "+- ".utf8.contains(sign) {
            specification.sign = sign
            position += 1
        }
        if byte() == UInt8(ascii: "#") {
            specification.isAlternate = true
            position += 1
        }
        if byte() == UInt8(ascii: "0") {
            specification.hasZeros = true
            position += 1
        }
        specification.width = try number() ?? 0
        if let grouping = byte(), grouping == UInt8(ascii: ",") || grouping == UInt8(ascii: "_") {
            specification.grouping = grouping
            position += 1
        }
        if byte() == UInt8(ascii: ".") {
            position += 1
            specification.precision = try number() ?? 0
        }
        if let form = byte() {
            specification.form = form
            position += 1
        }
        guard position == characters.count else {
            throw TemplateFault.value("'\(text.string)' is not a way to format a value")
        }
        return specification
    }

    private func formatted(
        _ value: TemplateValue, _ specification: TemplateFormatSpecification
    ) throws -> TemplateText {
        switch value {
        case .string(var text) where specification.form == nil || specification.form == UInt8(ascii: "s"):
            if let precision = specification.precision { text = try text.sliced(TemplateSlice(stop: precision)) }
            var specification = specification
            if specification.hasZeros, specification.alignment == nil {
                specification.fill = "0"
                specification.alignment = .left
            }
            return try specification.padded(text, default: .left, meter: meter)
        case .integer, .bool:
            if let integer = value.index, let text = try specification.formatted(integer, meter: meter) { return text }
            if let number = value.number, let text = try specification.formatted(number, meter: meter) { return text }
        case .double(let number):
            if let text = try specification.formatted(number, meter: meter) { return text }
        default: break
        }
        throw TemplateFault.value("a \(value.typeName) can't be formatted in that way")
    }
}
