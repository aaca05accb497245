import Foundation
import Inference
import Text

/// Runs methods: checks what they need before any work, keeps the run in the store, stamps the report.
public struct MethodRunner: Sendable {
    public var store: RunStore?
    public var console: Console
    public var loader: Lab.ModelLoader
    /// The version of this program, as the store keeps it.
    public var version: String

    public init(store: RunStore?, console: Console, version: String, loader: @escaping Lab.ModelLoader) {
        self.store = store
        self.console = console
        self.version = version
        self.loader = loader
    }

    /// What a run works on.
    public struct Subject: Sendable {
        public var model: (any LanguageModel)?
        public var data: DataSet?
        public var seed: UInt64
        public var limit: Int?

        public init(model: (any LanguageModel)?, data: DataSet? = nil, seed: UInt64 = 1, limit: Int? = nil) {
            self.model = model
            self.data = data
            self.seed = seed
            self.limit = limit
        }
    }

    /// Runs a method with options by name.
    public func run<M: Method>(_ method: M.Type, options: JSONValue, on subject: Subject) async throws -> Report {
        let checked = try M.Options(json: options)
        return try await perform(
            M.card.slug, needs: M.card.needs, kind: "run", options: checked.json, on: subject
        ) { lab in
            try await M().run(checked, in: lab)
        }
    }

    /// Runs a method's demo and draws the verdict.
    public func demo<M: Method>(_ method: M.Type, on subject: Subject) async throws -> Report {
        try await demo(Claim(method), on: subject)
    }

    /// Puts a claim to the test and draws the verdict.
    public func demo(_ claim: Claim, on subject: Subject) async throws -> Report {
        let clock = ContinuousClock()
        return try await perform(claim.slug, needs: claim.needs, kind: "demo", options: .object([]), on: subject) {
            lab in
            let start = clock.now
            let demonstration = try await claim.experiment(lab)
            var report = demonstration.report
            report.verdict = Verdict(
                slug: claim.slug, demonstration, seconds: (clock.now - start).seconds, seed: subject.seed)
            return report
        }
    }

    private func perform(
        _ slug: String, needs: Capabilities, kind: String, options: JSONValue, on subject: Subject,
        _ work: (Lab) async throws -> Report
    ) async throws -> Report {
        if let model = subject.model {
            let missing = needs.subtracting(model.capabilities)
            if !missing.isEmpty { throw CapabilityError(slug: slug, model: model, missing: missing) }
        } else if !needs.isEmpty {
            throw LabError.noSubject(slug: slug)
        }
        let identity = subject.model?.identity
        let entry = RunEntry(
            slug: slug, kind: kind, model: identity?.name ?? "none", modelReference: identity?.reference ?? "none",
            fingerprint: identity?.fingerprint ?? "", options: options, data: subject.data?.source,
            dataHash: subject.data?.contentHash, seed: subject.seed)
        return try await recorded(entry) { recorder, folder in
            let lab = Lab(
                slug: slug, subject: subject.model, dataSet: subject.data, seed: subject.seed, limit: subject.limit,
                outputFolder: folder, recorder: recorder, console: console, loader: loader)
            let report = try await work(lab)
            try Task.checkCancellation()
            return (report, .finished)
        }
    }

    /// Does work that the store keeps a record of, whatever comes of it.
    /// - Parameter work: gets what keeps intermediate results and, with a store, the run's own folder; gives the report and how the work ended.
    public func recorded(
        _ entry: RunEntry, _ work: (RunRecorder, URL?) async throws -> (report: Report, status: RunStatus)
    ) async throws -> Report {
        let record = try await store?.begin(entry, version: version)
        let recorder = if let store, let record { RunRecorder(store: store, runID: record.id) } else { RunRecorder() }
        let started = record?.started ?? Date().timeIntervalSince1970
        let clock = ContinuousClock()
        let start = clock.now
        do {
            var (report, status) = try await work(
                recorder, record.map { Folders.data.appendingPathComponent("runs").appendingPathComponent($0.id) })
            report.run = RunSummary(
                id: record?.id ?? "", slug: entry.slug, model: entry.model, modelReference: entry.modelReference,
                fingerprint: entry.fingerprint, options: entry.options, data: entry.data, seed: entry.seed,
                started: started, seconds: (clock.now - start).seconds, version: version)
            if let store, let record {
                let kept = report
                // An interrupted task can't write; what it has done is kept all the same.
                try await Task.detached {
                    try await recorder.flush()
                    try await store.end(record.id, status, report: kept)
                }.value
            }
            return report
        } catch {
            if let store, let record { await close(record.id, in: store, recorder, after: error) }
            throw error
        }
    }

    /// Keeps what an unfinished run has. Runs outside the cancelled task, where writing would stop at once.
    private func close(_ id: String, in store: RunStore, _ recorder: RunRecorder, after error: any Error) async {
        let isInterrupted = error is CancellationError || Task.isCancelled
        let reason = "\(error)"
        let closing = Task.detached {
            do {
                try await recorder.flush()
                try await store.end(
                    id, isInterrupted ? .interrupted : .failed, error: isInterrupted ? "Interrupted." : reason)
            } catch {
                console.tell("The run could not be kept in the store: \(error)")
            }
        }
        await closing.value
    }
}
