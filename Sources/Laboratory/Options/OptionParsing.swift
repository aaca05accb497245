import Text

extension MethodOptions {
    /// Reads flags over a base (the defaults, or a configuration file's values).
    ///
    /// `--name value`, `--name=value`, `--switch`, `--no-switch` and `--switch=false` are understood; a list's flag may repeat.
    ///
    /// - Parameter alsoKnown: names of flags taken elsewhere, to be offered when a name is mistyped.
    public init(flags: [String], over base: Self = Self(), alsoKnown: [String] = []) throws(OptionError) {
        self = base
        let rest = try apply(flags: flags, alsoKnown: alsoKnown)
        if let first = rest.first { throw .unexpectedArgument(first) }
        try checkAll()
    }

    /// Takes the flags that these options know and returns all other arguments in their order, so that two sets of options
    /// can share a command line. An unknown flag's value stays behind it. Rules between options are not checked yet.
    public mutating func take(flags: [String]) throws(OptionError) -> [String] {
        try apply(flags: flags, alsoKnown: nil)
    }

    private mutating func apply(flags: [String], alsoKnown: [String]?) throws(OptionError) -> [String] {
        var rest: [String] = []
        var given: Set<String> = []
        var index = flags.startIndex
        while index < flags.endIndex {
            let argument = flags[index]
            index += 1
            guard argument.hasPrefix("--"), argument.count > 2 else {
                rest.append(argument)
                continue
            }
            let (typedName, inlineValue) = Self.split(argument)
            var name = typedName
            var isNegated = false
            if Self.field(named: name) == nil, name.hasPrefix("no-"),
                Self.field(named: String(name.dropFirst(3)))?.isSwitch == true
            {
                name = String(name.dropFirst(3))
                isNegated = true
            }
            guard let field = Self.field(named: name) else {
                if let alsoKnown { throw .unknown(option: name, known: Self.fields.map(\.name) + alsoKnown) }
                rest.append(argument)
                continue
            }
            let isRepeated = !given.insert(name).inserted
            if isRepeated, !field.isList { throw .repeated(option: name) }

            if field.isSwitch {
                if isNegated, let inlineValue { throw .unexpectedValue(option: typedName, value: inlineValue) }
                try field.writeFlag(&self, isNegated ? "false" : inlineValue ?? "true", false)
            } else if let inlineValue {
                try field.writeFlag(&self, inlineValue, isRepeated)
            } else {
                guard index < flags.endIndex, !Self.isFlag(flags[index]) else {
                    throw .missingValue(option: name, expectation: field.expectation)
                }
                try field.writeFlag(&self, flags[index], isRepeated)
                index += 1
            }
        }
        return rest
    }

    private static func split(_ argument: String) -> (name: String, value: String?) {
        let body = argument.dropFirst(2)
        guard let equals = body.firstIndex(of: "=") else { return (String(body), nil) }
        return (String(body[..<equals]), String(body[body.index(after: equals)...]))
    }

    /// Whether an argument is a flag; `-1.5` and `-` are values.
    private static func isFlag(_ argument: String) -> Bool { argument.hasPrefix("--") && argument.count > 2 }

    /// Reads the values of a configuration file or of the run store over a base. Keys may be spelt with dashes or underscores.
    ///
    /// - Parameter values: an object; keys that no field has are an error.
    public init(json values: JSONValue, over base: Self = Self()) throws(OptionError) {
        self = base
        guard let members = values.objectValue else {
            throw .conflict("Options must be an object of names and values, not \(values.text().prefix(60)).")
        }
        for member in members {
            let name = member.key.split(separator: "_", omittingEmptySubsequences: false).joined(separator: "-")
            guard let field = Self.field(named: name) else {
                throw .unknown(option: name, known: Self.fields.map(\.name))
            }
            try field.writeJSON(&self, member.value)
        }
        try checkAll()
    }
}
