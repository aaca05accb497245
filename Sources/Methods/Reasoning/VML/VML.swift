import Foundation
import Inference
import Laboratory
import Text

/// VML, verbalised machine learning: a model whose parameters θ are a description in words. A learner predicts from it, and an
/// optimizer rewrites it after each batch.
///
/// ```
/// f(x; θ) = learner(θ₀ + " " + θ, x)                       one call a point
/// θ ← optimizer(θ₀ + " " + θ, {x}, {f(x; θ)}, {y}; the k steps before)      one call a batch
/// ```
///
/// θ₀ is the task's sentence with the prior; it is kept while everything behind it is replaced. The optimizer sees pairs, never the loss,
/// which is kept for the record. A reply that can't be read is asked for again at most `max-parse-retries` times (the reference code
/// loops for ever); a malformed one never becomes θ. Training ends with the last θ, or with the best on validation points.
///
/// As a strategy it is instance VML: the same two roles improve the solution of one question (`InstanceVML`). Images as inputs are not
/// handled: no model here sees.
///
/// Source: Xiao, Bamler, Schölkopf, Liu, "Verbalized Machine Learning: Revisiting Machine Learning with Language Models" (2024),
/// arXiv:2406.04344, and its reference code for roles, memory and parsing.
public struct VML: StrategyMethod {
    public static let card = MethodCard(
        "vml", .reasoning, name: "VML", [.training],
        "Fits a regression or classification whose parameters are a text that one model follows and another rewrites.",
        paper: Paper(
            "Verbalized Machine Learning: Revisiting Machine Learning with Language Models", "Xiao et al.", 2024,
            arXiv: "2406.04344"),
        data:
            "input (a number, a list of numbers, or a text; or x), output (or y, target, label); split: train, validation, test",
        claim:
            "A description in words, rewritten from the errors on small batches, comes to predict unseen points, and changes its "
            + "kind of model by itself where the first kind is wrong.")

    public init() {}

    public struct Options: MethodOptions {
        public var batchSize = 10
        public var epochs = 5
        public var memory = 1
        public var task = ""
        public var prior = ""
        public var instruction = ""
        public var decimals = 2
        public var reference = ReferenceTask.none
        public var learner: String?
        public var optimizer: String?
        public var temperature = 0.0
        public var optimizerTemperature = 0.0
        public var maxParseRetries = 5
        public var maxTokens = 1024
        public var maxDescription = 4000
        public var keep = KeptDescriptions.last
        public var validationShare = 0.0
        public var testShare = 0.2
        public var stepsPerTest = 0
        public var baselines: [VerbalBaseline] = [.inContext, .classical]
        public var candidates = 5
        public var card: Path?
        public var solutionSteps = 5

        public init() {}

        public static let fields: [Field<Self>] = [
            Field("batch-size", \.batchSize, "points of an optimization step", .atLeast(1)),
            Field("epochs", \.epochs, "passes over the training points", .atLeast(1)),
            Field("memory", \.memory, "earlier optimization steps that the optimizer sees", .within(0...2)),
            Field("task", \.task, "the sentence on the task, θ₀; empty: one that fits the data"),
            Field("prior", \.prior, "what is known beforehand, put behind the task's sentence"),
            Field("instruction", \.instruction, "what descriptions must obey: use no symbolic form"),
            Field("decimals", \.decimals, "digits behind the point of data and outputs", .within(0...8)),
            Field("reference", \.reference, "a task of the paper instead of data"),
            Field("learner", \.learner, "the model that predicts; none: the subject"),
            Field("optimizer", \.optimizer, "the model that rewrites; none: the subject"),
            Field("temperature", \.temperature, "of predictions, 0: greedy", .atLeast(0)),
            Field("optimizer-temperature", \.optimizerTemperature, "of updates, 0: greedy", .atLeast(0)),
            Field(
                "max-parse-retries", \.maxParseRetries, "how often an unreadable reply is asked for again",
                .within(0...100)),
            Field("max-tokens", \.maxTokens, "most tokens of a reply", .atLeast(1)),
            Field("max-description", \.maxDescription, "characters of descriptions that are kept", .atLeast(1)),
            Field("keep", \.keep, "the descriptions that training ends with"),
            Field(
                "validation-share", \.validationShare, "share of points that choose, where records have no split",
                .atLeast(0), .below(1)),
            Field(
                "test-share", \.testShare, "share of points that judge, where records have no split", .atLeast(0),
                .below(1)),
            Field(
                "steps-per-test", \.stepsPerTest, "tests after every so many steps; 0: at the start and the end",
                .atLeast(0)),
            Field("baselines", \.baselines, "what the model is compared with"),
            Field("candidates", \.candidates, "descriptions that propose chooses among", .atLeast(1)),
            Field("card", \.card, "a model card to predict with instead of training"),
            Field("solution-steps", \.solutionSteps, "rewritings of a solution, as a strategy", .atLeast(0)),
        ]

