import Text

/// A meta model's reply, read by its headers.
package struct RewriteReply: Sendable, Hashable {
    package var reason: String
    package var taskType: String
    package var betterPrompt: String

    /// Reads the parts in their order. A header counts at the start of a line only, in any case and with Markdown's signs around it, and
    /// each once: a better prompt may itself hold the word "Reason:" or any signs. It ends where another candidate begins.
    ///
    /// Nil where a part is missing or empty.
    package init?(_ text: String, headers: [RewriteHeader] = [.reason, .taskType, .better]) {
        var parts: [RewriteHeader: [Substring]] = [:]
        var waiting = headers[...]
        var current: RewriteHeader?
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if let next = waiting.first, let rest = Self.text(of: line, behind: next) {
                waiting.removeFirst()
                current = next
                parts[next] = [rest]
            } else if current == .better, Self.text(of: line, behind: .candidate) != nil {
                break
            } else if let current {
                parts[current]?.append(line)
            }
        }
        func joined(_ header: RewriteHeader) -> String {
            (parts[header] ?? []).joined(separator: "\n").trimmingSpaces
        }
        guard headers.allSatisfy({ !joined($0).isEmpty }) else { return nil }
        reason = joined(.reason)
        taskType = Self.plainType(joined(.taskType))
        betterPrompt = Self.unfenced(joined(.better))
        guard !betterPrompt.isEmpty, !taskType.isEmpty || !headers.contains(.taskType) else { return nil }
    }

    /// The rest of a line behind a header at its start; nil where there is no such header.
    private static func text(of line: Substring, behind header: RewriteHeader) -> Substring? {
        let marks: Set<Character> = ["#", "*", "_", " ", "\t"]
        let text = line.drop { marks.contains($0) }
        guard text.lowercased().hasPrefix(header.rawValue.lowercased()) else { return nil }
        var rest = text.dropFirst(header.rawValue.count)
        let signs = rest.prefix { marks.contains($0) }
        rest = rest.dropFirst(signs.count)
        if rest.first == ":" {
            // The signs of **Reason:** end behind the colon.
            rest.removeFirst()
            return rest.drop { $0 == "*" || $0 == "_" }
        }
        return rest.isEmpty ? rest : nil
    }

    /// `[Information Extraction] [Medicine]` as `information extraction, medicine`: the first line, in lower case.
    private static func plainType(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.lowercased().split { "[]*`".contains($0) }.map { String($0).trimmingSpaces }
            .filter { !$0.isEmpty && $0 != "," }.joined(separator: ", ")
    }

    /// A text without the fence that is around the whole of it.
    private static func unfenced(_ text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.count > 2, lines[0].hasPrefix("```"), lines.last == "```",
            lines.count(where: { $0.hasPrefix("```") }) == 2
        else { return text }
        return lines.dropFirst().dropLast().joined(separator: "\n").trimmingSpaces
    }
}

/// What in a reason ends the loop: words anywhere in it, or words that it begins with behind "The output is".
package struct SuccessWords: Sendable, Hashable {
    package var anywhere: [String]
    package var atStart: [String]

    package init(
        anywhere: [String] = ["is correct"],
        atStart: [String] = ["correct", "well-crafted", "a well-crafted", "well-aligned", "clear"]
    ) {
        self.anywhere = anywhere
        self.atStart = atStart
    }

    /// Whether a reason says that the output needs no other prompt. It knows no right answer.
    package func declare(_ reason: String) -> Bool {
        let whole = reason.lowercased().trimmingSpaces
        if anywhere.contains(where: { whole.contains($0.lowercased()) }) { return true }
        let judgement = MetaPrompt.judgement.lowercased()
        let rest = whole.hasPrefix(judgement) ? String(whole.dropFirst(judgement.count)).trimmingSpaces : whole
        return atStart.contains { rest.hasPrefix($0.lowercased()) }
    }
}
