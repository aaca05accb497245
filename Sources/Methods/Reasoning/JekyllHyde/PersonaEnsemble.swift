import Inference
import Laboratory
import Text

/// Jekyll & Hyde as a strategy around another one: solve with a persona and without, and let an order-proof judge pick.
package struct PersonaEnsemble: ReasoningStrategy {
    package let options: JekyllHyde.Options
    package let inner: any ReasoningStrategy
    package let name: String
    /// Without, one order drawn by chance is judged once: the arm that shows what the second order is worth.
    package let isRobust: Bool

    package init(
        _ options: JekyllHyde.Options, around inner: (any ReasoningStrategy)? = nil, isRobust: Bool = true
    ) {
        self.options = options
        self.inner = inner ?? NeutralSolver(options)
        self.isRobust = isRobust
        name = isRobust ? inner.map { "jekyll-hyde:\($0.name)" } ?? "jekyll-hyde" : "single-order judge"
    }

    package var needs: Capabilities {
        options.verdicts == .logProbs ? inner.needs.union(.scoring) : inner.needs
    }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let persona = try await PersonaSource(options).persona(inquiry)
        let solutions = try await inquiry.branches(
            ["persona", "neutral"], preambles: [persona.map(PersonaSource.preamble), nil]
        ) { branch, _ in try await inner.solve(branch) }
        let (hyde, jekyll) = (solutions[0], solutions[1])
        let grader = Grader(inquiry.question.kind)
        if options.shortcutOnAgreement, grader.isSame(hyde.answer, jekyll.answer) {
            return Solution(answer: jekyll.answer, text: jekyll.text, outcome: "agreed")
        }
        let shown: [Candidate: String] = [
            .persona: PersonaSource.anonymous(hyde.text, inquiry), .neutral: jekyll.text,
        ]
        let judge = PairwiseJudge(temperature: options.evaluatorTemperature, verdicts: options.verdicts)
        func verdict(_ first: Candidate, _ attempt: Int) async throws -> PairwiseJudge.Position? {
            let second: Candidate = first == .persona ? .neutral : .persona
            return try await judge.verdict(shown[first] ?? "", shown[second] ?? "", attempt: attempt, asking: inquiry)
        }
        guard isRobust else {
            var coin = SeededGenerator(seed: inquiry.streamSeed("order"))
            let first: Candidate = coin.chance(0.5) ? .persona : .neutral
            guard let position = try await verdict(first, 0) else { return inconsistent(hyde, jekyll, []) }
            let solution = (position == .first) == (first == .persona) ? hyde : jekyll
            return Solution(
                answer: solution.answer, text: solution.text, outcome: position == .first ? "first" : "second")
        }
        // At temperature 0 every pair is the first one again.
        let finding = try await RobustVerdict.find(
            limit: options.evaluatorTemperature == 0 ? 1 : options.k, verdict)
        if let winner = finding.winner {
            let solution = winner == .persona ? hyde : jekyll
            return Solution(
                answer: solution.answer, text: solution.text, outcome: "consistent, pair \(finding.attempts)")
        }
        return inconsistent(hyde, jekyll, finding.votes)
    }

    private func inconsistent(_ hyde: Solution, _ jekyll: Solution, _ votes: [Candidate?]) -> Solution {
        let outcome = "inconsistent, \(options.onInconsistent.rawValue)"
        switch options.onInconsistent {
        case .cantAnswer:
            return Solution(answer: "", text: "Can't answer", outcome: outcome)
        case .neutral:
            return Solution(answer: jekyll.answer, text: jekyll.text, outcome: outcome)
        case .persona:
            return Solution(answer: hyde.answer, text: hyde.text, outcome: outcome)
        case .majority:
            let forPersona = votes.count { $0 == .persona }
            // A tie goes to the neutral solution, the safer one where personas hurt.
            let solution = forPersona > votes.count { $0 == .neutral } ? hyde : jekyll
            return Solution(answer: solution.answer, text: solution.text, outcome: outcome)
        }
    }
}

