import ArgumentParser
import Laboratory
import Models
import Tensors
import Text
import Training

/// What `lyceum tune` asks about learning from a teacher.
struct TeacherArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model to learn from, with the same tokens: a GGUF file, a Hugging Face folder or embedded.",
            valueName: "model"),
        completion: .file())
    var teacher: String?

    @Option(help: "forward covers what the teacher holds likely, reverse keeps to it.")
    var direction: DivergenceDirection?

    @Option(help: "Share of the loss that is the texts' own tokens (else 0).")
    var dataShare: Double?

    @Option(
        help:
            "Learn only the teacher's k most likely tokens, found once before training, so that it needn't stay in memory."
    )
    var topK: Int?
}

extension DivergenceDirection: ExpressibleByArgument {}

/// Learning from a teacher, and new heads on the hidden states.
extension Tune {
    func distil() async throws -> TrainingSummary {
        let temperature = temperature ?? 1
        if let k = teacher.topK {
            return try await train(SoftLabelDistillation(temperature: temperature), softLabels(k, temperature))
        }
        let (master, key) = try openTeacher()
        return try await train(
            Distillation(
                teacher: master, teacherKey: key, direction: teacher.direction ?? .forward, temperature: temperature,
                dataShare: teacher.dataShare ?? 0), on: Self.conversationsOrTexts)
    }

    /// The teacher isn't needed any more when they are made.
    private func softLabels(_ k: Int, _ temperature: Double) throws -> TuningSamples<SoftLabelSample> {
        let (master, _) = try openTeacher()
        return try samples {
            try SoftLabelSample.make(
                Self.conversationsOrTexts($0, &$1), teacher: master, k: k, temperature: temperature)
        }
    }

    private func openTeacher() throws -> (model: DecoderModel, fingerprint: String) {
        let source = try openWeights(at: ModelReference(teacher.teacher ?? "").localPath())
        guard try Self.tokens(of: ModelText(source).tokenizer, are: ModelText(path: modelPath()).tokenizer) else {
            throw ValidationError("--teacher \(teacher.teacher ?? "") has other tokens than --model \(model).")
        }
        let precision = training.precision.compute
        return (try DecoderModel(source, forms: { _ in precision.frozen }), source.fingerprint())
    }

    private static func tokens(of one: Tokenizer, are other: Tokenizer) -> Bool {
        one.vocabularySize == other.vocabularySize
            && (0..<TokenID(one.vocabularySize)).allSatisfy { one.bytes(of: $0) == other.bytes(of: $0) }
    }

    /// Classes of texts or words, named as the records name them.
    func classify() async throws -> TrainingSummary {
        var names: Set<String> = []
        for record in try DataSet(path: data).records {
            names.formUnion(try LabelledRecord(record).demandLabels(in: record))
        }
        let isNumbered = names.allSatisfy { Int($0) != nil }
        let labels = names.sorted().sorted { isNumbered && (Int($0) ?? 0) < (Int($1) ?? 0) }
        guard labels.count > 1 else {
            throw ValidationError("\(data) has the label \(labels.first ?? "") only; classes are two or more.")
        }
        return try await train(Classification(), head: .init(Classification.head, labels: labels)) {
            try Self.labelled($0, &$1, labels: labels)
        }
    }

    /// Numbers at the ends of steps or texts.
    func score(_ loss: StepScores.Loss) async throws -> TrainingSummary {
        let objective = StepScores(loss: loss)
        return try await train(objective, head: .init(objective.head)) { file, encoder in
            let samples = try Self.scored(file, &encoder)
            guard loss == .squaredError || samples.allSatisfy({ $0.marks.allSatisfy { (0...1).contains($0.score) } })
            else {
                throw ValidationError(
                    "--objective steps learns scores from 0 to 1, and \(file) has others; take --objective regression.")
            }
            return samples
        }
    }
}
