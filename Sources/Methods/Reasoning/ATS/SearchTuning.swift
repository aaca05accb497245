import Inference
import Laboratory
import Models
import Text
import Training

/// Fine-tunes the subject on accepted transcripts, `# Question\n{task}\n\n# Answer\n{transcript}` and the end token, as plain language
/// modelling.
package struct SearchTuning: Sendable {
    package let options: ATS.Options

    package init(_ options: ATS.Options) { self.options = options }

    /// The texts as samples. Those of `max-len` tokens and more are dropped, not cut: half a search teaches not to end.
    package func samples(_ examples: [SearchExample], words: ModelText) throws -> [TokenSequence] {
        var encoder = try SampleEncoder(words, limit: .max)
        return examples.map { example in
            let prompt = SearchPrompt.tuned(task: example.question)
            return options.loss == .all
                ? encoder.text(prompt + example.answer)
                : encoder.completion(prompt: prompt, completion: example.answer)
        }.filter { $0.count < options.maxLen }
    }

    /// Trains on the samples and returns the folder of the adapter or model.
    package func train(_ label: String, on samples: [TokenSequence], model path: String, in lab: Lab) async throws
        -> String
    {
        let output = try lab.modelFolder(label)
        var run = TrainingRun(
            model: path, objective: Supervised(),
            parameterisation: options.form == .full
                ? ChosenWeights.all : try LowRankAdaptation(rank: options.rank, alpha: Double(2 * options.rank)),
            optimisation: try Optimisation(AdamW(), rate: options.rate ?? (options.form == .full ? 1e-5 : 2e-4)),
            samples: samples, output: output)
        run.settings.samplesPerStep = options.accumulate
        run.settings.steps = max(1, options.tuneSteps / options.accumulate)
        // The paper looks at the model half way, too.
        run.settings.stepsPerCheckpoint = max(1, options.tuneSteps / options.accumulate / 2)
        run.settings.seed = lab.seed("tuning")
        try await lab.train(label, run)
        await lab.recorder.record(Artifact(kind: options.form == .full ? "model" : "adapter", path: output))
        return output
    }

    /// Tunes the subject for every group from the same puzzles and examines it before and after.
    package func report(_ kind: PuzzleKind, _ groups: [SearchGroup], in lab: Lab) async throws -> Report {
        let subject = try lab.languageModel()
        let reference = try ModelReference(subject.identity.reference)
        guard reference.isLocal, let local = subject as? LocalModel else {
            throw ATSError.notLocal(subject.identity.reference)
        }
        let path = try reference.localPath()
        let words = try ModelText(path: path)
        let questions = try kind.puzzles(.validation, count: lab.limit ?? options.items).map(\.question)
        let given = try options.transcripts.map { try DataSet(path: $0.expanded).records(as: SearchExample.self) }
        let training = try kind.puzzles(.training, count: options.examples)
        let percent = NumberStyle.percent
        var table = Table(
            "Tuned on transcripts",
            columns: [
                .text("transcripts"), .number("accepted"), .number("trained on"), .number("accuracy before"),
                .number("accuracy after"), .number("tokens written"),
            ])
        var report = Report("ATS tuned on \(kind.rawValue)")
        for group in groups {
            let examples: [SearchExample]
            if let given {
                examples = given.filter { $0.group == group && $0.kind == kind }
            } else {
                examples = try await TranscriptCollection(kind, options).examples(group, of: training, in: lab)
            }
            let samples = try samples(examples, words: words)
            guard !samples.isEmpty else {
                throw ATSError.noTranscripts(group: group.name, tried: given?.count ?? training.count)
            }
            let label = "tuned-\(group.name)"
            let before = try await attempts(group, adapter: nil, questions, asking: local, label + ", before", in: lab)
            let output = try await train(label, on: samples, model: path, in: lab)
            let after: [Attempt]
            if options.form == .full {
                after = try await attempts(group, adapter: nil, questions, asking: lab.open(output), label, in: lab)
            } else {
                try await local.addAdapter(label, AdapterFolder.read(output, for: local.configuration).changes)
                after = try await attempts(group, adapter: label, questions, asking: local, label, in: lab)
                await local.removeAdapter(label)
            }
            let difference = try PairedDifference(
                baseline: before.map(\.isRight), method: after.map(\.isRight), seed: lab.seed)
            report.add(
                Comparison(
                    "accuracy, \(group.name)", baseline: "before", method: "after", difference, style: .percent))
            let written = after.reduce(0) { $0 + $1.cost.usage.completionTokens }
            table.add(
                group.name, "\(examples.count)", "\(samples.count)",
                percent.text(try Estimate.accuracy(before.map(\.isRight)).value),
                percent.text(try Estimate.accuracy(after.map(\.isRight)).value),
                NumberStyle.whole.text(Double(written) / Double(max(1, after.count))))
        }
        report.add(table)
        report.note(
            "Every group is tuned from the same puzzles and examined on held-out ones. With few examples of long transcripts a small "
                + "model learns the form of a search well before it learns to search.")
        return report
    }

    private func attempts(
        _ group: SearchGroup, adapter: String?, _ questions: [Question], asking model: any LanguageModel,
        _ label: String,
        in lab: Lab
    ) async throws -> [Attempt] {
        var strategy = TreeSearchAnswering(group, options)
        strategy.form = .tuned(adapter: adapter)
        let asking = strategy
        return try await lab.forEach(label, questions) { question in
            try await asking.attempt(question, asking: model, seed: lab.seed)
        }
    }
}
