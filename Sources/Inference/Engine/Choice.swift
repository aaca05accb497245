import Tensors
import Text

/// The choice of one stream's next token from its rows of logits (the main prompt's, then its companions').
struct Choice {
    enum Outcome {
        case token(TokenID, PositionLogProbs?)
        case failed(any Error)
    }

    let outcome: Outcome

    /// Changes the logits and the request's sampler; safe beside other requests.
    init(_ request: EngineRequest, rows: [UnsafeMutableBufferPointer<Float>], tokenizer: Tokenizer) {
        guard case .generate(let generation) = request.work else {
            outcome = .failed(EngineError.badRequest("a scoring request does not sample"))
            return
        }
        let logits = rows[0]
        for (range, combiner) in request.combiners {
            combiner.combine(
                main: logits, companions: range.map { UnsafeBufferPointer(rows[1 + $0]) }, generated: generation.ids)
        }
        for processor in request.main.edits.processors { processor.process(logits, generated: generation.ids) }
        let best = indexOfMaximum(UnsafeBufferPointer(logits))
        guard logits[best].isFinite else {
            outcome = .failed(EngineError.notFinite(position: request.main.tokens.count - 1))
            return
        }
        // Log-probabilities are the model's own, before penalties, masks and temperature.
        var logProbs: PositionLogProbs?
        var normaliser: Float = 0
        if generation.topLogProbs != nil { normaliser = logSumExp(UnsafeBufferPointer(logits)) }
        let report = generation.topLogProbs.map {
            Self.top($0, of: logits, normaliser: normaliser, tokenizer: tokenizer)
        }
        let plain = report == nil ? nil : Array(logits)
        if let constraint = generation.constraint {
            constraint.mask(logits, remaining: generation.remaining)
        }
        generation.sampler.adjust(logits)
        let token = generation.sampler.choose(logits)
        if let report, let plain {
            logProbs = PositionLogProbs(
                chosen: TokenLogProb(
                    id: token, text: tokenizer.text(of: token), logProb: plain[Int(token)] - normaliser),
                top: report)
        }
        outcome = .token(token, logProbs)
    }

    private static func top(
        _ count: Int, of logits: UnsafeMutableBufferPointer<Float>, normaliser: Float, tokenizer: Tokenizer
    ) -> [TokenLogProb] {
        guard count > 0 else { return [] }
        return indicesOfLargest(count, in: UnsafeBufferPointer(logits)).map { id in
            TokenLogProb(
                id: TokenID(id), text: tokenizer.text(of: TokenID(id)), logProb: logits[id] - normaliser)
        }
    }
}
