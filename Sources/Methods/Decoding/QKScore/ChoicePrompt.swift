import Inference
import Laboratory
import Text

/// Which token stands for an option.
public enum RepresentativeToken: String, OptionChoice, Codable {
    /// The token that holds the line break after the option's text.
    case eol
    /// The letter.
    case label
    /// The full stop behind the letter.
    case period
    /// The last token of the option's text.
    case content
    /// All tokens of the option's text, averaged.
    case mean
}

/// The text of a multiple-choice prompt and where its options stand in it, in UTF-8 bytes.
package struct ChoiceText: Sendable, Hashable {
    package struct Option: Sendable, Hashable {
        package var letter: Int
        package var period: Int
        package var content: Range<Int>
        /// The line break that ends the option; those inside its text are not meant.
        package var lineBreak: Int

        package init(letter: Int, period: Int, content: Range<Int>, lineBreak: Int) {
            self.letter = letter
            self.period = period
            self.content = content
            self.lineBreak = lineBreak
        }
    }

    package private(set) var text = ""
    package private(set) var options: [Option] = []

    /// The options that are never right, as the paper's experiments append them.
    package static let extraOptions = ["None of the above", "I don't know"]

    /// A question, after solved ones:
    ///
    ///     Context: …                (where there is one)
    ///     Question: …
    ///     Options:
    ///     A. …
    ///     B. …
    ///     Answer:
    package init(_ item: ChoiceItem, extraOptions: [String], shots: [ChoiceItem] = []) {
        for shot in shots {
            append(shot, extraOptions)
            text += " \(Self.letter(shot.gold))\n\n"
        }
        options = append(item, extraOptions)
    }

    @discardableResult
    private mutating func append(_ item: ChoiceItem, _ extraOptions: [String]) -> [Option] {
        if let context = item.context { text += "Context: \(context)\n" }
        text += "Question: \(item.question)\nOptions:\n"
        let options = (item.options + extraOptions).enumerated().map { index, option in
            let start = text.utf8.count
            text += "\(Self.letter(index)). "
            let content = text.utf8.count
            text += option + "\n"
            let end = text.utf8.count - 1
            return Option(letter: start, period: start + 1, content: content..<end, lineBreak: end)
        }
        text += "Answer:"
        return options
    }

    /// A for 0.
    package static func letter(_ index: Int) -> String {
        String(UnicodeScalar(UInt8(ascii: "A") + UInt8(index % 26)))
    }
}

/// A multiple-choice prompt as tokens, with the tokens that stand for its options. It is fed as it is, without a chat template,
/// so that its last token is the one that would be followed by the letter.
package struct ChoicePrompt: Sendable {
    package let ids: [TokenID]
    /// The positions t_i of each option's tokens: one, or for `mean` all of its text.
    package let options: [[Int]]

    /// N
    package var last: Int { ids.count - 1 }
    package var prompt: Prompt { .tokens(ids) }

    init(ids: some Sequence<TokenID>, options: [[Int]]) {
        self.ids = Array(ids)
        self.options = options
    }

    package init(
        _ item: ChoiceItem, extraOptions: [String], shots: [ChoiceItem] = [], token: RepresentativeToken,
        tokenizer: Tokenizer
    ) throws(QKScoreError) {
        guard item.options.count >= 2 else { throw .tooFewOptions(id: item.id, item.options.count) }
        let text = ChoiceText(item, extraOptions: extraOptions, shots: shots)
        let before = tokenizer.boundaryTokens.before
        let located = tokenizer.encodeWithOffsets(text.text)
        var options: [[Int]] = []
        for (index, option) in text.options.enumerated() {
            let found = try Self.tokens(
                of: option, as: token, in: located, letter: ChoiceText.letter(index), id: item.id
            ) { tokenizer.bytes(of: $0) }
            options.append(found.map { $0 + before.count })
        }
        ids = before + located.map(\.id)
        self.options = options
    }

    /// The tokens that stand for an option.
    ///
    /// The line break may share its token with what stands before it (".\n"); the token is found by the byte that it covers, and
    /// must hold a line break of its own.
    package static func tokens(
        of option: ChoiceText.Option, as token: RepresentativeToken, in located: [LocatedToken], letter: String,
        id: String, bytes: (TokenID) -> [UInt8]
    ) throws(QKScoreError) -> [Int] {
        func covering(_ byte: Int) -> [Int] { located.indices.filter { located[$0].range.contains(byte) }.suffix(1) }
        let found: [Int] =
            switch token {
            case .eol:
                covering(option.lineBreak).filter { bytes(located[$0].id).contains(UInt8(ascii: "\n")) }
            case .label: covering(option.letter)
            case .period: covering(option.period)
            case .content: covering(option.content.upperBound - 1)
            case .mean: located.indices.filter { located[$0].range.overlaps(option.content) }
            }
        guard !found.isEmpty else {
            throw token == .eol ? .noLineBreak(id: id, letter: letter) : .noToken(id: id, letter: letter, token)
        }
        return found
    }
}

/// Why QK-score can't work on an item, a data set or a model.
public enum QKScoreError: Error, Hashable, CustomStringConvertible {
    case tooFewOptions(id: String, Int)
    case noLineBreak(id: String, letter: String)
    case noToken(id: String, letter: String, RepresentativeToken)
    case noCalibration(items: Int)
    case noTestItems
    case tooFewWords(Int, needed: Int)
    case noLetterTokens
    case noQueriesAndKeys(layer: Int)
    case noSuchHeads([Head], layers: Int, heads: Int)
    case otherReading(path: String, HeadScore, RepresentativeToken)

    public var description: String {
        switch self {
        case .tooFewOptions(let id, let count):
            "\(id): a question needs at least 2 options, not \(count)."
        case .noLineBreak(let id, let letter):
            "\(id): the tokenizer leaves no token with the line break after option \(letter). Use --rep-token label or content."
        case .noToken(let id, let letter, let token):
            "\(id): no token of option \(letter) can stand for it as \(token.rawValue)."
        case .noCalibration(let items):
            "Choosing a head needs labelled questions apart from the tested ones, and \(items) "
                + "\(items == 1 ? "question leaves" : "questions leave") none. Give more data, raise --calib-fraction, or name the "
                + "heads with --heads."
        case .noTestItems: "Every question went into choosing the head; lower --calib-fraction."
        case .tooFewWords(let count, let needed):
            "The tokenizer's vocabulary has \(count) lower-case words of 5 to 9 letters; a question needs \(needed)."
        case .noLetterTokens:
            "The tokenizer spells no set of option letters with one token each, so there is no letter baseline."
        case .noQueriesAndKeys(let layer):
            "The model gives no separate queries and keys in layer \(layer)."
        case .noSuchHeads(let heads, let layers, let count):
            "There is no head \(heads.names): the model has layers 0 to \(layers - 1) of heads 0 to \(count - 1)."
        case .otherReading(let path, let score, let token):
            "The heads of \(path) were chosen with --score \(score.rawValue) --rep-token \(token.rawValue); run with the same."
        }
    }
}
