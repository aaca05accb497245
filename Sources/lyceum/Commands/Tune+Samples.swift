import Laboratory
import Text
import Training

/// Records as samples.
extension Tune {
    static func conversations(_ file: String, _ encoder: inout SampleEncoder) throws -> [TokenSequence] {
        try samples(file, as: ConversationRecord.self) {
            try encoder.conversation($0.messages, counting: $0.learned, tools: $0.tools)
        }
    }

    static func texts(_ file: String, _ encoder: inout SampleEncoder) throws -> [TokenSequence] {
        try samples(file, as: TextRecord.self) {
            let text = encoder.text($0.text)
            guard text.weight > 0 else {
                throw TrainingError.badSetting("text", reason: "it has no token to be learned")
            }
            return text
        }
    }

    /// Texts where the first record is one and no conversation.
    static func conversationsOrTexts(_ file: String, _ encoder: inout SampleEncoder) throws -> [TokenSequence] {
        let first = try DataSet(path: file, limit: 1).records[0]
        let isText = (try? TextRecord(first)) != nil && (try? ConversationRecord(first)) == nil
        return try isText ? texts(file, &encoder) : conversations(file, &encoder)
    }

    static func pairs(_ file: String, _ encoder: inout SampleEncoder) throws -> [PreferencePair] {
        try samples(file, as: PreferenceRecord.self) {
            try encoder.pair(prompt: $0.prompt, chosen: $0.chosen, rejected: $0.rejected)
        }
    }

    /// Each answer's mismatched partner is the next record's prompt, as the paper pairs them within a batch.
    static func judgedAnswers(_ file: String, _ encoder: inout SampleEncoder) throws -> [JudgedAnswer] {
        let records = try DataSet(path: file).records
        let answers = try records.map { record in
            let answer = try JudgedRecord(record)
            try sample(of: record) { _ = try encoder.prompt(answer.prompt) }
            return answer
        }
        return try answers.indices.map { index in
            let answer = answers[index]
            return try sample(of: records[index]) {
                try encoder.judged(
                    prompt: answer.prompt, completion: answer.completion, isDesirable: answer.isDesirable,
                    mismatched: answers[(index + 1) % answers.count].prompt)
            }
        }
    }

    /// One sample for each text that belongs to an anchor.
    static func related(_ file: String, _ encoder: inout SampleEncoder) throws -> [ContrastiveSample] {
        try samples(file, as: ContrastiveRecord.self) { record in
            func text(_ text: String) throws -> TokenSequence {
                let found = encoder.plain(text)
                guard found.count > 1 else { throw TrainingError.badSetting("text", reason: "a text has no token") }
                return found
            }
            let (anchor, negatives) = (try text(record.anchor), try record.negatives.map(text))
            return try record.positives.map {
                ContrastiveSample(anchor: anchor, positive: try text($0), negatives: negatives)
            }
        }.flatMap { $0 }
    }

    /// - Parameter labels: the classes in the order of the head's outputs.
    static func labelled(
        _ file: String, _ encoder: inout SampleEncoder, labels: [String]
    ) throws -> [LabelledText] {
        let numbers = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        return try DataSet(path: file).records.map { record in
            let labelled = try LabelledRecord(record)
            let own = try labelled.demandLabels(in: record).map { name in
                guard let number = numbers[name] else {
                    throw record.unusable("its label \(name.debugDescription) isn't among those that are learnt")
                }
                return number
            }
            return try sample(of: record) {
                let (text, places) = try encoder.rated(labelled.content)
                return LabelledText(text, labels: zip(places, own).map { .init(place: $0, label: $1) })
            }
        }
    }

    static func scored(_ file: String, _ encoder: inout SampleEncoder) throws -> [ScoredText] {
        try DataSet(path: file).records.map { record in
            let scored = try ScoredRecord(record)
            let scores = try scored.demandScores(in: record)
            return try sample(of: record) {
                let (text, places) = try encoder.rated(scored.content)
                return ScoredText(text, marks: zip(places, scores).map { .init(place: $0, score: Float($1)) })
            }
        }
    }

    private static func samples<Shape: DataRecord, Sample>(
        _ file: String, as shape: Shape.Type, _ encode: (Shape) throws -> Sample
    ) throws -> [Sample] {
        try DataSet(path: file).records.map { record in
            let typed = try Shape(record)
            return try sample(of: record) { try encode(typed) }
        }
    }

    /// What is made of a record; the reason why it can't be names the record's file, line and field.
    static func sample<Sample>(of record: Record, _ encode: () throws -> Sample) throws -> Sample {
        do {
            return try encode()
        } catch TrainingError.badSetting(_, let reason), TrainingError.untrainable(let reason) {
            throw record.unusable(reason)
        } catch let error as TemplateError {
            throw record.unusable("\(error)")
        }
    }
}
