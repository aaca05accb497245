/// `format % values`, as Python formats text.
extension TemplateRenderer {
    func percentFormatted(_ format: TemplateText, _ values: TemplateValue) throws -> TemplateText {
        var positional: ArraySlice<TemplateValue> = [values]
        if case .list(let list) = values, list.isTuple { positional = list.elements[...] }
        var result = format.emptied
        let bytes = format.bytes
        var position = 0
        var usesNames = false
        while let percent = bytes[position...].firstIndex(of: UInt8(ascii: "%")) {
            result.append(format[position..<percent])
            position = percent + 1
            try meter.step()
            var specification = TemplateFormatSpecification()
            var named: TemplateValue?
            if byte() == UInt8(ascii: "(") {
                guard let end = bytes[position...].firstIndex(of: UInt8(ascii: ")")),
                    case .dictionary(let dictionary) = values
                else { throw TemplateFault.value("'%(name)' in a format needs a dictionary of values") }
                let name = Array(bytes[position + 1..<end])
                guard let value = dictionary[name] else {
                    throw TemplateFault.value(
                        "a format asks for '\(String(decoding: name, as: UTF8.self))', which is not given")
                }
                named = value
                usesNames = true
                position = end + 1
            }
            flags: while let flag = byte() {
                switch flag {
                case UInt8(ascii: "-"): specification.alignment = .left
                case UInt8(ascii: "+"): specification.sign = flag
                case UInt8(ascii: " "): specification.sign = specification.sign ?? flag
                case UInt8(ascii: "0"): specification.hasZeros = true
                case UInt8(ascii: "#"): specification.isAlternate = true
                default: break flags
                }
                position += 1
            }
            specification.width = try number() ?? 0
            if specification.width < 0 {
                specification.alignment = .left
                specification.width = -specification.width
            }
            if byte() == UInt8(ascii: ".") {
                position += 1
                specification.precision = max(0, try number() ?? 0)
            }
            while let modifier = byte(), "hlL".utf8.contains(modifier) { position += 1 }
            guard let form = byte() else { throw TemplateFault.value("a format ends in the middle of a '%'") }
            position += 1
            if form == UInt8(ascii: "%") {
                result.append("%")
                continue
            }
            specification.form = form
            let value = try named ?? nextValue()
            let text = try percentFormatted(value, specification)
            try meter.charge(text.count)
            result.append(text)
        }
        result.append(format[position..<format.count])
        if !usesNames, !positional.isEmpty {
            // Only values that Python can't take for a dictionary have to be used up.
            switch values {
            case .dictionary, .undefined: return result
            case .list(let list) where !list.isTuple: return result
            default: break
            }
            throw TemplateFault.value("a format has fewer places than values")
        }
        return result

        func byte() -> UInt8? { position < bytes.count ? bytes[position] : nil }

        func nextValue() throws -> TemplateValue {
            guard let value = positional.popFirst() else {
                throw TemplateFault.value("a format has more places than values")
            }
            return value
        }

        func number() throws -> Int? {
            if byte() == UInt8(ascii: "*") {
                position += 1
                let value = try integer(try nextValue(), default: 0, "format")
                guard value.magnitude <= TemplateFormatSpecification.greatestWidth else {
                    throw TemplateFault.limit("a width in a format is too large")
                }
                return value
            }
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
    }

    private func percentFormatted(
        _ value: TemplateValue, _ specification: TemplateFormatSpecification
    ) throws -> TemplateText {
        let form = specification.form ?? 0
        switch form {
        case UInt8(ascii: "s"), UInt8(ascii: "r"), UInt8(ascii: "a"):
            var text = form == UInt8(ascii: "s") ? try text(of: value) : try representation(of: value)
            if let precision = specification.precision { text = try text.sliced(TemplateSlice(stop: precision)) }
            return try specification.padded(text, default: .right, meter: meter)
        case UInt8(ascii: "c"):
            if case .string(let text) = value, text.length == 1 {
                return try specification.padded(text, default: .right, meter: meter)
            }
            guard let scalar = value.index.flatMap({ UInt32(exactly: $0) }).flatMap({ Unicode.Scalar($0) }) else {
                throw TemplateFault.value("'%c' in a format needs a character or its number")
            }
            return try specification.padded(TemplateText(String(scalar), isOwn: false), default: .right, meter: meter)
        case UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "x"), UInt8(ascii: "X"),
            UInt8(ascii: "o"):
            var integer = value.index
            if case .double(let number) = value, form | 0x20 != UInt8(ascii: "x"), form != UInt8(ascii: "o") {
                integer = Int(exactly: number.rounded(.towardZero))
            }
            if let integer, let text = try specification.formatted(integer, meter: meter) { return text }
        case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "g"),
            UInt8(ascii: "G"):
            if let number = value.number, let text = try specification.formatted(number, meter: meter) { return text }
        default: throw TemplateFault.value("a format has an unknown '%\(Character(Unicode.Scalar(form)))'")
        }
        throw TemplateFault.value(
            "'%\(Character(Unicode.Scalar(form)))' in a format needs a number, not a \(value.typeName)")
    }

    func representation(of value: TemplateValue) throws -> TemplateText {
        var bytes: [UInt8] = []
        try appendRepresentation(of: value, to: &bytes, level: 0)
        return TemplateText(bytes, isOwn: false)
    }
}
