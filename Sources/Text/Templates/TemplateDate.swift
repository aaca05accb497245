#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A local date and time, which `strftime_now` prints.
public struct TemplateDate: Sendable, Hashable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The machine's local time.
    public static var now: TemplateDate {
        var seconds = time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return TemplateDate(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    private var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    /// The day of the year, from 1.
    private var dayOfYear: Int {
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][(max(month, 1) - 1) % 12]
        return before + day + (month > 2 && isLeapYear ? 1 : 0)
    }

    /// The day of the week, 0 for Sunday.
    private var weekday: Int {
        let before = year - 1
        let days = 365 * before + before / 4 - before / 100 + before / 400 + dayOfYear
        return ((days % 7) + 7) % 7
    }

    /// Printed as C's `strftime` prints it in the C locale. Unknown directives stay as they are.
    func formatted(_ format: String) -> String {
        var result = ""
        var characters = format.makeIterator()
        while let character = characters.next() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            guard var directive = characters.next() else {
                result.append("%")
                break
            }
            let isUnpadded = directive == "-"
            if isUnpadded {
                guard let next = characters.next() else {
                    result += "%-"
                    break
                }
                directive = next
            }
            guard let text = text(of: directive) else {
                result += isUnpadded ? "%-\(directive)" : "%\(directive)"
                continue
            }
            let isNumber = text.allSatisfy { $0.isNumber || $0 == " " }
            result +=
                isUnpadded && isNumber
                ? String(text.drop { $0 == "0" || $0 == " " }.isEmpty ? "0" : text.drop { $0 == "0" || $0 == " " })
                : text
        }
        return result
    }

    private func text(of directive: Character) -> String? {
        let twelve = hour % 12 == 0 ? 12 : hour % 12
        let monthName = Self.months[(max(month, 1) - 1) % 12]
        let weekdayName = Self.weekdays[weekday]
        switch directive {
        case "a": return String(weekdayName.prefix(3))
        case "A": return weekdayName
        case "b", "h": return String(monthName.prefix(3))
        case "B": return monthName
        case "c": return formatted("%a %b %e %H:%M:%S %Y")
        case "C": return Self.padded(year / 100, 2)
        case "d": return Self.padded(day, 2)
        case "D", "x": return formatted("%m/%d/%y")
        case "e": return Self.padded(day, 2, " ")
        case "f": return "000000"
        case "F": return formatted("%Y-%m-%d")
        case "H": return Self.padded(hour, 2)
        case "I": return Self.padded(twelve, 2)
        case "j": return Self.padded(dayOfYear, 3)
        case "k": return Self.padded(hour, 2, " ")
        case "l": return Self.padded(twelve, 2, " ")
        case "m": return Self.padded(month, 2)
        case "M": return Self.padded(minute, 2)
        case "n": return "\n"
        case "p": return hour < 12 ? "AM" : "PM"
        case "P": return hour < 12 ? "am" : "pm"
        case "r": return formatted("%I:%M:%S %p")
        case "R": return formatted("%H:%M")
        case "S": return Self.padded(second, 2)
        case "t": return "\t"
        case "T", "X": return formatted("%H:%M:%S")
        case "u": return String(weekday == 0 ? 7 : weekday)
        case "U": return Self.padded((dayOfYear + 6 - weekday) / 7, 2)
        case "w": return String(weekday)
        case "W": return Self.padded((dayOfYear + 6 - (weekday + 6) % 7) / 7, 2)
        case "y": return Self.padded(year % 100, 2)
        case "Y": return String(year)
        case "z", "Z": return ""
        case "%": return "%"
        default: return nil
        }
    }

    private static func padded(_ value: Int, _ width: Int, _ fill: Character = "0") -> String {
        let digits = String(value)
        return String(repeating: String(fill), count: max(0, width - digits.count)) + digits
    }
}
