import Inference
import Laboratory
import Text

/// Mixes the texts of several problems into one, sentence by sentence, with an option about each.
package enum HybridBlend {
    /// A hybrid of problems: their sentences interleaved, each problem's own in their order. Exactly one option states a right answer.
    ///
    /// - Parameter wrong: a wrong answer of each problem.
    /// - Throws: `TacticError.lostFacts` when a number or a name is not in the blend.
    package static func hybrid(
        _ id: String, of problems: [TacticProblem], wrong: [String], using generator: inout SeededGenerator
    ) throws(TacticError) -> TacticProblem {
        guard problems.count >= 2, problems.count == wrong.count else {
            throw .badProblem(id, "a hybrid mixes at least two problems, each with a wrong answer")
        }
        for (problem, answer) in zip(problems, wrong) where problem.form.isRight(answer, gold: problem.gold) {
            throw .badProblem(
                problem.id, "the answer \(answer.debugDescription) is right; its option needs a wrong one")
        }
        let text = interleaved(problems.map { Sentences.split($0.text) }, using: &generator)
        try verify(text, sources: problems.map(\.text))
        let right = generator.below(problems.count)
        let options = problems.indices.map { index in
            // The question says which of the problems the option is about.
            "\(Sentences.split(problems[index].text).last ?? "")\(mark)\(index == right ? problems[index].gold : wrong[index])"
        }
        return TacticProblem(
            id: id, dataset: "hyb", text, tactic: "routing", form: .option(problems.count), gold: "\(right + 1)",
            options: options, parts: problems)
    }

    private static let mark = " Answer: "

    /// The answer that an option of a blend states.
    package static func stated(in option: String) -> String {
        option.ranges(of: mark).last.map { String(option[$0.upperBound...]) } ?? option
    }

    /// Sentences of all texts in a random order that keeps each text's own.
    static func interleaved(_ texts: [[String]], using generator: inout SeededGenerator) -> String {
        let turns = generator.shuffled(texts.indices.flatMap { index in texts[index].map { _ in index } })
        var next = [Int](repeating: 0, count: texts.count)
        return turns.map { index in
            defer { next[index] += 1 }
            return texts[index][next[index]]
        }.joined(separator: " ")
    }

    /// Lets a model smooth a blend, and keeps its text only where every fact of the sources is still there.
    package static func smoothed(
        _ hybrid: TacticProblem, by model: any LanguageModel, maxTokens: Int = 1024
    ) async throws -> TacticProblem {
        let instruction = """
            The text below mixes several problems. Rewrite it so that it reads as one story. Keep every sentence's \
            information, every number and every name; add as little as you can; answer nothing.

            \(hybrid.text)
            """
        let reply = try await model.complete(
            CompletionRequest(.chat([.user(instruction)]), stop: StopRule(maxTokens: maxTokens)))
        let text = reply.text.trimmingSpaces
        guard !text.isEmpty, lost(in: text, sources: hybrid.parts.map(\.text)).isEmpty else { return hybrid }
        var rewritten = hybrid
        rewritten.text = text
        return rewritten
    }

    package static func verify(_ text: String, sources: [String]) throws(TacticError) {
        let missing = lost(in: text, sources: sources)
        if !missing.isEmpty { throw .lostFacts(missing) }
    }

    /// Numbers and names of the sources that a text doesn't mention as often.
    static func lost(in text: String, sources: [String]) -> [String] {
        func counts(_ texts: [String]) -> [String: Int] {
            Dictionary(texts.flatMap(facts).map { ($0, 1) }, uniquingKeysWith: +)
        }
        let here = counts([text])
        return counts(sources).filter { $0.value > here[$0.key, default: 0] }.keys.sorted()
    }

    /// The numbers of a text, and its capitalised words but those that begin a sentence.
    static func facts(of text: String) -> [String] {
        Sentences.split(text).flatMap { sentence in
            let words = sentence.split { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "'" }.map { word in
                word.split(separator: "'")[0...].first.map { $0.trimmingCharacters(".") } ?? ""
            }
            return words.enumerated().filter { index, word in
                guard let first = word.first else { return false }
                return first.isNumber || (index > 0 && first.isUppercase && word.count > 1)
            }.map(\.element)
        }
    }
}

extension Substring {
    fileprivate func trimmingCharacters(_ marks: String) -> String {
        var part = self
        while let first = part.first, marks.contains(first) { part.removeFirst() }
        while let last = part.last, marks.contains(last) { part.removeLast() }
        return String(part)
    }
}
