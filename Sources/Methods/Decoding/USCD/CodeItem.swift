import Laboratory

/// A piece of code to be completed, with the prompt that lacks its examples.
package struct CodeItem: Sendable, Hashable {
    package var id: String
    /// x⁺
    package var prompt: String
    /// x⁻
    package var lamePrompt: String
    /// Test code or test lines; empty where the record has none.
    package var tests: [String]
    /// Code that the tests need before them: MBPP's `test_setup_code`.
    package var testSetup: String
    package var entryPoint: String?

    /// Python that raises an exception when what stands before it is wrong; nil where the record has no tests.
    package var check: String? {
        guard !tests.isEmpty else { return nil }
        let code = ([testSetup] + tests).joined(separator: "\n")
        guard let entryPoint, code.contains("def check(") else { return code }
        return CodeProblem.tests(code, calledOn: entryPoint)
    }

    /// Reads HumanEval's fields (`task_id` or `id`, `prompt`, `test`, `entry_point`) or MBPP's (`text`, `test_list` and
    /// `test_setup_code`, whose prompt is a docstring of the text and its first test), and `lame_prompt` where the rule is `custom`.
    ///
    /// - Parameter allowsEqual: whether a lame prompt equal to the standard one is wanted.
    package init(
        _ record: Record, rule: LamePrompt, strips: Bool = false, allowsEqual: Bool = false
    ) throws(DataError) {
        let names = (try record.stringIfPresent("id"), try record.stringIfPresent("task_id"))
        id = names.0 ?? names.1 ?? record.place.description
        entryPoint = try record.stringIfPresent("entry_point")
        if let entryPoint { try CodeProblem.checkEntryPoint(entryPoint, of: record) }
        testSetup = try record.stringIfPresent("test_setup_code") ?? ""
        let found = record.first(of: ["tests", "test_list", "test"])
        var tests: [String] = []
        if let found { tests = try record.strings(found.name) }
        self.tests = tests
        var standard: String
        if record["prompt"] == nil, record["text"] != nil {
            standard = "\"\"\"\n\(try record.string("text"))\n" + (tests.first.map { $0 + "\n" } ?? "") + "\"\"\"\n"
        } else {
            standard = try record.string("prompt")
        }
        var lame = rule.rule == .custom ? try record.string("lame_prompt") : rule(standard, tests: tests)
        if strips {
            standard = standard.trimmingSpaces
            lame = lame.trimmingSpaces
        }
        guard !standard.trimmingSpaces.isEmpty else {
            throw .wrongField(record.place, field: "prompt", expected: "code to continue", found: "an empty text")
        }
        guard allowsEqual || lame != standard else {
            throw .malformed(
                record.place,
                "the lame prompt equals the prompt: the rule \(rule.rule.rawValue) finds no examples in it. Choose another "
                    + "--lame-rule, give lame_prompt with --lame-rule custom, or allow it with --allow-equal-prompts.")
        }
        guard Self.end(of: lame) == Self.end(of: standard) else {
            throw .wrongField(
                record.place, field: "lame_prompt",
                expected: "a text that ends like the prompt, in \(Self.end(of: standard).debugDescription)",
                found: "one that ends in \(Self.end(of: lame).debugDescription)")
        }
        prompt = standard
        lamePrompt = lame
    }

    /// The last line, empty after a line break: what the next token follows.
    private static func end(of text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    }
}