        public func validate() throws(OptionError) {
            if keep == .best, validationShare == 0, reference != .none {
                throw .conflict("--keep best chooses by validation points; give --validation-share, such as 0.2.")
            }
            if validationShare + testShare >= 1 {
                throw .conflict("--validation-share and --test-share leave nothing to train on.")
            }
        }
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        return InstanceVML(
            steps: options.solutionSteps, maxTokens: options.maxTokens, temperature: options.temperature,
            longest: options.maxDescription)
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        var (task, data) = try verbalData(options, in: lab)
        if !options.task.isEmpty { task.sentence = options.task }
        task.prior = options.prior
        task.decimals = options.decimals
        let learning = try await CallLedger(model(options.learner, in: lab))
        let optimizing = try await CallLedger(model(options.optimizer, in: lab))
        func calls(_ model: any LanguageModel, _ temperature: Double) -> VerbalCalls {
            VerbalCalls(
                model, temperature: temperature, maxTokens: options.maxTokens, retries: options.maxParseRetries,
                seed: lab.seed("vml"))
        }
        if let path = options.card {
            return try await predict(
                VerbalModelCard(path: path.expanded), data, calls(learning, options.temperature), in: lab)
        }
        var training = VerbalTraining(
            learner: VerbalLearner(task, calls: calls(learning, options.temperature)),
            optimizer: VerbalOptimizer(
                task, calls: calls(optimizing, options.optimizerTemperature), instruction: options.instruction,
                longest: options.maxDescription))
        training.batchSize = options.batchSize
        training.epochs = options.epochs
        training.memory = options.memory
        training.kept = options.keep
        training.stepsPerTest = options.stepsPerTest
        if options.keep == .best, data.validation.isEmpty { throw VerbalError.noPoints("validation") }
        let steps = (data.train.count + options.batchSize - 1) / options.batchSize * options.epochs
        let progress = lab.progress("VML", total: steps)
        let history = try await training.run(on: data) { _ in progress.advance() }
        progress.finish()

        let file = try lab.outputFile("model-card.md")
        try Data(VerbalModelCard(task, descriptions: history.descriptions).text().utf8).write(
            to: file, options: .atomic)
        await lab.recorder.record(Artifact(kind: "verbal model card", path: file.path))

        var report = VerbalReport(task: task, data: data, history: history).report("VML")
        guard !data.test.isEmpty else { return report }
        var baselines = VerbalBaselines(learner: training.learner, optimizer: training.optimizer)
        baselines.candidates = options.candidates
        let parameters = task.parameters(history.descriptions)
        let mine =
            history.chosen == history.steps.count - 1
            ? history.steps[history.chosen].test?.predictions ?? []
            : try await training.learner.predictAll(data.test, parameters: parameters, as: "chosen").map(\.value)
        for baseline in options.baselines {
            let theirs = try await baselines.predictions(baseline, data)
            try VerbalReport.compare(mine, theirs, baseline.rawValue, data, task, seed: lab.seed, in: &report)
        }
        report.add([
            Metric("calls, learner", Double(learning.calls.count), style: .whole),
            Metric("calls, optimizer", Double(optimizing.calls.count), style: .whole),
            Metric(
                "tokens written", Double(learning.usage.completionTokens + optimizing.usage.completionTokens),
                style: .whole),
        ])
        return report
    }

