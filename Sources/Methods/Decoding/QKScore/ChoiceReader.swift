import Inference
import Laboratory
import Text

/// How the letters are spelt as the next token.
package enum LetterForm: String, Sendable, Hashable, CaseIterable {
    /// With a space before, as in "Answer: A".
    case spaced
    case bare

    /// The tokens of the first letters; nil where one needs several tokens or two share one.
    package func tokens(_ count: Int, tokenizer: Tokenizer) -> [TokenID]? {
        var tokens: [TokenID] = []
        for index in 0..<count {
            let letter = ChoiceText.letter(index)
            let ids = tokenizer.encode(self == .spaced ? " " + letter : letter)
            guard ids.count == 1 else { return nil }
            tokens += ids
        }
        return Set(tokens).count == count ? tokens : nil
    }
}

/// What one forward pass over a multiple-choice prompt shows.
package struct ChoiceReading: Sendable {
    package var gold: Int
    package var qk: HeadScores
    package var attention: HeadScores
    /// The logits of the options' letters as the next token.
    package var letters: [LetterForm: [Double]]
    /// The same read off the hidden state that enters each layer; empty unless asked for.
    package var lens: [LetterForm: [[Double]]]

    package init(
        gold: Int, qk: HeadScores, attention: HeadScores, letters: [LetterForm: [Double]],
        lens: [LetterForm: [[Double]]] = [:]
    ) {
        self.gold = gold
        self.qk = qk
        self.attention = attention
        self.letters = letters
        self.lens = lens
    }

    package func scores(_ kind: HeadScore) -> HeadScores { kind == .qk ? qk : attention }
}

/// Reads multiple-choice prompts: one forward pass gives the scores of all heads and the letters' logits.
package struct ChoiceReader: Sendable {
    package let model: any OpenModel
    package var token = RepresentativeToken.eol
    package var extraOptions = ChoiceText.extraOptions
    /// Solved questions before each prompt.
    package var shots: [ChoiceItem] = []
    package var isCosine = false
    package var readsLens = false

    package init(model: any OpenModel) { self.model = model }

    package func prompt(_ item: ChoiceItem) throws(QKScoreError) -> ChoicePrompt {
        try ChoicePrompt(
            item, extraOptions: extraOptions, shots: shots, token: token, tokenizer: model.tokenizer)
    }

    /// Reads a question, with changes to the forward pass where there are any.
    package func read(_ item: ChoiceItem, interventions: [Intervention] = []) async throws -> ChoiceReading {
        let architecture = model.architecture
        let prompt = try prompt(item)
        var request = self.request(prompt)
        request.interventions = interventions
        if readsLens { request.lens = Set(0..<architecture.layers) }
        let trace = try await model.trace(request)
        let (qk, attention) = try scores(trace, prompt)
        return ChoiceReading(
            gold: item.gold, qk: qk, attention: attention,
            letters: try letters(trace.logits[prompt.last] ?? [], prompt.options.count),
            lens: readsLens ? try lens(trace, prompt) : [:])
    }

    /// The letters' logits alone.
    package func letters(_ item: ChoiceItem) async throws -> [LetterForm: [Double]] {
        let prompt = try prompt(item)
        let trace = try await model.trace(TraceRequest(prompt.prompt))
        return try letters(trace.logits[prompt.last] ?? [], prompt.options.count)
    }

    /// Queries and keys at N and at the options' tokens, and attention from N, in every layer.
    package func request(_ prompt: ChoicePrompt) -> TraceRequest {
        let architecture = model.architecture
        return TraceRequest(
            prompt.prompt, positions: Set(prompt.options.joined()).sorted() + [prompt.last],
            queriesAndKeys: Set(0..<architecture.layers), attention: architecture.allHeads)
    }

    /// Both scores of every head, out of a trace of `request`. Keys and weights of several tokens are averaged.
    package func scores(_ trace: Trace, _ prompt: ChoicePrompt) throws -> (qk: HeadScores, attention: HeadScores) {
        let a = model.architecture
        let empty = HeadScores(layers: a.layers, heads: a.heads, options: prompt.options.count)
        var (qk, attention) = (empty, empty)
        let rows = Dictionary(
            trace.positions.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        let (queryWidth, keyWidth) = (a.heads * a.headSize, a.keyValueHeads * a.headSize)
        guard let last = rows[prompt.last] else { throw QKScoreError.noQueriesAndKeys(layer: 0) }
        for layer in 0..<a.layers {
            guard let queries = trace.queries[layer], queries.count == trace.positions.count * queryWidth,
                let keys = trace.keys[layer], keys.count == trace.positions.count * keyWidth
            else { throw QKScoreError.noQueriesAndKeys(layer: layer) }
            let optionKeys = prompt.options.map { tokens in
                Self.mean(
                    tokens.compactMap { rows[$0] }.map { keys[$0 * keyWidth..<($0 + 1) * keyWidth] }, count: keyWidth)
            }
            let products = HeadScores.products(
                query: Array(queries[last * queryWidth..<(last + 1) * queryWidth]), keys: optionKeys, heads: a.heads,
                keyValueHeads: a.keyValueHeads, isCosine: isCosine)
            for (head, scores) in products.enumerated() {
                qk[Head(layer, head)] = scores
                guard let weights = trace.attention[Head(layer, head)]?[prompt.last] else { continue }
                attention[Head(layer, head)] = prompt.options.map { tokens in
                    tokens.reduce(0) { $0 + Double(weights[$1]) } / Double(tokens.count)
                }
            }
        }
        return (qk, attention)
    }

    private static func mean(_ vectors: [ArraySlice<Float>], count: Int) -> [Float] {
        if vectors.count == 1, let vector = vectors.first { return Array(vector) }
        var sum = [Float](repeating: 0, count: count)
        for vector in vectors { for (index, value) in vector.enumerated() { sum[index] += value } }
        return sum.map { $0 / Float(max(1, vectors.count)) }
    }

    private func letters(_ logits: [Float], _ count: Int) throws(QKScoreError) -> [LetterForm: [Double]] {
        var found: [LetterForm: [Double]] = [:]
        for form in LetterForm.allCases {
            guard let tokens = form.tokens(count, tokenizer: model.tokenizer) else { continue }
            found[form] = tokens.map { Int($0) < logits.count ? Double(logits[Int($0)]) : -.infinity }
        }
        guard !found.isEmpty else { throw .noLetterTokens }
        return found
    }

    private func lens(_ trace: Trace, _ prompt: ChoicePrompt) throws(QKScoreError) -> [LetterForm: [[Double]]] {
        var found: [LetterForm: [[Double]]] = [:]
        for layer in 0..<model.architecture.layers {
            let letters = try letters(trace.lens[layer]?[prompt.last] ?? [], prompt.options.count)
            for (form, logits) in letters { found[form, default: []].append(logits) }
        }
        return found
    }
}
