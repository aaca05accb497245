/// A day of the Gregorian calendar, as answers write it: `2021-03-05`, `03/05/2021` (the month first), `March 5, 2021`,
/// `5 March 2021`, `Mar. 5th 2021`.
package struct CalendarDate: Sendable, Hashable, CustomStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int

    /// Nil where the calendar has no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...Self.days(month, year)).contains(day) else {
            return nil
        }
        self.year = year
        self.month = month
        self.day = day
    }

    /// `2021-03-05`.
    package var description: String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// All dates in a text, in order.
    package static func all(in text: String) -> [CalendarDate] {
        let words = self.words(of: text)
        var dates: [CalendarDate] = []
        var position = 0
        while position < words.count {
            if let date = date(words[position...].prefix(5)) {
                dates.append(date.date)
                position += date.words
            } else {
                position += 1
            }
        }
        return dates
    }

    /// Letters, digits, and the signs `-` and `/` as words of their own.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var word = ""
        func end() {
            if !word.isEmpty { words.append(word) }
            word = ""
        }
        for scalar in text.lowercased().unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            guard isDigit || scalar.properties.isAlphabetic else {
                end()
                if scalar == "-" || scalar == "/" { words.append(String(scalar)) }
                continue
            }
            // "5th" is a number and its ending.
            if let last = word.unicodeScalars.last, ("0"..."9").contains(last) != isDigit { end() }
            word.unicodeScalars.append(scalar)
        }
        end()
        return words.filter { !["st", "nd", "rd", "th", "of"].contains($0) }
    }

    private static func date(_ words: ArraySlice<String>) -> (date: CalendarDate, words: Int)? {
        let words = Array(words)
        if words.count == 5, words[1] == words[3], words[1] == "-" || words[1] == "/",
            let first = Int(words[0]), let second = Int(words[2]), let third = Int(words[4])
        {
            let isYearFirst = words[0].count == 4
            guard isYearFirst || words[4].count == 4 else { return nil }
            let date =
                isYearFirst
                ? CalendarDate(year: first, month: second, day: third)
                : CalendarDate(year: third, month: first, day: second)
            return date.map { ($0, 5) }
        }
        guard words.count >= 3, words[2].count == 4, let year = Int(words[2]) else { return nil }
        let named =
            month(words[0]).flatMap { month in Int(words[1]).map { (month, $0) } }
            ?? month(words[1]).flatMap { month in Int(words[0]).map { (month, $0) } }
        return named.flatMap { CalendarDate(year: year, month: $0.0, day: $0.1) }.map { ($0, 3) }
    }

    private static func month(_ word: String) -> Int? {
        guard word.count >= 3 else { return nil }
        let index = months.firstIndex { $0 == word || ($0.hasPrefix(word) && (word.count == 3 || word == "sept")) }
        return index.map { $0 + 1 }
    }

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]

    private static func days(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