/// The persona's side alone: an arm to compare with.
package struct PersonaSolver: ReasoningStrategy {
    package let options: JekyllHyde.Options

    package init(_ options: JekyllHyde.Options) { self.options = options }

    package let name = "persona"

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let persona = try await PersonaSource(options).persona(inquiry)
        let solutions = try await inquiry.branches(
            ["persona"], preambles: [persona.map(PersonaSource.preamble)]
        ) { branch, _ in try await NeutralSolver(options).solve(branch) }
        return solutions[0]
    }
}

/// The question with no role, asked to end in a form that can be read.
package struct NeutralSolver: ReasoningStrategy {
    package let options: JekyllHyde.Options

    package init(_ options: JekyllHyde.Options) { self.options = options }

    package let name = "neutral"

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let kind = inquiry.question.kind
        let completion = try await inquiry.ask(
            "solution",
            [.user("\(inquiry.question.prompt)\n\nEnd with \"The answer is …\", the answer being \(kind.request).")],
            maxTokens: options.maxTokens,
            sampling: options.solverTemperature > 0 ? .random(temperature: options.solverTemperature) : .greedy)
        return Solution(answer: Grader(kind).answer(in: completion.text), text: completion.text)
    }
}

/// Where a question's persona comes from, and how it is worn and taken off.
package struct PersonaSource: Sendable {
    package let options: JekyllHyde.Options

    package init(_ options: JekyllHyde.Options) { self.options = options }

    /// The persona for this question; nil where the model named none, which makes both solvers neutral and is noted.
    package func persona(_ inquiry: Inquiry) async throws -> String? {
        if let fixed = options.persona { return fixed }
        let completion = try await inquiry.ask(
            "persona",
            [
                .user(
                    "Question: \(inquiry.question.prompt)\n\nWhich job or persona is best suited to solve this question? Do "
                        + "not solve it. Reply in one line of the form \"persona: <job>\".")
            ], maxTokens: 32)
        let persona = Self.parse(completion.text)
        if persona == nil { inquiry.note("persona", "none could be read; the persona solver is neutral, too") }
        return persona
    }

    /// The job behind the first "persona:", without article and punctuation; of several the first. Nil without the prefix and for
    /// what is longer than a job's name.
    package static func parse(_ reply: String) -> String? {
        guard let prefix = reply.lowercased().ranges(of: "persona:").first, reply.lowercased().count == reply.count
        else {
            return nil
        }
        let place = reply.lowercased().distance(from: reply.lowercased().startIndex, to: prefix.upperBound)
        let line = reply.dropFirst(place).prefix { !$0.isNewline && $0 != "," && $0 != ";" && $0 != "." }
        var words = line.split { $0.isWhitespace || "\"'<>*[]()".contains($0) }.map(String.init)
        if let or = words.firstIndex(where: { ["or", "and"].contains($0.lowercased()) }) {
            words = Array(words[..<or])
        }
        if let first = words.first?.lowercased(), ["a", "an", "the"].contains(first) { words.removeFirst() }
        let names = words.joined(separator: " ")
        return words.isEmpty || words.count > 6 || names.lowercased() == "job" ? nil : names
    }

    package static func preamble(_ persona: String) -> String {
        let article = persona.first.map { "aeiouAEIOU".contains($0) } == true ? "an" : "a"
        return "You are \(article) \(persona)."
    }

    /// The solution without a first sentence part that gives its role away ("As a mathematician, …"), noted where it was cut.
    package static func anonymous(_ text: String, _ inquiry: Inquiry) -> String {
        let start = text.trimmingSpaces
        let lower = start.lowercased()
        guard ["as a ", "as an ", "as the "].contains(where: { lower.hasPrefix($0) }),
            let comma = start.firstIndex(of: ","),
            start.distance(from: start.startIndex, to: comma) < 80
        else { return text }
        inquiry.note("role phrase cut", String(start[...comma]))
        return String(start[comma...].dropFirst()).trimmingSpaces
    }
}
