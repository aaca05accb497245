/// A regular expression as a tree.
indirect enum RegexNode: Sendable {
    case empty
    /// One scalar of the set.
    case set(ScalarSet)
    case sequence([RegexNode])
    case alternation([RegexNode])
    /// `maximum` nil: without bound.
    case repetition(RegexNode, minimum: Int, maximum: Int?)
    /// Matches nothing at the very start of the text.
    case start
    /// Matches nothing at the very end of the text.
    case end

    static func literal(_ text: String) -> RegexNode {
        .sequence(text.unicodeScalars.map { .set(ScalarSet($0.value)) })
    }

    /// Found anywhere in the text, as JSON Schema's `pattern` asks.
    var searched: RegexNode {
        let any = RegexNode.repetition(.set(.all), minimum: 0, maximum: nil)
        return .sequence([any, self, any])
    }
}
