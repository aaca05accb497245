/// Filters that give text.
extension TemplateRenderer {
    func applyToText(
        _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        if filter == .tojson { return .string(try json(of: value, arguments)) }
        if filter == .indent { _ = try requiredText(value, "indent") }
        if filter == .truncate {
            guard case .string = value else { return try untruncated(value, arguments) }
        }
        let text = try text(of: value)
        try meter.charge(text.count)
        switch filter {
        case .upper: return .string(changedCase(text, .upper))
        case .lower: return .string(changedCase(text, .lower))
        case .capitalize: return .string(changedCase(text, .capitalize))
        case .title: return .string(titled(text))
        case .trim:
            return .string(text.trimmed(try optionalText(try arguments.bound("trim", "chars")[0], "trim")))
        case .replace:
            let bound = try arguments.bound("replace", "old", "new", "count")
            guard let old = bound[0], let new = bound[1] else {
                throw TemplateFault.value("'replace' needs what to replace and by what")
            }
            let limit = bound[2].flatMap(\.index) ?? -1
            let replacement = try self.text(of: new)
            return .string(
                try text.replacing(
                    try self.text(of: old), with: replacement, limit: limit < 0 ? .max : limit, meter: meter))
        case .indent: return .string(try indented(text, arguments))
        case .safe:
            var markup = text
            markup.isMarkup = true
            return .string(markup)
        case .escape: return .string(try TemplateQuoting.escapedHTML(text, meter: meter))
        case .forceescape:
            var plain = text
            plain.isMarkup = false
            return .string(try TemplateQuoting.escapedHTML(plain, meter: meter))
        case .striptags: return .string(strippingTags(text))
        case .wordcount: return .integer(wordCount(text))
        case .format:
            guard !arguments.keywords.isEmpty else {
                return .string(try percentFormatted(text, try makeList(arguments.positional, isTuple: true)))
            }
            guard arguments.positional.isEmpty else {
                throw TemplateFault.value("'format' takes values with names or without, not both")
            }
            let entries = arguments.keywords.map { TemplateDictionary.Entry(key: .text($0.name), value: $0.value) }
            return .string(try percentFormatted(text, try makeDictionary(entries)))
        case .urlencode: return .string(try urlEncoded(value))
        case .truncate: return .string(try truncated(text, arguments))
        case .center:
            let width = try integer(try arguments.bound("center", "width")[0], default: 80, "center")
            return try call(.center, of: text, TemplateArguments(positional: [.integer(width)]))
        default: return .string(text)
        }
    }

    private func json(of value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateText {
        var json = TemplateJSON(meter: meter)
        let bound = try arguments.bound("tojson", "ensure_ascii", "indent", "separators", "sort_keys")
        json.asciiOnly = bound[0]?.isTrue ?? false
        json.sortsKeys = bound[3]?.isTrue ?? false
        switch bound[1] {
        case nil, .null?: break
        case .string(let text)?: json.indent = text.bytes
        case let indent?:
            let width = max(0, try integer(indent, default: 0, "tojson"))
            json.indent = try repeated(" ", width).bytes
        }
        if json.indent != nil { json.itemSeparator = [UInt8(ascii: ",")] }
        if case .list(let separators)? = bound[2] {
            guard separators.elements.count == 2 else {
                throw TemplateFault.value("the separators of 'tojson' are two texts")
            }
            json.itemSeparator = try requiredText(separators.elements[0], "tojson").bytes
            json.keySeparator = try requiredText(separators.elements[1], "tojson").bytes
        }
        return TemplateText(try json.encoded(value), isOwn: false)
    }

    private func indented(_ text: TemplateText, _ arguments: TemplateArguments) throws -> TemplateText {
        let bound = try arguments.bound("indent", "width", "first", "blank")
        let indent: TemplateText
        if case .string(let text)? = bound[0] {
            indent = text
        } else {
            indent = try repeated(" ", try integer(bound[0], default: 4, "indent"))
        }
        let indentsBlank = bound[2]?.isTrue ?? false
        // A line end is added first, so that one at the end of the text is kept.
        var terminated = text
        terminated.append("\n")
        let lines = terminated.lines()
        try meter.charge(lines.count, times: indent.count)
        try meter.charge(text.count)
        var result = text.emptied
        for (position, line) in lines.enumerated() {
            if position > 0 {
                result.append("\n")
                if indentsBlank || !line.isEmpty { result.append(indent) }
            } else if bound[1]?.isTrue ?? false {
                result.append(indent)
            }
            result.append(line)
        }
        return result
    }

    private func wordCount(_ text: TemplateText) -> Int {
        var count = 0
        var isInWord = false
        for scalar in text.string.unicodeScalars {
            let properties = scalar.properties
            var isWord = properties.numericType != nil || scalar == "_"
            switch properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: isWord = true
            default: break
            }
            if isWord, !isInWord { count += 1 }
            isInWord = isWord
        }
        return count
    }

