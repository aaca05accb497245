import Tensors
import Text

/// A request inside the engine: its sequences and what becomes of them.
final class EngineRequest {
    enum Work {
        case generate(Generation)
        /// The log-probabilities of tokens `from` on.
        case score(from: Int, found: [Float?])
    }

    let id: Int
    let main: EngineSequence
    /// Prompts decoded in lock-step with the main one.
    let companions: [EngineSequence]
    let combiners: [(range: Range<Int>, combiner: any LogitCombiner)]
    /// Which adapter it goes through; nil: the model itself.
    let adapter: String?
    var work: Work
    /// Whether its sequences hold blocks and advance.
    var isRunning = false
    let finish: @Sendable (Result<EngineResult, any Error>) -> Void

    init(
        id: Int, main: EngineSequence, companions: [EngineSequence] = [],
        combiners: [(range: Range<Int>, combiner: any LogitCombiner)] = [], adapter: String? = nil, work: Work,
        finish: @escaping @Sendable (Result<EngineResult, any Error>) -> Void
    ) {
        self.id = id
        self.main = main
        self.companions = companions
        self.combiners = combiners
        self.adapter = adapter
        self.work = work
        self.finish = finish
    }

    var sequences: [EngineSequence] { [main] + companions }

    /// The first token whose keys and values must be computed for their logits, whatever is cached.
    var firstNeededRow: Int {
        switch work {
        case .generate: main.tokens.count - 1
        case .score(let from, let found): max(0, found.lastIndex { $0 != nil } ?? from - 1)
        }
    }
}

/// What the engine hands back.
enum EngineResult: Sendable {
    case completion(Completion)
    case score(Score)
}

/// The state of one generated text.
final class Generation {
    var sampler: Sampler
    let stop: StopRule
    let topLogProbs: Int?
    var constraint: ConstraintState?
    let onText: (@Sendable (String) -> Void)?

    private(set) var ids: [TokenID] = []
    private(set) var text = ""
    var logProbs: [PositionLogProbs] = []
    private(set) var finish: FinishReason?
    private var matcher: StopMatcher
    private var decoder: StreamDecoder
    private let endTokens: Set<TokenID>

    init(
        sampler: Sampler, stop: StopRule, topLogProbs: Int?, constraint: ConstraintState?, tokenizer: Tokenizer,
        onText: (@Sendable (String) -> Void)?
    ) {
        self.sampler = sampler
        self.stop = stop
        self.topLogProbs = topLogProbs
        self.constraint = constraint
        self.onText = onText
        matcher = StopMatcher(stop.strings)
        decoder = tokenizer.streamDecoder()
        endTokens = stop.ignoresEndOfText ? [] : Set(tokenizer.endOfTextTokens)
    }

    /// Takes the chosen token in; afterwards `finish` tells whether the text has ended.
    func accept(_ token: TokenID) {
        if endTokens.contains(token) {
            end(.endOfText)
            return
        }
        if stop.tokens.contains(token) {
            end(.stop)
            return
        }
        sampler.accept(token)
        ids.append(token)
        constraint?.advance(token)
        let (shown, stopped) = matcher.append(decoder.append(token).utf8)
        show(shown)
        if stopped {
            finish = .stop
        } else if constraint?.isFinished == true {
            end(.endOfText)
        } else if ids.count >= stop.maxTokens {
            end(.length)
        }
    }

    private func end(_ reason: FinishReason) {
        let (shown, stopped) = matcher.append(decoder.finish().utf8)
        show(shown)
        if !stopped { show(matcher.finish()) }
        finish = stopped ? .stop : reason
    }

    private func show(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let piece = String(decoding: bytes, as: UTF8.self)
        text += piece
        onText?(piece)
    }

    /// Tokens that may still be generated.
    var remaining: Int { stop.maxTokens - ids.count }
}
