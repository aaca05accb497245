/// Why options can't be used. The description is a sentence for whoever typed them.
public enum OptionError: Error, Hashable, CustomStringConvertible {
    case unknown(option: String, known: [String])
    case wrongValue(option: String, value: String, expectation: String)
    case missingValue(option: String, expectation: String)
    case unexpectedValue(option: String, value: String)
    case unexpectedArgument(String)
    case repeated(option: String)
    /// A rule over several options is broken.
    case conflict(String)
    /// A fault in a configuration file; the message says which.
    case file(path: String, line: Int?, message: String)

    public var description: String {
        switch self {
        case .unknown(let option, let known):
            let all =
                known.isEmpty ? "There are no options." : "Options: \(known.map { "--" + $0 }.joined(separator: ", "))."
            let near = Spelling.nearest(to: option, among: known).map { "--" + $0 }
            return "Unknown option --\(option). "
                + (near.isEmpty ? all : "Did you mean \(near.joined(separator: ", "))?")
        case .wrongValue(let option, let value, let expectation):
            return
                "--\(option) can't be \(value.isEmpty ? "empty" : value.debugDescription): it expects \(expectation)."
        case .missingValue(let option, let expectation):
            return "--\(option) needs a value: \(expectation)."
        case .unexpectedValue(let option, let value):
            return
                "--\(option) is a switch and takes no value like \(value.debugDescription); write --\(option) or --no-\(option)."
        case .unexpectedArgument(let argument):
            return "Unexpected argument \(argument.debugDescription). Options start with two dashes: --name value."
        case .repeated(let option):
            return "--\(option) is given twice; it takes one value."
        case .conflict(let sentence):
            return sentence
        case .file(let path, let line, let message):
            return "\(path)\(line.map { ":\($0)" } ?? ""): \(message)"
        }
    }
}
