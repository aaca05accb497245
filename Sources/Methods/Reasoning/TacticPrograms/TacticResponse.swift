import Laboratory
import Text

/// One round as a model writes it: a thought, and an action with a name, an input and an output.
package struct TacticResponse: Sendable, Hashable {
    package var thought: String
    package var name: String
    package var input: String
    package var output: String

    package init(thought: String, name: String, input: String, output: String) {
        self.thought = thought
        self.name = name
        self.input = input
        self.output = output
    }

    static let observationMark = "### Observation"
    private static let marks = ["### Thought", "### Action", "## Name", "## Input", "## Output"]

    /// The response in its format. In one line for models whose texts have no line ends.
    package func text(inOneLine: Bool = false) -> String {
        zip(Self.marks, [thought, "", name, input, output])
            .flatMap { $1.isEmpty ? [$0] : [$0, $1] }.joined(separator: inOneLine ? " " : "\n")
    }

    /// Reads a reply.
    ///
    /// - Parameter fuzzy: headings may stand anywhere, in any case and with a colon; `## Input` may be missing.
    /// - Throws: `Fault`, a sentence for whoever wrote the reply.
    package init(_ reply: String, fuzzy: Bool) throws(Fault) {
        let found = Self.marks.map { Self.places(of: $0, in: reply, fuzzy: fuzzy) }
        guard found[0].count <= 1, found[1].count <= 1, found[2].count <= 1 else {
            throw Fault("The reply holds more than one round; give one thought and one action.")
        }
        guard Self.places(of: Self.observationMark, in: reply, fuzzy: fuzzy).isEmpty else {
            throw Fault("The reply holds an observation; those come from the environment alone.")
        }
        var starts: [Range<String.Index>?] = []
        var last = reply.startIndex
        for (index, places) in found.enumerated() {
            // What the output holds is the action's own, headings included.
            let next = places.first { $0.lowerBound >= last }
            if let next {
                last = next.upperBound
            } else if !(fuzzy && index == 3) {
                throw Fault("The reply lacks \(Self.marks[index]), or it stands in the wrong place.")
            }
            starts.append(next)
        }
        func section(_ index: Int) -> String {
            guard let start = starts[index] else { return "" }
            let end = starts[(index + 1)...].compactMap { $0?.lowerBound }.first ?? reply.endIndex
            return reply[start.upperBound..<end].trimmingSpaces
        }
        thought = section(0)
        name = section(2)
        input = section(3)
        output = section(4)
        guard !name.isEmpty, !output.isEmpty else {
            throw Fault("The reply leaves \(name.isEmpty ? "## Name" : "## Output") empty.")
        }
    }

    /// What is wrong with a reply.
    package struct Fault: Error, Hashable {
        package var sentence: String

        init(_ sentence: String) { self.sentence = sentence }
    }

    /// Where a heading stands: alone on a line, or, fuzzily, anywhere but behind another number sign.
    private static func places(of mark: String, in text: String, fuzzy: Bool) -> [Range<String.Index>] {
        let ranges = fuzzy ? text.caseInsensitiveRanges(of: mark) : text.ranges(of: mark)
        return ranges.compactMap { range in
            if range.lowerBound > text.startIndex, text[text.index(before: range.lowerBound)] == "#" { return nil }
            if fuzzy {
                var end = range.upperBound
                if end < text.endIndex, text[end] == ":" { end = text.index(after: end) }
                return range.lowerBound..<end
            }
            let before = text[..<range.lowerBound].last.map(\.isNewline) ?? true
            let after = text[range.upperBound...].prefix { !$0.isNewline }.allSatisfy(\.isWhitespace)
            return before && after ? range : nil
        }
    }

    /// The program of an output, without the fence that models put around code.
    package static func code(in output: String) -> String {
        guard let open = output.range(of: "```") else { return output }
        let rest = output[open.upperBound...]
        let body = rest.firstIndex(where: \.isNewline).map { rest[rest.index(after: $0)...] } ?? rest
        return String(body.range(of: "```").map { body[..<$0.lowerBound] } ?? body)
    }

    /// The option and the text of a subproblem that a call of a tactic hands on.
    package static func subproblem(in output: String) -> (option: Int, text: String)? {
        guard let option = output.caseInsensitiveRanges(of: "### option").first,
            let problem = output.caseInsensitiveRanges(of: "### subproblem").first,
            option.upperBound <= problem.lowerBound,
            let index = Int(output[option.upperBound..<problem.lowerBound].trimmingSpaces)
        else { return nil }
        let text = output[problem.upperBound...].trimmingSpaces
        return text.isEmpty ? nil : (index, text)
    }
}

extension String {
    /// The places of an ASCII text, whatever its case.
    fileprivate func caseInsensitiveRanges(of mark: String) -> [Range<String.Index>] {
        let wanted = Array(mark.lowercased())
        var found: [Range<String.Index>] = []
        var start = startIndex
        while let open = self[start...].firstIndex(of: "#") {
            var end = open
            var matched = 0
            while matched < wanted.count, end < endIndex, self[end].lowercased() == String(wanted[matched]) {
                end = index(after: end)
                matched += 1
            }
            if matched == wanted.count { found.append(open..<end) }
            start = index(after: open)
        }
        return found
    }
}
