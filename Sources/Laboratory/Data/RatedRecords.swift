import Text

/// What is rated: a text as it is, words in a row, or turns in the model's template.
public enum RatedContent: Sendable, Hashable {
    case text(String)
    case words([String])
    case conversation([ChatMessage])
}

/// Something that belongs to a class: a `text` (or `sentence`, `content`), two of them (`premise` and `hypothesis`, `sentence1` and
/// `sentence2`, `text` and `text_pair`), or a prompt or conversation with its answer, and its `label` (or `class`, `category`); or words
/// (`tokens` or `words`) with a label each (`tags`, `ner_tags`, `pos_tags` or `labels`). Labels are names or numbers.
public struct LabelledRecord: DataRecord, Hashable {
    public var content: RatedContent
    /// One, or one a word; nil where the record has none.
    public var labels: [String]?

    private static let labelFields = ["label", "class", "category"]
    private static let tagFields = ["tags", "ner_tags", "pos_tags", "labels"]

    public init(_ record: Record) throws(DataError) {
        if let found = record.first(of: ["tokens", "words"]), found.value.arrayValue != nil {
            let words = try record.strings(found.name)
            content = .words(words)
            labels = try record.first(of: Self.tagFields).map { (tags) throws(DataError) in
                let names = try record.strings(tags.name)
                guard names.count == words.count else {
                    throw .wrongField(
                        record.place, field: tags.name, expected: "\(words.count) labels, one a word",
                        found: "\(names.count)")
                }
                return names
            }
            return
        }
        content = try RatedContent(record)
        // A table's empty cell is no label.
        let label = try record.first(of: Self.labelFields).map { (found) throws(DataError) in
            try record.text(found.value, found.name)
        }
        labels = label.flatMap { $0.isEmpty ? nil : [$0] }
    }

    /// The labels of a record that must have them.
    public func demandLabels(in record: Record) throws(DataError) -> [String] {
        if let labels { return labels }
        if case .words = content { throw record.missing(anyOf: Self.tagFields) }
        throw record.missing(anyOf: Self.labelFields)
    }
}

/// Something with scores: the steps of an answer (`completions` or `steps`) to a prompt, with a number or truth value each (`labels`, `scores`
/// or `ratings`), or a text or an answer to a prompt with one `score` (or `label`, `rating`).
public struct ScoredRecord: DataRecord, Hashable {
    public enum Content: Sendable, Hashable {
        case steps(prompt: [ChatMessage], [String])
        case whole(RatedContent)
    }

    public var content: Content
    /// One a step, or one; nil where the record has none.
    public var scores: [Double]?

    public init(_ record: Record) throws(DataError) {
        if let found = record.first(of: ["completions", "steps"]) {
            let steps = try record.strings(found.name)
            guard !steps.isEmpty else {
                throw .wrongField(record.place, field: found.name, expected: "an array of steps", found: "an empty one")
            }
            content = .steps(prompt: try record.prompt() ?? [], steps)
            scores = try record.first(of: Self.stepFields).map { (given) throws(DataError) in
                let scores = try record.numbers(given.name)
                guard scores.count == steps.count else {
                    throw .wrongField(
                        record.place, field: given.name, expected: "\(steps.count) scores, one a step",
                        found: "\(scores.count)")
                }
                return scores
            }
            return
        }
        content = .whole(try RatedContent(record))
        scores = try record.first(of: Self.wholeFields).map { (given) throws(DataError) in
            let scores = try record.numbers(given.name)
            guard scores.count == 1 else {
                throw .wrongField(record.place, field: given.name, expected: "one number", found: "\(scores.count)")
            }
            return scores
        }
    }

    private static let stepFields = ["labels", "scores", "ratings"]
    private static let wholeFields = ["score", "label", "rating"]

    /// The scores of a record that must have them.
    public func demandScores(in record: Record) throws(DataError) -> [Double] {
        if let scores { return scores }
        if case .steps = content { throw record.missing(anyOf: Self.stepFields) }
        throw record.missing(anyOf: Self.wholeFields)
    }
}

/// Texts that belong together: `anchor` (or `query`, `question`, `sentence1`) with one or several `positive` (or `pos`, `answer`, `sentence2`), and
/// any that don't belong to the anchor (`negative`, `negatives`, `neg`, `negative_1` …).
public struct ContrastiveRecord: DataRecord, Hashable {
    public var anchor: String
    public var positives: [String]
    public var negatives: [String]

    public init(_ record: Record) throws(DataError) {
        func texts(_ fields: [String]) throws(DataError) -> [String] {
            guard let found = record.first(of: fields) else { throw record.missing(anyOf: fields) }
            let texts = try record.strings(found.name)
            guard !texts.isEmpty else {
                throw .wrongField(record.place, field: found.name, expected: "a text", found: "an empty array")
            }
            return texts
        }
        anchor = try texts(["anchor", "query", "question", "sentence1"])[0]
        positives = try texts(["positive", "pos", "answer", "sentence2"])
        negatives = []
        let names = record.fieldNames.filter { name in
            ["negative", "negatives", "neg"].contains(name)
                || name.hasPrefix("negative_") && name.dropFirst("negative_".count).allSatisfy(\.isNumber)
        }
        for name in names where record[name] != nil { negatives += try record.strings(name) }
    }
}

extension RatedContent {
    /// A text, two texts in two lines, or turns that may end with an answer.
    public init(_ record: Record) throws(DataError) {
        for (first, second) in [("premise", "hypothesis"), ("sentence1", "sentence2"), ("text", "text_pair")]
        where record[first] != nil && record[second] != nil {
            self = .text(try record.string(first) + "\n" + record.string(second))
            return
        }
        if let found = record.first(of: ["text", "sentence", "content"]) {
            self = .text(try record.text(found.value, found.name))
            return
        }
        guard let prompt = try record.prompt() else {
            throw record.missing("text (or sentence, content, prompt, messages)")
        }
        let answers = Record.answerFields + ["answer"]
        self = .conversation(record.first(of: answers) == nil ? prompt : prompt + (try record.answer(answers)))
    }
}

extension Record {
    /// A field's numbers: an array, or one alone; truth values are 1 and 0.
    func numbers(_ field: String) throws(DataError) -> [Double] {
        guard let value = self[field] else { throw missing(field) }
        var numbers: [Double] = []
        for element in value.arrayValue ?? [value] {
            let number =
                element.doubleValue ?? element.boolValue.map { $0 ? 1 : 0 }
                ?? element.stringValue.flatMap { Double($0) }
            guard let number, number.isFinite else { throw wrong(field, "numbers or truth values", element) }
            numbers.append(number)
        }
        return numbers
    }
}