    private func strippingTags(_ text: TemplateText) -> TemplateText {
        var kept: [UInt8] = []
        var isInTag = false
        for byte in text.bytes {
            if byte == UInt8(ascii: "<") { isInTag = true }
            if !isInTag { kept.append(byte) }
            if byte == UInt8(ascii: ">") { isInTag = false }
        }
        let words = TemplateText(kept, isOwn: false).splitOnWhitespace(limit: .max)
        return TemplateText(Array(words.map(\.bytes).joined(separator: [UInt8(ascii: " ")])), isOwn: false)
    }

    private func urlEncoded(_ value: TemplateValue) throws -> TemplateText {
        let pairs: [[TemplateValue]]
        switch value {
        case .dictionary(let dictionary): pairs = dictionary.entries.map { [$0.key, $0.value] }
        case .list(let list): pairs = try list.elements.map { try elements(of: $0) }
        default: return try urlEncoded(try text(of: value), inQuery: false)
        }
        guard pairs.allSatisfy({ $0.count == 2 }) else {
            throw TemplateFault.value("'urlencode' needs a text, a dictionary or pairs")
        }
        var result = TemplateText()
        for (position, pair) in pairs.enumerated() {
            if position > 0 { result.append("&") }
            result.append(try urlEncoded(try text(of: pair[0]), inQuery: true))
            result.append("=")
            result.append(try urlEncoded(try text(of: pair[1]), inQuery: true))
        }
        return result
    }

    private func urlEncoded(_ text: TemplateText, inQuery: Bool) throws -> TemplateText {
        try meter.charge(text.count, times: 3)
        var bytes: [UInt8] = []
        for byte in text.bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case UInt8(ascii: "/") where !inQuery: bytes.append(byte)
            case UInt8(ascii: " ") where inQuery: bytes.append(UInt8(ascii: "+"))
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return text.replacing(with: bytes)
    }

    /// Lists and dictionaries short enough pass through `truncate` as they are.
    private func untruncated(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        let bound = try arguments.bound("truncate", "length", "killwords", "end", "leeway")
        let most = try integer(bound[0], default: 255, "truncate").addingReportingOverflow(bound[3]?.index ?? 5)
            .partialValue
        guard try length(of: value) <= most else {
            throw TemplateFault.value("a value of type \(value.typeName) can't be truncated")
        }
        return value
    }

    private func truncated(_ text: TemplateText, _ arguments: TemplateArguments) throws -> TemplateText {
        let bound = try arguments.bound("truncate", "length", "killwords", "end", "leeway")
        let length = try integer(bound[0], default: 255, "truncate")
        let end = try bound[2].map { try requiredText($0, "truncate") } ?? "..."
        let leeway = bound[3]?.index ?? 5
        guard length >= end.length, leeway >= 0 else {
            throw TemplateFault.value(
                "'truncate' needs a length of at least that of its end, and a leeway of at least 0")
        }
        if text.length <= length.addingReportingOverflow(leeway).partialValue { return text }
        var kept = try text.sliced(TemplateSlice(stop: length - end.length))
        if !(bound[1]?.isTrue ?? false), let space = kept.findLast(" ") { kept = kept[0..<space] }
        kept.append(end)
        return kept
    }
}
