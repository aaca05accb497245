import ArgumentParser
import Foundation
import Laboratory
import Models
import Text
import Training

struct Rate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply what lyceum tune taught a model to say about texts: rewards, scores, classes.",
        discussion: """
            A folder of --objective reward gives each answer a reward, and says how often the chosen one
            of a pair has the higher; steps, regression and classification give scores and classes, and
            say how near they are to those that the records have. Records are those that it learnt from.
            Each line of --out has the record's number and what was found.

              lyceum rate --trained judge --data pairs.jsonl
              lyceum rate --trained topics --data texts.jsonl --out found.jsonl
            """)

    @Option(
        help: ArgumentHelp("The folder of a training run, or a model merged with it.", valueName: "folder"),
        completion: .directory)
    var trained: String

    @Option(help: ArgumentHelp("The records: JSONL, JSON, CSV or text.", valueName: "file"), completion: .file())
    var data: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The model beside which the folder's adapter was trained (else the one that it names).", valueName: "model"),
        completion: .file())
    var model: String?

    @Option(help: "The head's name, where the folder has several.")
    var head: String?

    @Option(help: ArgumentHelp("A file for one line of JSON a record.", valueName: "file"), completion: .file())
    var out: String?

    @Option(help: "The longest text in tokens (else what the model reads); cut as for training.")
    var longest: Int?

    @Option(help: "How the products are computed.")
    var precision = TrainingArguments.Compute.bf16

    /// Records that go through the model between two looks at Ctrl-C.
    private static let portion = 64

    func run() async throws {
        let rater = try TextRater(folder: trained, model: model, head: head, precision: precision.compute)
        guard longest ?? 2 <= rater.contextLength else {
            throw ValidationError("--longest can't be \(longest ?? 0): the model reads \(rater.contextLength) tokens.")
        }
        let records = try DataSet(path: data).records
        let console = Console.standardError()
        let rated = try await Interrupts.cancelling {
            var encoder = try SampleEncoder(rater.words, limit: longest ?? rater.contextLength)
            let items = try records.map { record in
                try Tune.sample(of: record) { try Item(record, for: rater.head, &encoder) }
            }
            let progress = WorkProgress(label: "Rating", total: items.count, console: console)
            var found: [Rated] = []
            for start in stride(from: 0, to: items.count, by: Self.portion) {
                try Task.checkCancellation()
                let part = items[start..<min(start + Self.portion, items.count)]
                let texts = part.flatMap(\.texts)
                var outputs = try rater.outputs(texts.map(\.text), places: texts.map(\.places))[...]
                for item in part {
                    found.append(Rated(item: item, outputs: Array(outputs.prefix(item.texts.count))))
                    outputs = outputs.dropFirst(item.texts.count)
                }
                progress.advance(by: part.count)
            }
            progress.finish()
            if encoder.cutCount > 0 {
                console.tell("\(encoder.cutCount) of \(records.count) records cut at \(encoder.limit) tokens.")
            }
            return found
        }
        let lines = rated.enumerated().map { $1.line(number: $0 + 1, head: rater.head).text() }
        if let out { try Output.write(lines.joined(separator: "\n") + "\n", to: out) }
        Output.table(Self.summary(of: rated, head: rater.head))
        if out == nil {
            for line in lines.prefix(10) { Output.line(line) }
            if lines.count > 10 { Output.line("… \(lines.count - 10) more; --out FILE keeps all.") }
        }
    }

    // MARK: Records

    /// What goes through the model for one record, and what the record says of it.
    private struct Item: Sendable {
        var texts: [(text: TokenSequence, places: [Int])]
        /// The record's own label, score or preference, where it has one.
        var labels: [String]?
        var scores: [Double]?
        var isPair = false

        init(_ record: Record, for head: Head, _ encoder: inout SampleEncoder) throws {
            switch head.name {
            case Classification.head:
                let labelled = try LabelledRecord(record)
                texts = [try encoder.rated(labelled.content)]
                labels = labelled.labels
            case StepScores.head, StepScores.numberHead:
                let scored = try ScoredRecord(record)
                texts = [try encoder.rated(scored.content)]
                scores = scored.scores
            default:
                if record["chosen"] != nil {
                    let pair = try PreferenceRecord(record)
                    let found = try encoder.pair(prompt: pair.prompt, chosen: pair.chosen, rejected: pair.rejected)
                    texts = [found.chosen, found.rejected].map { ($0, [$0.count - 1]) }
                    isPair = true
                } else {
                    texts = [try encoder.rated(ScoredRecord.Content.whole(RatedContent(record)))]
                }
            }
        }
    }

    /// What was found about one record.
    private struct Rated: Sendable {
        var item: Item
        /// [texts][places][outputs]
        var outputs: [[[Float]]]

        /// The class of each place.
        func classes(_ head: Head) -> [String] {
            outputs.joined().map { values in
                let best = values.indices.max { values[$0] < values[$1] } ?? 0
                return head.labels.isEmpty ? String(best) : head.labels[best]
            }
        }

        /// The number of each place of each text: a probability, where the head gives one.
        func numbers(_ head: Head) -> [Double] {
            let raw = outputs.joined().map { Double($0[0]) }
            guard head.name == StepScores.head else { return raw }
            return raw.map { 1 / (1 + exp(-$0)) }
        }

        func line(number: Int, head: Head) -> JSONValue {
            var fields: [JSONValue.Member] = [.init("record", .integer(number))]
            func add(_ name: String, _ values: [JSONValue]) {
                fields.append(.init(name, values.count == 1 ? values[0] : .array(values)))
            }
            if head.name == Classification.head {
                add("class", classes(head).map { .string($0) })
            } else if item.isPair {
                let both = numbers(head)
                fields += [.init("chosen", .number(both[0])), .init("rejected", .number(both[1]))]
            } else {
                let isScore = [StepScores.head, StepScores.numberHead].contains(head.name)
                add(isScore ? "score" : head.name, numbers(head).map { .number($0) })
            }
            return .object(fields)
        }
    }

    private static func summary(of rated: [Rated], head: Head) -> Table {
        var table = Table("Ratings", columns: [.text(""), .number("")])
        let three = NumberStyle.decimals(3)
        func mean(_ values: [Double]) -> String { three.text(values.reduce(0, +) / Double(max(1, values.count))) }
        func share(_ found: [Bool]) -> String { three.text(Double(found.count { $0 }) / Double(max(1, found.count))) }
        table.add("records", String(rated.count))
        if head.name == Classification.head {
            let found = rated.flatMap { $0.classes(head) }
            let counts = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
            let often = counts.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
            for (name, count) in often.prefix(20) { table.add(name, String(count)) }
            let right: [Bool] = rated.flatMap { one in zip(one.classes(head), one.item.labels ?? []).map { $0 == $1 } }
            if !right.isEmpty { table.add("accuracy over \(right.count) labels", share(right)) }
            return table
        }
        let pairs = rated.filter(\.item.isPair).map { $0.numbers(head) }
        let single = rated.filter { !$0.item.isPair }
        if !pairs.isEmpty {
            table.add("chosen above rejected", share(pairs.map { $0[0] > $0[1] }))
            table.add("mean margin", mean(pairs.map { $0[0] - $0[1] }))
        }
        if !single.isEmpty { table.add("mean", mean(single.flatMap { $0.numbers(head) })) }
        let known: [(Double, Double)] = single.flatMap { Array(zip($0.numbers(head), $0.item.scores ?? [])) }
        if !known.isEmpty {
            table.add("mean absolute error over \(known.count) scores", mean(known.map { abs($0 - $1) }))
            if head.name == StepScores.head {
                table.add("on the right side of 0.5", share(known.map { ($0 > 0.5) == ($1 > 0.5) }))
            }
        }
        return table
    }
}
