/// Checks of JSON Schema's `format`, by reading the text rather than by an expression. Unknown formats hold, as the standard says.
enum FormatCheck {
    static func isValid(_ text: String, _ format: String) -> Bool {
        switch format {
        case "date": isDate(text[...])
        case "time": isTime(text[...])
        case "date-time": isDateTime(text)
        case "duration": isDuration(text)
        case "email": isEmail(text)
        case "hostname": isHostname(text[...])
        case "ipv4": isIPv4(text)
        case "ipv6": isIPv6(text)
        case "uuid": isUUID(text)
        case "uri": isURI(text)
        default: true
        }
    }

    /// The value of exactly `count` ASCII digits at the start, which are removed.
    private static func digits(_ count: Int, of text: inout Substring) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let character = text.first, character.isASCII, let digit = character.wholeNumberValue else {
                return nil
            }
            value = value * 10 + digit
            text.removeFirst()
        }
        return value
    }

    private static func take(_ character: Character, of text: inout Substring) -> Bool {
        guard text.first == character else { return false }
        text.removeFirst()
        return true
    }

    private static func isDate(_ text: Substring) -> Bool {
        var rest = text
        guard let year = digits(4, of: &rest), take("-", of: &rest), let month = digits(2, of: &rest),
            take("-", of: &rest), let day = digits(2, of: &rest), rest.isEmpty, year >= 1, (1...12).contains(month)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day >= 1 && day <= lengths[month - 1]
    }

    private static func isTime(_ text: Substring) -> Bool {
        var rest = text
        guard let hour = digits(2, of: &rest), take(":", of: &rest), let minute = digits(2, of: &rest),
            take(":", of: &rest), let second = digits(2, of: &rest), hour < 24, minute < 60, second < 60
        else { return false }
        if take(".", of: &rest) {
            guard digits(1, of: &rest) != nil else { return false }
            while digits(1, of: &rest) != nil {}
        }
        if take("Z", of: &rest) || take("z", of: &rest) { return rest.isEmpty }
        guard take("+", of: &rest) || take("-", of: &rest), let zoneHour = digits(2, of: &rest), take(":", of: &rest),
            let zoneMinute = digits(2, of: &rest)
        else { return false }
        return rest.isEmpty && zoneHour < 24 && zoneMinute < 60
    }

    private static func isDateTime(_ text: String) -> Bool {
        guard let mark = text.firstIndex(where: { $0 == "T" || $0 == "t" }) else { return false }
        return isDate(text[..<mark]) && isTime(text[text.index(after: mark)...])
    }

    /// ISO 8601: `P`, then years to days in order without gaps, `T`, hours to seconds likewise; or weeks alone.
    private static func isDuration(_ text: String) -> Bool {
        var rest = text[...]
        guard take("P", of: &rest) else { return false }
        func units(_ letters: [Character]) -> [Int] {
            var found: [Int] = []
            while digits(1, of: &rest) != nil {
                while digits(1, of: &rest) != nil {}
                guard let letter = rest.popFirst(), let index = letters.firstIndex(of: letter) else { return [-1] }
                if let last = found.last, index != last + 1 { return [-1] }
                found.append(index)
            }
            return found
        }
        if rest.hasSuffix("W") { return units(["W"]) == [0] && rest.isEmpty }
        let calendar = units(["Y", "M", "D"])
        guard calendar != [-1] else { return false }
        if rest.isEmpty { return !calendar.isEmpty }
        guard take("T", of: &rest) else { return false }
        let clock = units(["H", "M", "S"])
        return clock != [-1] && !clock.isEmpty && rest.isEmpty
    }

    private static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.count <= 64, isHostname(parts[1]) else { return false }
        let extra = Set("!#$%&'*+-/=?^_`{|}~")
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || extra.contains($0) }
        }
    }

    private static func isHostname(_ text: Substring) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" }
        }
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                var rest = part
                guard (1...3).contains(part.count), let value = digits(part.count, of: &rest) else { return false }
                return value <= 255 && (part.count == 1 || part.first != "0")
            }
    }

    private static func isIPv6(_ text: String) -> Bool {
        func groups(_ text: Substring) -> Int? {
            if text.isEmpty { return 0 }
            var count = 0
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                if index == parts.count - 1, part.contains(".") {
                    guard isIPv4(String(part)) else { return nil }
                    count += 2
                    continue
                }
                guard (1...4).contains(part.count), part.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
                count += 1
            }
            return count
        }
        guard let gap = text.firstRange(of: "::") else { return groups(text[...]) == 8 }
        guard let left = groups(text[..<gap.lowerBound]), let right = groups(text[gap.upperBound...]) else {
            return false
        }
        return left + right <= 7
    }

    private static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.allSatisfy { $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
    }

    /// A scheme, a colon and characters that URIs may have.
    private static func isURI(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":"), let first = text.first, first.isASCII, first.isLetter else {
            return false
        }
        let scheme = text[..<colon]
        guard scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || "+-.".contains($0) }) else {
            return false
        }
        let marks = Set("-._~:/?#[]@!$&'()*+,;=%")
        return text[text.index(after: colon)...].allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber) || marks.contains($0)
        }
    }
}
