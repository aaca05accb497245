import Text

/// A programming problem whose answer is judged by running it.
public struct CodeProblem: DataRecord, Hashable {
    /// `HumanEval/0`.
    public var name: String
    /// The beginning of a Python file: imports, helpers, the function's first line and its description. It is valid Python.
    public var prompt: String
    /// The function that is to be written.
    public var entryPoint: String
    /// Python that defines `check(candidate)`, which raises an exception when the function is wrong.
    public var tests: String
    /// A right body of the function, to follow the prompt; empty where none is given.
    public var solution: String

    public init(name: String, prompt: String, entryPoint: String, tests: String, solution: String = "") {
        self.name = name
        self.prompt = prompt
        self.entryPoint = entryPoint
        self.tests = tests
        self.solution = solution
    }

    /// Reads the fields `task_id`, `prompt`, `entry_point`, `test` and `canonical_solution` (which may be missing).
    public init(_ record: Record) throws(DataError) {
        name = try record.string("task_id")
        prompt = try record.string("prompt")
        entryPoint = try record.string("entry_point")
        tests = try record.string("test")
        solution = try record.stringIfPresent("canonical_solution") ?? ""
        try Self.checkEntryPoint(entryPoint, of: record)
    }

    /// Throws for an entry point that Python doesn't take as a name.
    package static func checkEntryPoint(_ name: String, of record: Record) throws(DataError) {
        guard isName(name) else {
            throw .wrongField(
                record.place, field: "entry_point", expected: "a Python name", found: name.debugDescription)
        }
    }

    /// Tests that define `check(candidate)`, and the call that runs them on a function.
    package static func tests(_ tests: String, calledOn entryPoint: String) -> String {
        "\(tests)\n\ncheck(\(entryPoint))"
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first == "_" || first.properties.isXIDStart else { return false }
        return text.unicodeScalars.allSatisfy { $0.properties.isXIDContinue }
    }

    /// A whole program out of the prompt and an answer, the tests left out.
    ///
    /// An answer is the rest of the function, as a model continues raw text, or a whole function, as it stands in a chat: out of the
    /// first fenced block that defines it, else the whole text. A whole function follows the prompt, whose helpers it may call
    /// and whose own unfinished function it replaces.
    public func program(answer: String) -> String {
        let blocks = FencedText.blocks(answer)
        let code = blocks.first(where: defines) ?? blocks.first ?? answer
        return defines(code) ? prompt + "\n\n" + code + "\n" : prompt + code + "\n"
    }

    /// Whether a line of the code begins the wanted function.
    private func defines(_ code: String) -> Bool {
        code.split(whereSeparator: \.isNewline).contains { line in
            ["def ", "async def "].contains { start in
                line.hasPrefix(start + entryPoint) && line.dropFirst(start.count + entryPoint.count).first == "("
            }
        }
    }
}
