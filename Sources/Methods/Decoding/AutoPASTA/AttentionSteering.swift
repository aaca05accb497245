import Foundation
import Inference
import Laboratory

/// Where the steering bias goes.
public enum ScalePosition: String, OptionChoice, Codable {
    public typealias Item = ScalePosition
    /// −δ on prompt tokens outside the highlighted set.
    case exclude
    /// +δ on the highlighted set. The same after renormalisation, except that generated tokens are scaled down too.
    case include
    /// −δ on the whole prompt: the highlighted set plays no part, generated tokens gain.
    case generation
}

/// The PASTA operator: a bias on the pre-softmax attention scores of a few heads.
///
/// For a steered head with scores `A = QKᵀ/√d + mask`, highlighted tokens G, and prompt length n,
///
///     H = softmax(A + B)·V,    B_ij = 0 for j ∈ G or j > n,  −δ otherwise,    δ = ln(1/α)
///
/// which multiplies the attention weights outside G by α and renormalises each row. All query rows are steered, in prompt
/// processing and in decoding. Other heads and all weights stay as they are. Several highlighted spans are one set:
/// a token outside all of them is scaled once.
///
/// Source: Zhang et al., 2023, arXiv 2311.02262 (the operator), and 2024, arXiv 2409.10790 (its use).
public struct AttentionSteering: Sendable, Hashable {
    public var heads: Set<Head>
    /// The scale of the attention outside the highlighted set, above 0 and at most 1.
    public let alpha: Double
    public var position: ScalePosition
    /// Leaves the first token, on which many heads rest their unused attention, without a bias.
    public var protectsFirstToken: Bool

    public init(
        heads: Set<Head>, alpha: Double = 0.01, position: ScalePosition = .exclude, protectsFirstToken: Bool = false
    ) throws(SteeringError) {
        guard alpha > 0, alpha <= 1 else { throw .badAlpha(alpha) }
        self.heads = heads
        self.alpha = alpha
        self.position = position
        self.protectsFirstToken = protectsFirstToken
    }

    /// δ = ln(1/α), in nats.
    public var delta: Double { -log(alpha) }

    /// The change to the forward pass that highlights token spans of a prompt.
    ///
    /// - Parameters:
    ///   - spans: token ranges, counted from the start of the prompt; they may overlap.
    ///   - promptCount: the prompt's tokens.
    ///   - architecture: the model whose heads are meant.
    public func intervention(
        highlighting spans: [Range<Int>], promptCount: Int, architecture: ArchitectureSummary
    ) throws(SteeringError) -> Intervention {
        for head in heads
        where !(0..<architecture.layers).contains(head.layer) || !(0..<architecture.heads).contains(head.head) {
            throw .noSuchHead(head, layers: architecture.layers, heads: architecture.heads)
        }
        guard !spans.isEmpty, spans.allSatisfy({ !$0.isEmpty }) else { throw .emptySpan }
        if let outside = spans.first(where: { $0.lowerBound < 0 || $0.upperBound > promptCount }) {
            throw .spanOutside(outside, promptCount: promptCount)
        }
        let ranges: [Range<Int>] =
            switch position {
            case .exclude: Self.complement(of: spans, in: unprotected(promptCount))
            case .include: spans
            case .generation: [unprotected(promptCount)].filter { !$0.isEmpty }
            }
        return .attentionBias(heads: heads, ranges: ranges, bias: Float(position == .include ? delta : -delta))
    }

    private func unprotected(_ promptCount: Int) -> Range<Int> {
        min(protectsFirstToken ? 1 : 0, promptCount)..<promptCount
    }

    /// What no span covers, as ranges in order.
    package static func complement(of spans: [Range<Int>], in whole: Range<Int>) -> [Range<Int>] {
        var rest: [Range<Int>] = []
        var start = whole.lowerBound
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if span.lowerBound > start { rest.append(start..<min(span.lowerBound, whole.upperBound)) }
            start = max(start, span.upperBound)
            if start >= whole.upperBound { break }
        }
        if start < whole.upperBound { rest.append(start..<whole.upperBound) }
        return rest
    }
}

/// Why attention can't be steered.
public enum SteeringError: Error, Hashable, CustomStringConvertible {
    case badAlpha(Double)
    case emptySpan
    case spanOutside(Range<Int>, promptCount: Int)
    case noSuchHead(Head, layers: Int, heads: Int)

    public var description: String {
        switch self {
        case .badAlpha(let alpha):
            "--alpha can't be \(alpha): it scales the attention outside the span and must be above 0 and at most 1."
        case .emptySpan: "The span to highlight has no tokens."
        case .spanOutside(let span, let count):
            "The span \(span) to highlight lies outside the prompt of \(count) tokens."
        case .noSuchHead(let head, let layers, let heads):
            "There is no head \(HeadName(head)): the model has layers 0 to \(layers - 1) of heads 0 to \(heads - 1)."
        }
    }
}
