import Foundation
import Inference
import Models
import Tensors
import Testing
import Text
import Training

extension Array {
    fileprivate func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}

/// Adapters in PEFT's format, both ways.
@Suite struct AdapterTests {
    static let peftFolder = Golden.folder.appendingPathComponent("training-adapter").path
    static let directedFolder = Golden.folder.appendingPathComponent("training-adapter-dora").path

    func sums(_ model: DecoderModel) -> [Float] {
        GradientMode.withoutGradients { Policy(model).logProbabilities(TinyModel.samples).sums.floats() }
    }

    /// An adapter that PEFT trained and saved gives here what it gave there.
    @Test func loadsPEFT() throws {
        let golden = try Golden.values.get().lora
        let model = try DecoderModel(TinyModel.source(), precision: .f32)
        let set = try AdapterFolder.read(Self.peftFolder, for: model.configuration)
        #expect(set.members.count == 14)
        #expect(relativeError(sums(try set.applied(to: model)), golden.sums) <= 1e-4)
    }

    /// DoRA from PEFT: the same log-probabilities, from either kind of file; written again with the same tensors; merged into the same weights.
    @Test func loadsMagnitudes() throws {
        let golden = try Golden.values.get().dora
        let theirs = try SafetensorsFile(path: Self.directedFolder + "/adapter_model.safetensors")
        try withTemporaryFolder { folder in
            let gguf = folder + "/tiny.gguf"
            try ModelConversion(ModelWeights(TinyModel.source()), format: .f32).writeGGUF(to: gguf, metadata: [])
            for source in try [TinyModel.source(), openWeights(at: gguf)] {
                let model = try DecoderModel(source, precision: .f32)
                let set = try AdapterFolder.read(Self.directedFolder, for: model.configuration)
                #expect(relativeError(sums(try set.applied(to: model)), golden.sums) <= 1e-4)
                #expect(relativeError(sums(try model.adding(set.changes)), golden.sums) <= 1e-4)
                let parts = try set.scaled(by: 0.25).applied(to: set.scaled(by: 0.75).applied(to: model))
                #expect(relativeError(sums(parts), golden.sums) <= 1e-4)
                let out = folder + "/adapter"
                try AdapterFolder.write(set, of: model.configuration, to: out)
                #expect(try AdapterFolder.read(out, for: model.configuration).configuration.hasMagnitudes)
                let ours = try SafetensorsFile(path: out + "/adapter_model.safetensors")
                #expect(Set(ours.tensors.map(\.name)) == Set(theirs.tensors.map(\.name)))
                for info in theirs.tensors {
                    #expect(try ours.floats(of: info.name) == theirs.floats(of: info.name), "\(info.name)")
                }
                let merged = folder + "/merged"
                try expectMerges(set, into: source, as: golden, in: merged)
            }
        }
    }

    /// What is written has the tensors that PEFT writes, with the same numbers after a round trip. A folder named in `LYCEUM_ADAPTER_OUT`
    /// receives it, for `training.py --check`.
    @Test func writesPEFT() throws {
        let out = ProcessInfo.processInfo.environment["LYCEUM_ADAPTER_OUT"]
        try withTemporaryFolder { temporary in
            let folder = out ?? temporary
            let model = try DecoderModel(TinyModel.source(), precision: .f32)
            let set = try AdapterFolder.read(Self.peftFolder, for: model.configuration)
            try AdapterFolder.write(set, of: model.configuration, to: folder)
            let (ours, theirs) = (
                try SafetensorsFile(path: folder + "/adapter_model.safetensors"),
                try SafetensorsFile(path: Self.peftFolder + "/adapter_model.safetensors")
            )
            #expect(Set(ours.tensors.map(\.name)) == Set(theirs.tensors.map(\.name)))
            for info in theirs.tensors {
                #expect(ours.info(info.name)?.shape == info.shape)
                #expect(try ours.floats(of: info.name) == theirs.floats(of: info.name), "\(info.name)")
            }
            let again = try AdapterFolder.read(folder, for: model.configuration)
            #expect(again.configuration.rank == 4 && again.configuration.alpha == 8)
            #expect(sums(try again.applied(to: model)) == sums(try set.applied(to: model)))
        }
    }

