import Foundation
import Inference

/// What a method works with: the subject model, the data, random streams, folders, progress, and the record of the run.
public struct Lab: Sendable {
    /// Opens a model by its reference, for judges, second models and methods without a subject.
    public typealias ModelLoader = @Sendable (ModelReference) async throws -> any LanguageModel

    let subject: (any LanguageModel)?
    let loader: ModelLoader
    /// The method that runs, as messages name it.
    public let slug: String
    /// The seed of the run; every random choice comes from one of its named streams.
    public let seed: UInt64
    /// The most items to work on; nil: all.
    public let limit: Int?
    let dataSet: DataSet?
    /// Where things that can be made again are kept between runs (a head profile of a model).
    public let cacheFolder: URL
    /// Where this run puts its files; made on first use.
    public let outputFolder: URL
    /// Keeps samples, metrics, timings and artifacts as they come, so that an interrupted run still has them.
    public let recorder: RunRecorder
    public let console: Console

    public init(
        slug: String, subject: (any LanguageModel)?, dataSet: DataSet? = nil, seed: UInt64 = 1, limit: Int? = nil,
        cacheFolder: URL? = nil, outputFolder: URL? = nil, recorder: RunRecorder = RunRecorder(),
        console: Console = .silent, loader: @escaping ModelLoader = Lab.noLoader
    ) {
        self.slug = slug
        self.subject = subject
        self.dataSet = dataSet
        self.seed = seed
        self.limit = limit
        self.cacheFolder = cacheFolder ?? Folders.cache
        self.outputFolder =
            outputFolder ?? FileManager.default.temporaryDirectory.appendingPathComponent("lyceum-\(slug)")
        self.recorder = recorder
        self.console = console
        self.loader = loader
    }

    /// A loader for labs whose methods open no other model.
    public static let noLoader: ModelLoader = { reference in
        throw LabError.noModel(reference.description)
    }

    // MARK: Models

    /// The subject model.
    public func languageModel() throws -> any LanguageModel {
        guard let subject else { throw LabError.noSubject(slug: slug) }
        return subject
    }

    /// The subject as a model that scores given text.
    public func scoringModel() throws -> any ScoringModel {
        let model = try languageModel()
        guard model.capabilities.contains(.scoring), let scoring = model as? any ScoringModel else {
            throw CapabilityError(slug: slug, model: model, missing: .scoring)
        }
        return scoring
    }

    /// The subject as an open model: attention, hidden states, logits, interventions.
    public func openModel() throws -> any OpenModel {
        let model = try languageModel()
        guard model.capabilities.contains(.open), let open = model as? any OpenModel else {
            throw CapabilityError(slug: slug, model: model, missing: .open)
        }
        return open
    }

    /// Another model, by what a user would type for it. Each reference is opened once a call; hold on to the result.
    public func loadModel(_ reference: String) async throws -> any LanguageModel {
        try await loader(ModelReference(reference))
    }

    // MARK: Data and chance

    /// The user's data, cut to the limit. Throws a sentence that says how to give data when there is none.
    public func data() throws -> DataSet {
        guard let dataSet else { throw LabError.noData(slug: slug) }
        return limit.map { dataSet.prefix($0) } ?? dataSet
    }

    /// Whether the user gave data.
    public var hasData: Bool { dataSet != nil }

    /// The random stream of this name: independent of all others, the same in every run with this seed.
    public func random(_ name: String) -> SeededGenerator { SeededGenerator(seed: seed, stream: name) }

    /// The seed of a named stream, for sampling requests.
    public func seed(_ name: String) -> UInt64 { SeededGenerator.derive(seed, name) }

    /// This lab with another seed, for repetitions.
    public func with(seed: UInt64) -> Lab {
        Lab(
            slug: slug, subject: subject, dataSet: dataSet, seed: seed, limit: limit, cacheFolder: cacheFolder,
            outputFolder: outputFolder, recorder: recorder, console: console, loader: loader)
    }

    /// A lab for what is measured beside the run: without a subject and data, and with a record of its own that nobody keeps, so that
    /// its samples don't mix with the run's.
    ///
    /// - Parameters:
    ///   - seed: nil: this lab's.
    ///   - isSilent: whether its progress isn't shown.
    package func aside(seed: UInt64? = nil, isSilent: Bool = false) -> Lab {
        Lab(slug: slug, subject: nil, seed: seed ?? self.seed, console: isSilent ? .silent : console)
    }

    /// A file of this run, its folder made.
    public func outputFile(_ name: String) throws -> URL {
        try FileManager.default.createDirectory(at: outputFolder, withIntermediateDirectories: true)
        return outputFolder.appendingPathComponent(name)
    }
}

/// Why a lab can't give a method what it asks for.
public enum LabError: Error, Hashable, CustomStringConvertible {
    case noSubject(slug: String)
    case noModel(String)
    case noData(slug: String)
    /// A model that is to be trained runs elsewhere.
    case notLocal(slug: String, reference: String)

    public var description: String {
        switch self {
        case .noSubject(let slug): "\(slug) needs a model. Give one with --model, as --model embedded."
        case .noModel(let reference): "No other model can be opened here (\(reference))."
        case .noData(let slug):
            "\(slug) needs data. Give a JSONL, JSON, CSV, TSV or text file with --data; lyceum explain \(slug) says which fields."
        case .notLocal(let slug, let reference):
            "\(slug) changes weights, and \(reference) runs behind an endpoint; give a local model."
        }
    }
}

/// A method asks of a model what the model can't do.
public struct CapabilityError: Error, Hashable, CustomStringConvertible {
    public var slug: String
    public var reference: String
    public var missing: Capabilities

    public init(slug: String, model: any LanguageModel, missing: Capabilities) {
        self.slug = slug
        reference = model.identity.reference
        self.missing = missing
    }

    public var description: String {
        "\(slug) needs \(missing.names.joined(separator: " and ")), which the model \(reference) doesn't offer. "
            + Self.whoHas(missing)
    }

    private static func whoHas(_ capabilities: Capabilities) -> String {
        let onlyLocal: Capabilities = [.open, .trainable]
        if !capabilities.isDisjoint(with: onlyLocal) {
            return "Every local model has it: --model embedded, a GGUF file or a Hugging Face folder."
        }
        return "Every local model has it (--model embedded, a GGUF file or a Hugging Face folder), "
            + "and so have endpoints that return log-probabilities of prompts."
    }
}
