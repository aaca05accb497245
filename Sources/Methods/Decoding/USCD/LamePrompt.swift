import Laboratory

/// How the lame prompt is made of the standard one.
public enum LameRule: String, OptionChoice {
    /// Deletes the `>>>` examples of docstrings and their outputs.
    case docstring
    /// Deletes test assertions: lines that start with `assert`, and lines that are one of the record's tests.
    case tests
    /// Deletes docstrings and comments whole: imports, signatures and code stay.
    case null
    /// Takes the record's `lame_prompt`.
    case custom
}

/// Takes the examples out of a prompt. What stays is unchanged to the byte; the prompt's end in particular, as both prompts
/// must end alike for their next tokens to be of the same position.
package struct LamePrompt: Sendable {
    package var rule: LameRule
    /// Examples to leave in, from the first on.
    package var keptExamples = 0
    /// Whether lines that only announce examples ("For example:") go as well.
    package var removesReferences = false

    package init(_ rule: LameRule, keptExamples: Int = 0, removesReferences: Bool = false) {
        self.rule = rule
        self.keptExamples = keptExamples
        self.removesReferences = removesReferences
    }

    /// The lame prompt, or the prompt itself where it has no examples.
    ///
    /// - Parameter tests: the record's test lines, for the rule `tests`.
    package func callAsFunction(_ prompt: String, tests: [String] = []) -> String {
        var lines = prompt.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        switch rule {
        case .custom: return prompt
        case .docstring: lines = withoutExamples(lines)
        case .tests: lines = withoutTests(lines, tests)
        case .null: lines = Self.withoutText(lines)
        }
        if removesReferences, rule != .null { lines.removeAll(where: Self.announcesExamples) }
        return lines.joined(separator: "\n")
    }

    // MARK: Docstring examples

    /// An example runs from its `>>>` line over `...` lines and its output, to the next example, a blank line, the end of
    /// the docstring or text less indented than the example.
    private func withoutExamples(_ lines: [String]) -> [String] {
        var kept: [String] = []
        var example: (number: Int, indent: Int)?
        var seen = 0
        for line in lines {
            let text = line.trimmingSpaces
            if text.hasPrefix(">>>") {
                seen += 1
                example = (seen, Self.indent(line))
            } else if let inside = example {
                let ends =
                    text.isEmpty || Self.indent(line) < inside.indent || text.hasPrefix("\"\"\"")
                    || text.hasPrefix("'''")
                if ends { example = nil }
            }
            guard let inside = example, inside.number > keptExamples else {
                kept.append(line)
                continue
            }
            // A docstring that ends on the line of an output keeps its end.
            if let quotes = ["\"\"\"", "'''"].first(where: { text.hasSuffix($0) && text.count > 3 }) {
                kept.append(String(line.prefix(Self.indent(line))) + quotes)
                example = nil
            }
        }
        return kept
    }

    // MARK: Tests

    private func withoutTests(_ lines: [String], _ tests: [String]) -> [String] {
        let known = Set(tests.map(\.trimmingSpaces).filter { !$0.isEmpty })
        var seen = 0
        return lines.filter { line in
            let text = line.trimmingSpaces
            guard text.hasPrefix("assert ") || text.hasPrefix("assert(") || known.contains(text) else { return true }
            seen += 1
            return seen <= keptExamples
        }
    }

    // MARK: No text at all

    private static func withoutText(_ lines: [String]) -> [String] {
        var kept: [String] = []
        var quotes: String?
        for line in lines {
            let text = line.trimmingSpaces
            if let open = quotes {
                if text.hasSuffix(open) { quotes = nil }
                continue
            }
            if let opening = ["\"\"\"", "'''"].first(where: { text.hasPrefix($0) }) {
                if !(text.count >= 6 && text.hasSuffix(opening)) { quotes = opening }
                continue
            }
            if !text.hasPrefix("#") { kept.append(line) }
        }
        return kept
    }

    // MARK: Lines

    private static func announcesExamples(_ line: String) -> Bool {
        let text = line.trimmingSpaces.lowercased()
        guard text.hasSuffix(":") || text == "examples" || text == "example" else { return false }
        return ["example", "for example", "e.g.", "for instance", "your code should pass", "such as"].contains {
            text.hasPrefix($0)
        }
    }

    private static func indent(_ line: String) -> Int { line.prefix { $0 == " " || $0 == "\t" }.count }
}