    /// In the engine an adapter gives what the merged model gives, beside stacked quantised weights too, and requests with other adapters
    /// in the same batch change nothing.
    @Test(arguments: [WeightFormat.f32, .q80], [false, true])
    func generates(_ format: WeightFormat, magnitudes: Bool) async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // Widths of whole blocks, so that the matrices are quantised and stacked.
        try NewModel(
            .llama(layers: 2, hiddenSize: 64, heads: 4, kvHeads: 2, feedForwardSize: 96), tokenizer: .bytes()
        ).write(to: folder, seed: 2)
        var path = folder
        if format.isQuantised {
            path = folder + "/model.gguf"
            let weights = try ModelWeights(openWeights(at: folder))
            try ModelConversion(weights, format: format).writeGGUF(to: path, metadata: weights.ggufText())
        }
        let precision: Precision = format.isQuantised ? .standard : .f32
        let source = try openWeights(at: path)
        let sets = try [3, 4].map { seed in
            let trainable = try LowRankAdaptation(rank: 4, trainsMagnitudes: magnitudes).load(
                source, precision: .f32, seed: UInt64(seed))
            for (place, parameter) in trainable.parameters.enumerated() where parameter.name.contains("lora_B") {
                parameter.tensor.detached().assign(
                    Tensor.normal(parameter.tensor.shape, deviation: 0.3, seed: UInt64(seed * 100 + place)))
            }
            return try #require(trainable.adapters)
        }
        var options = LocalModel.Options()
        options.precision = precision
        let model = try LocalModel(path: path, reference: path, options: options)
        for (name, set) in zip(["first", "second"], sets) { try await model.addAdapter(name, set.changes) }
        #expect(model.adapterNames == ["first", "second"])
        func request(_ adapter: String?) -> CompletionRequest {
            CompletionRequest(
                .text("w1 w2 w3 w4"), stop: StopRule(maxTokens: 12, ignoresEndOfText: true), topLogProbs: 0,
                adapter: adapter)
        }
        let alone = try await [nil, "first", "second"].asyncMap { try await model.complete(request($0)) }
        #expect(Set(alone.map(\.ids)).count == 3)
        let together = try await withThrowingTaskGroup(of: (Int, Completion).self) { group in
            for round in 0..<2 {
                for (place, adapter) in ([nil, "first", "second"] as [String?]).enumerated() {
                    group.addTask { (place + 3 * round, try await model.complete(request(adapter))) }
                }
            }
            return try await group.reduce(into: [Int: Completion]()) { $0[$1.0] = $1.1 }
        }
        for (place, completion) in together { #expect(completion.ids == alone[place % 3].ids) }
        for (set, own) in zip(sets, alone.dropFirst()) {
            let merged = try LocalModel(
                set.applied(
                    to: DecoderModel(source, precision: precision, forms: format.isQuantised ? { _ in .asStored } : nil)
                ), from: source,
                reference: path, options: options)
            let expected = try await merged.complete(request(nil))
            #expect(expected.ids == own.ids)
            // Beside quantised weights the merged model rounds the adapter's products to bf16.
            for (a, b) in zip(expected.logProbs ?? [], own.logProbs ?? []) {
                #expect(abs(a.chosen.logProb - b.chosen.logProb) < (format.isQuantised ? 0.1 : 1e-4))
            }
        }
        await #expect(throws: EngineError.self) { try await model.complete(request("third")) }
        await model.removeAdapter("first")
        await #expect(throws: EngineError.self) { try await model.complete(request("first")) }
        await #expect(throws: AdapterError.self) {
            try await model.addAdapter("odd", ["model.layers.7.mlp.up_proj": sets[0].members[0].adapter])
        }
    }

    @Test func weightsOfSeveralAddUp() throws {
        let model = try DecoderModel(TinyModel.source(), precision: .f32)
        let set = try AdapterFolder.read(Self.peftFolder, for: model.configuration)
        let whole = sums(try set.applied(to: model))
        let parts = try set.scaled(by: 0.25).applied(to: set.scaled(by: 0.75).applied(to: model))
        #expect(relativeError(sums(parts), whole) <= 1e-5)
        #expect(sums(try set.scaled(by: 0).applied(to: model)) == sums(model))
    }

    /// An adapter on a model in GGUF's row order means the same as on the Hugging Face folder.
    @Test func rowOrderOfGGUF() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/tiny.gguf"
            try ModelConversion(ModelWeights(TinyModel.source()), format: .f32).writeGGUF(to: path, metadata: [])
            let golden = try Golden.values.get().lora
            let model = try DecoderModel(openWeights(at: path), precision: .f32)
            let set = try AdapterFolder.read(Self.peftFolder, for: model.configuration)
            #expect(relativeError(sums(try set.applied(to: model)), golden.sums) <= 1e-4)
            try AdapterFolder.write(set, of: model.configuration, to: folder)
            let ours = try SafetensorsFile(path: folder + "/adapter_model.safetensors")
            let theirs = try SafetensorsFile(path: Self.peftFolder + "/adapter_model.safetensors")
            for info in theirs.tensors { #expect(try ours.floats(of: info.name) == theirs.floats(of: info.name)) }
        }
    }

    @Test func merges() throws {
        let golden = try Golden.values.get().lora
        try withTemporaryFolder { folder in
            let source = try TinyModel.source()
            let model = try DecoderModel(source, precision: .f32)
            let set = try AdapterFolder.read(Self.peftFolder, for: model.configuration)
            try expectMerges(set, into: source, as: golden, in: folder)
        }
    }

    /// The merged model gives what PEFT's gives, and has its weights.
    private func expectMerges(
        _ set: AdapterSet, into source: any WeightSource, as golden: Golden.Curve, in folder: String
    ) throws {
        try ModelExport(source, adapters: [set]).writeHuggingFace(to: folder, format: .f32)
        let merged = try openWeights(at: folder)
        #expect(relativeError(sums(try DecoderModel(merged, precision: .f32)), golden.sums) <= 1e-4)
        let values = try merged.floats(of: "model.layers.1.self_attn.k_proj.weight")
        let shown = stride(from: 0, to: values.count, by: 37).map { values[$0] }
        #expect(relativeError(shown, try #require(golden.mergedValues)) <= 1e-5)
    }

    /// Layers with ranks and alphas of their own, by PEFT's patterns: the golden adapter described the long way round.
    @Test func layersWithRanksOfTheirOwn() throws {
        let golden = try Golden.values.get().lora
        let model = try DecoderModel(TinyModel.source(), precision: .f32)
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(
                atPath: Self.peftFolder + "/adapter_model.safetensors", toPath: folder + "/adapter_model.safetensors")
            func read(_ ranks: String, _ alphas: String) throws -> AdapterSet {
                let text =
                    "{\"peft_type\":\"LORA\",\"r\":8,\"lora_alpha\":99,\"rank_pattern\":\(ranks),\"alpha_pattern\":\(alphas)}"
                try text.write(toFile: folder + "/adapter_config.json", atomically: true, encoding: .utf8)
                return try AdapterFolder.read(folder, for: model.configuration)
            }
            let set = try read(
                #"{"[a-z]+_proj": 4}"#, #"{"[qkvo]_proj": 8, "layers\\.\\d+\\.mlp\\.[a-z_]+": 8}"#)
            #expect(relativeError(sums(try set.applied(to: model)), golden.sums) <= 1e-4)
            try AdapterFolder.write(set, of: model.configuration, to: folder + "/again")
            let again = try AdapterFolder.read(folder + "/again", for: model.configuration)
            #expect(again.configuration.ranks == set.configuration.ranks && again.configuration.alphas.count == 2)
            // A pattern has to fit the name's end, whole parts of it.
            for ranks in [#"{"_proj": 4}"#, #"{"[a-z]+_proj": 0}"#, #"{"(": 4}"#, #"{"[a-z]+_proj": 4.5}"#] {
                #expect(throws: TrainingError.self) { try read(ranks, "{}") }
            }
        }
    }

    @Test func refusesWhatItCannotRead() throws {
        let configuration = try TinyModel.source().configuration()
        try withTemporaryFolder { folder in
            func write(_ text: String) throws {
                try text.write(toFile: folder + "/adapter_config.json", atomically: true, encoding: .utf8)
            }
            for text in [
                "{", "{\"peft_type\":\"IA3\"}", "{\"peft_type\":\"LORA\",\"r\":0,\"lora_alpha\":1}",
                "{\"peft_type\":\"LORA\",\"r\":4,\"lora_alpha\":1,\"lora_bias\":true}",
            ] {
                try write(text)
                #expect(throws: (any Error).self) { try AdapterFolder.read(folder, for: configuration) }
            }
            // The right settings over tensors of another rank, or without the magnitudes they speak of.
            try FileManager.default.copyItem(
                atPath: Self.peftFolder + "/adapter_model.safetensors", toPath: folder + "/adapter_model.safetensors")
            for settings in ["\"r\":8", "\"r\":4,\"use_dora\":true"] {
                try write("{\"peft_type\":\"LORA\",\(settings),\"lora_alpha\":1}")
                #expect(throws: TrainingError.self) { try AdapterFolder.read(folder, for: configuration) }
            }
        }
    }

    /// Dropout changes training passes only, and a pass computed again drops the same numbers.
    @Test(arguments: [false, true]) func dropsOut(_ magnitudes: Bool) throws {
        let model = try LowRankAdaptation(rank: 4, alpha: 8, dropout: 0.5, trainsMagnitudes: magnitudes).load(
            TinyModel.source(), precision: .f32, seed: 3)
        for parameter in model.parameters where parameter.name.contains("lora_B") {
            parameter.tensor.detached().assign(Golden.numbers(parameter.tensor.shape, 8))
        }
        let plain = sums(model.model)
        #expect(sums(model.model) == plain)
        model.dropoutSeed.current = 5
        let dropped = sums(model.model)
        #expect(dropped != plain)
        #expect(sums(model.model) == dropped)
        func gradient(_ recomputes: Bool) throws -> [Float] {
            let loss = Policy(model.model, recomputes: recomputes).crossEntropy(TinyModel.samples)
            return try #require(loss.backward()[model.parameters[0].tensor]).floats()
        }
        #expect(try gradient(true) == gradient(false))
        model.dropoutSeed.current = 6
        #expect(sums(model.model) != dropped)
    }
}
