/// The `format`s that generated strings obey, as expressions over the whole string. Each is a subset of what its
/// specification permits, chosen so that every common checker accepts it.
enum StringFormats {
    static func pattern(of format: String) -> String? {
        switch format {
        case "date": date
        case "time": time
        case "date-time": date + "T" + time
        case "duration": duration
        case "email": email
        case "hostname": hostname
        case "ipv4": ipv4
        case "ipv6": ipv6
        case "uuid": "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
        case "uri": "https?://" + hostname + "(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._~-]*)*(\\?[A-Za-z0-9._~=&-]*)?"
        default: nil
        }
    }

    static let names = [
        "date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid",
    ]

    /// Years 0001 to 9999 of the proleptic Gregorian calendar, with 29 February in leap years only.
    private static let date: String = {
        let year = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
        let day28 = "(0[1-9]|1[0-9]|2[0-8])"
        let usual = "(\(year)-((0[1-9]|1[0-2])-\(day28)|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31))"
        let byFour = "(0[48]|[2468][048]|[13579][26])"
        let leapYear = "([0-9]{2}\(byFour)|\(byFour)00)"
        return "(\(usual)|\(leapYear)-02-29)"
    }()

    private static let time =
        "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

    private static let duration: String = {
        let number = "[0-9]{1,6}"
        let clock = "T(\(number)H(\(number)M(\(number)S)?)?|\(number)M(\(number)S)?|\(number)S)"
        let days = "\(number)D"
        let months = "\(number)M(\(days))?"
        let calendar = "(\(number)Y(\(months))?|\(months)|\(days))"
        return "P(\(calendar)(\(clock))?|\(clock)|\(number)W)"
    }()

    private static let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
    private static let hostname = "(\(label)\\.){0,5}[A-Za-z]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
    private static let email: String = {
        let atom = "[A-Za-z0-9_+-]{1,20}"
        return "\(atom)(\\.\(atom)){0,2}@(\(label)\\.){1,3}[A-Za-z]{2,12}"
    }()

    private static let ipv4: String = {
        let byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
        return "(\(byte)\\.){3}\(byte)"
    }()

    /// The forms without an embedded IPv4 address: eight groups, or fewer around one "::".
    private static let ipv6: String = {
        let group = "[0-9a-fA-F]{1,4}"
        var forms = ["(\(group):){7}\(group)", "(\(group):){1,7}:", ":(:\(group)){1,7}", "::"]
        for left in 1...6 { forms.append("(\(group):){\(left)}(:\(group)){1,\(7 - left)}") }
        return "(" + forms.joined(separator: "|") + ")"
    }()
}