    private func model(_ reference: String?, in lab: Lab) async throws -> any LanguageModel {
        if let reference { return try await lab.loadModel(reference) }
        return try lab.languageModel()
    }

    private func predict(
        _ card: VerbalModelCard, _ data: VerbalData, _ calls: VerbalCalls, in lab: Lab
    ) async throws -> Report {
        let points = data.train + data.validation + data.test
        let predictions = try await card.predict(points.map(\.input), calls: calls)
        let loss = VerbalLoss(predictions, of: points, card.task)
        var report = Report("Predictions of a verbal model", summary: "The descriptions: \(card.descriptions)")
        report.add([
            Metric("loss", loss.value), Metric("points", Double(loss.count), style: .whole),
            Metric("unread", Double(loss.unread), style: .whole),
        ])
        var table = Table("Predictions", columns: [.text("input"), .number("predicted"), .number("target")])
        for (point, prediction) in zip(points, predictions).prefix(200) {
            let decimals = card.task.decimals
            table.add(
                point.input.text(decimals: decimals), prediction?.text(decimals: decimals) ?? "?",
                point.target.text(decimals: decimals))
        }
        report.add(table)
        return report
    }

    // MARK: Data

    private func verbalData(_ options: Options, in lab: Lab) throws -> (VerbalTask, VerbalData) {
        if options.reference != .none {
            var (task, data) = options.reference.data(using: lab.random("reference"))
            let held = Int(Double(data.train.count) * options.validationShare)
            data.validation = Array(data.train.suffix(held))
            data.train.removeLast(held)
            task.decimals = options.decimals
            return (task, data)
        }
        let records = try lab.data().records
        var parts: [String: [VerbalPoint]] = [:]
        var points: [VerbalPoint] = []
        for record in records {
            let point = VerbalPoint(
                try Self.value(record, ["input", "x", "text", "features"], "input (or x, text, features)"),
                try Self.value(record, ["output", "y", "target", "label"], "output (or y, target, label)"))
            points.append(point)
            if let split = try record.stringIfPresent("split") { parts[split.lowercased(), default: []].append(point) }
        }
        var data: VerbalData
        if let train = parts["train"] {
            data = VerbalData(train: train, validation: parts["validation"] ?? [], test: parts["test"] ?? [])
        } else {
            let held = Int(Double(points.count) * options.testShare)
            let judged = Int(Double(points.count) * options.validationShare)
            var generator = lab.random("split")
            let order = generator.shuffled(points)
            data = VerbalData(
                train: Array(order.dropFirst(held + judged)), validation: Array(order[held..<held + judged]),
                test: Array(order[..<held]))
        }
        guard let first = points.first else { throw VerbalError.noPoints("training") }
        let target: VerbalTask.Target
        switch first.target {
        case .numbers(let values): target = .numbers(values.count)
        case .text:
            target = .labels(
                Set(points.compactMap { if case .text(let label) = $0.target { label } else { nil } }).sorted())
        }
        return (VerbalTask(target, decimals: options.decimals), data)
    }

    private static func value(_ record: Record, _ names: [String], _ title: String) throws -> VerbalValue {
        guard let found = record.first(of: names) else {
            throw DataError.missingField(record.place, field: title, present: record.fieldNames)
        }
        if let number = found.value.doubleValue { return .numbers([number]) }
        if let list = found.value.arrayValue {
            let numbers = list.compactMap(\.doubleValue)
            guard numbers.count == list.count, !numbers.isEmpty else {
                throw DataError.wrongField(
                    record.place, field: found.name, expected: "a number, a list of numbers, or a text",
                    found: "a list with other things")
            }
            return .numbers(numbers)
        }
        let text = try record.string(found.name)
        // Delimited files hold numbers as texts.
        return Double(text.trimmingSpaces).map { .numbers([$0]) } ?? .text(text)
    }
}
