import Training

extension Report {
    /// What a training run has to say: how it ended, its figures, and its curves.
    /// - Parameters:
    ///   - what: `dpo`.
    ///   - counts: of samples, by name.
    public init(of what: String, _ summary: TrainingSummary, counts: [(name: String, value: Int)]) {
        let history = summary.history
        let (steps, evaluations) = (history.steps, history.evaluations)
        self.init("Training: \(what)", summary: Self.finding(summary))
        var metrics = counts.map { Metric($0.name, Double($0.value), style: .whole) }
        let seconds = steps.reduce(0) { $0 + $1.seconds }
        metrics.append(Metric("steps", Double(steps.count), style: .whole))
        if let first = steps.first { metrics.append(Metric("loss of the first step", first.loss, style: .decimals(4))) }
        if let loss = history.recentLoss {
            metrics.append(Metric("mean loss of the last steps", loss, style: .decimals(4), detail: "up to ten"))
        }
        if let last = evaluations.last {
            metrics.append(Metric("held-out loss", last.loss, style: .decimals(4), detail: "step \(last.step)"))
        }
        if let best = history.best, best.step != evaluations.last?.step {
            metrics.append(Metric("best held-out loss", best.loss, style: .decimals(4), detail: "step \(best.step)"))
        }
        for (name, value) in (evaluations.last?.figures ?? [:]).sorted(by: { $0.key < $1.key }) {
            metrics.append(Metric("held-out \(name)", value))
        }
        metrics.append(Metric("training time", seconds, style: .seconds))
        if seconds > 0 {
            let tokens = steps.reduce(0) { $0 + $1.tokens }
            metrics.append(Metric("tokens a second", Double(tokens) / seconds, style: .decimals(0)))
        }
        if let bytes = summary.optimiserBytes {
            metrics.append(Metric("optimiser's state", Double(bytes) / 1e6, style: .decimals(1), detail: "MB"))
        }
        add(metrics)
        guard steps.count > 1 else { return }
        func training(_ name: String = "training", _ value: (StepReport) -> Double?) -> Plot.Series {
            Plot.Series(name, steps.compactMap { at in value(at).map { Plot.Point(Double(at.step), $0) } })
        }
        func heldOut(_ value: (EvaluationReport) -> Double?) -> Plot.Series {
            Plot.Series("held out", evaluations.compactMap { at in value(at).map { Plot.Point(Double(at.step), $0) } })
        }
        func lines(_ title: String, y: String, _ series: [Plot.Series]) -> Plot {
            Plot(title, x: "step", y: y, .lines(series.filter { !$0.points.isEmpty }))
        }
        section("Curves")
        add(lines("Loss", y: "loss", [training { $0.loss }, heldOut { $0.loss }]))
        for name in Set(steps.flatMap(\.figures.keys) + evaluations.flatMap(\.figures.keys)).sorted() {
            add(lines(name, y: name, [training { $0.figures[name] }, heldOut { $0.figures[name] }]))
        }
        add(lines("Gradient norm before clipping", y: "norm", [training("gradient norm") { $0.gradientNorm }]))
        add(lines("Learning rate", y: "rate", [training("learning rate") { $0.rate }]))
        add(lines("Speed", y: "tokens/s", [training("tokens a second") { $0.tokensPerSecond }]))
    }

    private static func finding(_ summary: TrainingSummary) -> String {
        let history = summary.history
        guard let first = history.steps.first, let last = history.recentLoss else {
            return "\(summary.outcome.rawValue) before the first step"
        }
        let style = NumberStyle.decimals(4)
        let heldOut = history.evaluations.last.map { "; held out \(style.text($0.loss))" } ?? ""
        return "\(summary.outcome.rawValue) after \(history.steps.count) steps: "
            + "loss \(style.text(first.loss)) → \(style.text(last))\(heldOut)"
    }
}

extension TrainingHistory {
    /// The mean loss of up to ten last steps that had something to learn from.
    public var recentLoss: Double? {
        let recent = steps.filter { $0.tokens > 0 }.suffix(10)
        return recent.isEmpty ? nil : recent.reduce(0) { $0 + $1.loss } / Double(recent.count)
    }
}
