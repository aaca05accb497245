import Laboratory
import Text

/// The texts of the two roles. A name in braces stands for what it names; it is filled in once, so that texts which are filled in
/// may hold braces themselves.
package struct VerbalWording: Sendable, Hashable {
    /// Empty: no system message.
    package var learnerSystem: String
    /// `{descriptions}`, `{input}`, `{format}`.
    package var learner: String
    package var optimizerSystem: String
    /// `{descriptions}`, `{inputs}`, `{predictions}`, `{targets}`, `{instruction}`, or `{rows}`: a batch point by point.
    package var optimizer: String
    package var outputMarker = "Output:"
    package var descriptionsMarker = "New Pattern Descriptions:"

    package init(learnerSystem: String = "", learner: String, optimizerSystem: String = "", optimizer: String) {
        self.learnerSystem = learnerSystem
        self.learner = learner
        self.optimizerSystem = optimizerSystem
        self.optimizer = optimizer
    }

    package static let standard = VerbalWording(
        learner: """
            ** Inference step **
            You are the model. The descriptions below are your parameters: apply them to the input and predict its output.

            ** Pattern descriptions **
            {descriptions}

            ** Input **
            {input}

            Reply in this form and no other:
            Explanations: [how the descriptions lead from the input to the output, step by step]
            Output: [{format}]
            """,
        optimizerSystem:
            "You optimise a model whose parameters are pattern descriptions in words. You improve the descriptions from batches "
            + "of data.",
        optimizer: """
            ** Optimization step **
            You are the optimizer. Write the pattern descriptions with which the model predicts best.

            ** Inputs (a batch of independent points) **
            {inputs}

            ** Current Pattern Descriptions **
            {descriptions}

            ** Model outputs for these inputs **
            {predictions}

            ** Target outputs for these inputs **
            {targets}

            If the model does well you may keep the current descriptions. Otherwise improve them: with the new ones the model \
            should come nearer to these targets, and also to those of the next batch, which is drawn the same way. Where an \
            earlier optimization step is shown, use what it found.{instruction}

            Reply in this form and no other:
            Reasoning: [be explicit, show the work, use no computer]
            New Pattern Descriptions: [specific and concrete; they MUST give exact values of all parameters]
            """)

    package static func fill(_ template: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let behind = rest[rest.index(after: open)...]
            if let close = behind.firstIndex(of: "}"), let value = values[String(behind[..<close])] {
                result += value
                rest = behind[behind.index(after: close)...]
            } else {
                result += "{"
                rest = behind
            }
        }
        return result + rest
    }
}

/// Reads the replies of both roles.
package enum VerbalReply {
    /// The prediction behind the last marker: so many numbers, or a label. Nil where there is none of the target's shape.
    package static func prediction(in reply: String, marker: String, _ target: VerbalTask.Target) -> VerbalValue? {
        guard let behind = text(behind: marker, in: reply) else { return nil }
        switch target {
        case .numbers(let count):
            let numbers = Quantity.all(in: plainNumbers(behind)).map(\.quantity.value.double)
            guard numbers.count >= count, numbers.prefix(count).allSatisfy(\.isFinite) else { return nil }
            // One number is the first one; a list must have exactly its length on its line.
            guard count > 1 else { return .numbers([numbers[0]]) }
            let line = behind.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            let listed = Quantity.all(in: plainNumbers(line)).map(\.quantity.value.double)
            return listed.count == count ? .numbers(listed) : nil
        case .labels(let labels):
            let words = Words.lowercased(behind)
            // Of labels that begin alike the longest one counts.
            let fitting = labels.filter { words.starts(with: Words.lowercased($0)) && !Words.lowercased($0).isEmpty }
            return fitting.max { Words.lowercased($0).count < Words.lowercased($1).count }.map(VerbalValue.text)
        }
    }

    /// The descriptions behind the last marker, without fences, quotes and stars; nil where nothing is said.
    package static func descriptions(in reply: String, marker: String) -> String? {
        guard var text = text(behind: marker, in: reply) else { return nil }
        let fences = text.ranges(of: "```")
        if let first = fences.first {
            let before = text[..<first.lowerBound].trimmingSpaces
            if before.isEmpty {
                // All of it is fenced: what the fence holds, without the name of a language on its line.
                var inside = text[first.upperBound...]
                if let end = inside.range(of: "```") { inside = inside[..<end.lowerBound] }
                if let line = inside.firstIndex(where: \.isNewline), !inside[..<line].contains(" ") {
                    inside = inside[line...]
                }
                text = String(inside)
            } else {
                text = before
            }
        }
        let marks: Set<Character> = ["`", "*", "\"", " ", "\n", "\t", "\r"]
        var part = text[...]
        while let first = part.first, marks.contains(first) { part.removeFirst() }
        while let last = part.last, marks.contains(last) { part.removeLast() }
        return part.contains { $0.isLetter || $0.isNumber } ? String(part) : nil
    }

    /// What stands behind the last marker; case and stars around it don't matter.
    private static func text(behind marker: String, in reply: String) -> String? {
        let name = marker.hasSuffix(":") ? marker.dropLast().lowercased() : marker.lowercased()
        let lower = reply.lowercased()
        guard lower.count == reply.count else { return nil }
        for range in lower.ranges(of: name).reversed() {
            var rest = reply.suffix(lower[range.upperBound...].count)
            while rest.first == "*" || rest.first == " " { rest.removeFirst() }
            if rest.first == ":" { return String(rest.dropFirst()) }
        }
        return nil
    }

    /// Minus signs, LaTeX and list brackets in the plain form that numbers are read in.
    private static func plainNumbers(_ text: String) -> String {
        var text = text.replacing("−", with: "-").replacing("{,}", with: ",")
        for mark in ["\\(", "\\)", "\\[", "\\]", "\\boxed{", "$", "[", "]", "{", "}", "*", "`"] {
            text = text.replacing(mark, with: " ")
        }
        // A list's commas part numbers; those of thousands have three digits behind them and no space.
        return text.replacing(", ", with: " ; ")
    }
}
