import Text

/// Reads answers out of what models write and says whether they are right, by what they mean rather than by their letters:
///
/// - numbers by their exact value, with thousands separators, fractions, percent signs and units (see `Quantity`);
/// - options by their letter, standing alone; yes and no; dates by their day;
/// - expressions by exact arithmetic (see `MathematicalExpression`), and as strings where they can't be parsed;
/// - blocks by their lines, white space at the ends of lines apart;
/// - other texts in SQuAD's normal form (see `AnswerMatch`).
///
/// The stricter rules of Kojima et al. (2022), equality of strings, are those of `AnswerExtractor`.
public struct Grader: Sendable, Hashable {
    public var kind: AnswerKind

    public init(_ kind: AnswerKind) { self.kind = kind }

    // MARK: Reading

    /// The answer of a reply that may reason first: the first candidate behind the last "answer is" or "Answer:", else the last
    /// candidate; empty where there is none.
    public func answer(in reply: String) -> String {
        // A block is fenced, so that no phrase needs to announce it.
        if kind == .block { return candidates(in: reply).last ?? "" }
        let lower = reply.lowercased()
        let ends = ["answer is", "answer:"].compactMap { lower.ranges(of: $0).last?.upperBound }
        // Lower case may change a text's length, so the place is counted from the end in the lower-case text's own terms.
        if let end = ends.max() {
            let behind = lower.count == reply.count ? reply.suffix(lower[end...].count) : lower[end...]
            let answer = first(in: String(behind))
            if !answer.isEmpty { return answer }
        }
        if kind == .text {
            return reply.split(whereSeparator: \.isNewline).last.map { Self.plain(String($0)) } ?? ""
        }
        return candidates(in: reply).last ?? ""
    }

    /// The answer of a reply that is the answer and perhaps more behind it: the first candidate.
    public func first(in reply: String) -> String { candidates(in: reply).first ?? "" }

    private func candidates(in text: String) -> [String] {
        switch kind {
        case .number: return Quantity.all(in: text).map(\.text)
        case .options:
            let found = AnswerExtractor(kind, letters: .standalone).candidates(in: text)
            return found
        case .text:
            return text.split(whereSeparator: \.isNewline).map { Self.plain(String($0)) }.filter { !$0.isEmpty }
        case .yesNo, .date, .expression, .block: return AnswerExtractor(kind).candidates(in: text)
        }
    }

    /// A line without the signs around an answer.
    private static func plain(_ line: String) -> String {
        var part = line[...]
        let marks = " \t\"'.:*`"
        while let first = part.first, marks.contains(first) { part.removeFirst() }
        while let last = part.last, marks.contains(last) { part.removeLast() }
        return String(part)
    }

    // MARK: Grading

    /// Whether a right answer given with the data is one of this kind.
    public func reads(gold: String) -> Bool {
        switch kind {
        case .number: Quantity(Self.number(gold)) != nil
        case .date: CalendarDate.all(in: gold).count == 1
        default: AnswerExtractor(kind).gold(gold) != nil
        }
    }

    /// Whether an answer means the same as one of the right ones. No answer is wrong.
    public func isRight(_ answer: String, golds: [String]) -> Bool {
        golds.contains { isSame(answer, $0) }
    }

    /// Whether two answers mean the same. The empty answer is the same as none, not even as itself.
    public func isSame(_ answer: String, _ other: String) -> Bool {
        guard !answer.trimmingSpaces.isEmpty, !other.trimmingSpaces.isEmpty else { return false }
        switch kind {
        case .number:
            guard let a = Quantity(Self.number(answer)), let b = Quantity(Self.number(other)) else { return false }
            return a.isSame(as: b)
        case .options, .yesNo:
            let extractor = AnswerExtractor(kind)
            guard let a = extractor.gold(answer), let b = extractor.gold(other) else { return false }
            return a == b
        case .date:
            guard let a = CalendarDate.all(in: answer).first, let b = CalendarDate.all(in: other).first else {
                return false
            }
            return a == b
        case .expression:
            if let a = MathematicalExpression(answer), let b = MathematicalExpression(other), a.isEquivalent(to: b) {
                return true
            }
            return Self.bare(answer) == Self.bare(other)
        case .block:
            return Self.lines(answer) == Self.lines(other)
        case .text:
            // Answers of signs alone have no words, and all look alike in SQuAD's form.
            return !AnswerMatch.tokens(other).isEmpty && AnswerMatch.isExact(answer, references: [other])
                || Self.bare(answer) == Self.bare(other)
        }
    }

    /// What stands behind GSM8K's `####`, if it stands there.
    private static func number(_ text: String) -> String {
        text.ranges(of: "####").last.map { String(text[$0.upperBound...]) } ?? text
    }

    /// The lines of a block without white space at their ends and without empty lines around them.
    private static func lines(_ block: String) -> [String] {
        let lines = block.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            String(line.reversed().drop(while: \.isWhitespace).reversed())
        }
        return Array(lines.drop(while: \.isEmpty).reversed().drop(while: \.isEmpty).reversed())
    }

    /// Lower case without white space, quotes, periods and dollar signs.
    private static func bare(_ text: String) -> String {
        text.lowercased().filter { !$0.isWhitespace && !"\"'.$".contains($0) }
    }
}

extension Grader {
    /// The answer that most others mean the same as; of equally frequent ones the first. Empty answers have no vote.
    public func majority(_ answers: [String]) -> String {
        var best = ""
        var most = 0
        for (index, answer) in answers.enumerated() {
            // A later answer of the same meaning can't have more voters than its first mention.
            guard !answers[..<index].contains(where: { isSame($0, answer) }) else { continue }
            let votes = answers.count { isSame($0, answer) }
            if votes > most { (best, most) = (answer, votes) }
        }
        return best
    }
}
