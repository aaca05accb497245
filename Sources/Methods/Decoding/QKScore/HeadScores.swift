import Inference
import Laboratory

/// What a head's choice is read from.
public enum HeadScore: String, OptionChoice, Codable {
    /// Query times key, before the rotary embedding.
    case qk
    /// The ordinary attention weight.
    case attention
}

/// How strongly every head of a model points at each option of one question.
package struct HeadScores: Sendable, Hashable {
    package let layers: Int
    package let heads: Int
    package let options: Int
    /// [layers × heads × options]
    package var values: [Double]

    package init(layers: Int, heads: Int, options: Int, values: [Double]? = nil) {
        self.layers = layers
        self.heads = heads
        self.options = options
        self.values = values ?? [Double](repeating: 0, count: layers * heads * options)
    }

    private func start(_ head: Head) -> Int { (head.layer * heads + head.head) * options }

    package subscript(head: Head) -> [Double] {
        get { Array(values[start(head)..<start(head) + options]) }
        set { values.replaceSubrange(start(head)..<start(head) + options, with: newValue) }
    }

    /// Every head, layer by layer.
    package var all: [Head] { (0..<layers).flatMap { layer in (0..<heads).map { Head(layer, $0) } } }

    /// The option that heads point at: one head's largest score. The scores of several are brought to mean 0 and deviation 1
    /// over the options, as heads differ in scale, and added.
    package func choice(of heads: [Head]) -> Int {
        if heads.count == 1, let head = heads.first { return Self.largest(self[head]) }
        var sum = [Double](repeating: 0, count: options)
        for head in heads {
            for (index, score) in Self.standardised(self[head]).enumerated() { sum[index] += score }
        }
        return Self.largest(sum)
    }

    /// The option of the largest mean score over all heads.
    package var choiceOfAllHeads: Int {
        var sum = [Double](repeating: 0, count: options)
        for (index, value) in values.enumerated() { sum[index % options] += value }
        return Self.largest(sum)
    }

    package static func standardised(_ scores: [Double]) -> [Double] {
        let mean = scores.reduce(0, +) / Double(scores.count)
        let deviation = (scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count)).squareRoot()
        return scores.map { deviation > 0 ? ($0 - mean) / deviation : 0 }
    }

    /// The first of the largest entries.
    package static func largest(_ scores: [Double]) -> Int {
        var best = 0
        for index in scores.indices where scores[index] > scores[best] { best = index }
        return best
    }

    // MARK: The equations

    /// The key head of a query head: ⌊h / (H / H_kv)⌋.
    package static func keyHead(_ head: Int, heads: Int, keyValueHeads: Int) -> Int {
        head / max(1, heads / max(1, keyValueHeads))
    }

    /// S_QK(i) = q · k_i of every query head of a layer, without scale or softmax.
    ///
    /// - Parameters:
    ///   - query: of the last token, [heads × headSize].
    ///   - keys: of each option, [options][keyValueHeads × headSize].
    ///   - isCosine: divides by the lengths of both.
    /// - Returns: [heads][options]
    package static func products(
        query: [Float], keys: [[Float]], heads: Int, keyValueHeads: Int, isCosine: Bool = false
    ) -> [[Double]] {
        let size = query.count / heads
        return (0..<heads).map { head in
            let keyHead = keyHead(head, heads: heads, keyValueHeads: keyValueHeads)
            let q = query[head * size..<(head + 1) * size]
            return keys.map { keys in
                let k = keys[keyHead * size..<(keyHead + 1) * size]
                let product = dot(q, k)
                guard isCosine else { return product }
                let lengths = (dot(q, q) * dot(k, k)).squareRoot()
                return lengths > 0 ? product / lengths : 0
            }
        }
    }

    private static func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
}
