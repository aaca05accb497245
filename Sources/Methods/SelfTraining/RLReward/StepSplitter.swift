import Text

/// Cuts a completion into steps at a separator, and says which token ends each of them.
///
/// The separator is looked for in the bytes of the text, so that it is found inside a token (`.\n`) and across two. A step ends at the token
/// that has the separator's last byte: there it is scored, and there its reward is paid. Blank steps are none. The last step of a text
/// that came to its end, which holds the answer, ends at the text's last token; the open step of a text that was cut short is none.
package struct StepSplitter: Sendable {
    package struct Step: Sendable, Hashable {
        package var text: String
        /// The place of its last token in the completion.
        package var end: Int
    }

    private let tokenizer: Tokenizer
    private let separator: [UInt8]

    /// - Parameter separator: `\n` and `\t` stand for a line break and a tab.
    package init(_ tokenizer: Tokenizer, separator: String) throws(RLRewardError) {
        let text = separator.replacing("\\n", with: "\n").replacing("\\t", with: "\t")
        guard !text.isEmpty else { throw .emptySeparator }
        self.tokenizer = tokenizer
        self.separator = Array(text.utf8)
    }

    package func steps(_ completion: [TokenID], isFinished: Bool) -> [Step] {
        var bytes: [UInt8] = []
        var owners: [Int] = []
        for (place, token) in completion.enumerated() where !tokenizer.isSpecial(token) {
            let own = tokenizer.bytes(of: token)
            bytes += own
            owners += own.map { _ in place }
        }
        var steps: [Step] = []
        var start = 0
        func text(through end: Int) -> String {
            let text = tokenizer.decode(completion[start...end])
            return text.replacing(String(decoding: separator, as: UTF8.self), with: " ").trimmingSpaces
        }
        var place = 0
        while place + separator.count <= bytes.count {
            guard bytes[place..<place + separator.count].elementsEqual(separator) else {
                place += 1
                continue
            }
            place += separator.count
            let end = owners[place - 1]
            // A second separator in the same token ends nothing more.
            guard end >= start else { continue }
            let own = text(through: end)
            if own.isEmpty { continue }
            steps.append(Step(text: own, end: end))
            start = end + 1
        }
        guard isFinished, let last = completion.indices.last else { return steps }
        let rest = start <= last ? text(through: last) : ""
        if !rest.isEmpty {
            steps.append(Step(text: rest, end: last))
        } else if !steps.isEmpty {
            // The token that ends the text closes no step of its own.
            steps[steps.count - 1].end = last
        }
        return steps
    }
}

extension StepSplitter.Step {
    /// Whether each step says nothing: it has neither a digit nor four letters, or it is an earlier step again. The last one, the
    /// answer, never counts.
    package static func areEmpty(_ steps: [StepSplitter.Step]) -> [Bool] {
        var seen: Set<String> = []
        return steps.enumerated().map { place, step in
            let isNew = seen.insert(step.text).inserted
            let isPlain = !step.text.contains(where: \.isNumber) && step.text.count(where: \.isLetter) < 4
            return place < steps.count - 1 && (isPlain || !isNew)
        }
    }

    /// A sentence for texts most of which have one step: the method then pays nothing but right or wrong.
    ///
    /// - Parameter counts: the steps of each text.
    package static func warning(counts: [Int]) -> String? {
        let single = counts.count { $0 <= 1 }
        guard !counts.isEmpty, 2 * single > counts.count else { return nil }
        return
            "\(single) of \(counts.count) texts have at most one step, which earns no learnt reward: is --separator right?"
    }
}
