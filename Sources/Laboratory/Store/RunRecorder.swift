/// Keeps what a run yields as it comes: in memory and, where a store stands behind it, in the store soon after, so that an
/// interrupted run keeps all but its last second.
public actor RunRecorder {
    public private(set) var samples: [SampleTrace] = []
    public private(set) var metrics: [Metric] = []
    public private(set) var timings: [Timing] = []
    public private(set) var artifacts: [Artifact] = []

    private struct Saved {
        var samples = 0
        var metrics = 0
        var timings = 0
        var artifacts = 0
    }

    private let store: RunStore?
    private let runID: String
    private var saved = Saved()
    private var lastSaved = ContinuousClock.now
    /// The first failure to save; reported when the run ends, so that work isn't lost to a full disk midway.
    private var failure: (any Error)?

    /// A recorder that only remembers.
    public init() {
        store = nil
        runID = ""
    }

    init(store: RunStore, runID: String) {
        self.store = store
        self.runID = runID
    }

    /// Keeps an item's trace.
    public func record(_ sample: SampleTrace) {
        samples.append(sample)
        saveWhenDue()
    }

    /// Keeps a measurement made on the way, beside those of the report.
    public func record(_ metric: Metric) {
        metrics.append(metric)
        saveWhenDue()
    }

    /// Keeps how long a phase took. A phase that comes again adds a row.
    public func record(timing phase: String, seconds: Double) {
        timings.append(Timing(phase: phase, seconds: seconds))
        saveWhenDue()
    }

    /// Keeps where a file of this run is.
    public func record(_ artifact: Artifact) {
        artifacts.append(artifact)
        saveWhenDue()
    }

    private func saveWhenDue() {
        guard store != nil, failure == nil, ContinuousClock.now - lastSaved > .seconds(1) else { return }
        do { try flush() } catch { failure = error }
    }

    /// Writes what isn't in the store yet. Synchronous, so that neither a cancelled task nor another record comes between.
    func flush() throws {
        if let failure { throw failure }
        guard let store else { return }
        try store.append(
            RunStore.Batch(
                firstSample: saved.samples, samples: Array(samples[saved.samples...]),
                metrics: Array(metrics[saved.metrics...]), timings: Array(timings[saved.timings...]),
                artifacts: Array(artifacts[saved.artifacts...])),
            to: runID)
        saved = Saved(
            samples: samples.count, metrics: metrics.count, timings: timings.count, artifacts: artifacts.count)
        lastSaved = .now
    }
}
