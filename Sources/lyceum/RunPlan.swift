import Catalogue
import Inference
import Laboratory
import Text

/// A run whose every word has been checked, before any work.
struct RunPlan: Sendable {
    let method: any Method.Type
    let settings: RunSettings
    let options: JSONValue
    let reference: ModelReference
    /// What stands between the method and the model.
    let strategy: (any ReasoningStrategy)?

    init(_ method: any Method.Type, flags: [String]) throws {
        self.method = method
        var settings = RunSettings()
        var rest = try settings.take(flags: flags)
        var values: JSONValue?
        if let config = settings.config {
            let file = RunSettings.partition(try OptionFile.values(at: config.string))
            do {
                settings = try RunSettings(json: file.settings)
                _ = try method.options(flags: [], config: file.method, alsoKnown: [])
            } catch {
                throw OptionError.file(path: config.string, line: nil, message: "\(error)")
            }
            values = file.method
            rest = try settings.take(flags: flags)
        }
        try settings.checkAll()
        options = try method.options(
            flags: rest, config: values, alsoKnown: RunSettings.fields.map(\.name) + ["help"])
        self.settings = settings
        reference = try ModelReference(settings.model)
        strategy = try settings.strategy.map { try Catalogue.standard.strategy($0) }
    }

    func carryOut() async throws -> Report {
        let data = try settings.data.map { try DataSet(path: $0.string, limit: settings.limit) }
        var modelSettings = ModelSettings(precision: settings.precision)
        modelSettings.adapters = try settings.adapter.map { text in
            guard let adapter = WeightedAdapter(argument: text) else {
                throw OptionError.wrongValue(option: "adapter", value: text, expectation: "a folder, or folder=weight")
            }
            return adapter
        }
        let model = try await loadModel(reference, settings: modelSettings)
        let subject: any LanguageModel = try strategy.map { try StrategyModel($0, asking: model) } ?? model
        let runner = try Session.runner(
            settings: modelSettings, isQuiet: settings.quiet, keeps: settings.store)
        return try await runner.run(
            method, options: options,
            on: .init(model: subject, data: data, seed: UInt64(settings.seed), limit: settings.limit))
    }

    /// Carries the run out, prints its report and keeps the page.
    func show() async throws {
        let report = try await Interrupts.cancelling { try await carryOut() }
        if settings.json {
            Output.write(try report.rendered(.json))
        } else {
            Output.write(TerminalRenderer(.standardOutput).render(report))
        }
        try Session.keep(report, at: settings.out?.string)
    }
}
