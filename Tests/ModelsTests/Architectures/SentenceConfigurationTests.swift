import Models
import Testing

/// What sentence-transformers keeps beside the weights, read from copies of the tiny BERT's folder.
struct SentenceConfigurationTests {
    static let modules = """
        [{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
         {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}%]
        """
    static let normalize =
        #",{"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}"#

    /// The configuration that a folder with these files gives.
    func read(modules: String? = nil, pooling: String? = nil, limit: String? = nil) throws -> SentenceConfiguration {
        try withTemporaryFolder { folder in
            let source = EncoderModelTests.folder
            for name in ["config.json", "model.safetensors"] {
                try MappedFile(path: "\(source)/\(name)").withUnsafeBytes {
                    try write(Array($0), to: "\(folder)/\(name)")
                }
            }
            if let modules { try write(Array(modules.utf8), to: folder + "/modules.json") }
            if let limit { try write(Array(limit.utf8), to: folder + "/sentence_bert_config.json") }
            return try withSubfolder(folder + "/1_Pooling") { path in
                if let pooling { try write(Array(pooling.utf8), to: path + "/config.json") }
                let weights = try openWeights(at: folder)
                return try SentenceConfiguration(weights, weights.configuration())
            }
        }
    }

    @Test func withoutFilesIsTheNormalisedMeanOfTheWholeContext() throws {
        #expect(try read() == SentenceConfiguration(pooling: .mean, normalises: true, limit: 64))
    }

    @Test func readsPoolingNormalisationAndLimit() throws {
        let plain = Self.modules.replacing("%", with: "")
        let found = try read(
            modules: plain, pooling: #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
            limit: #"{"max_seq_length": 32}"#)
        #expect(found == SentenceConfiguration(pooling: .first, normalises: false, limit: 32))
        let named = try read(
            modules: Self.modules.replacing("%", with: Self.normalize), pooling: #"{"pooling_mode": "mean"}"#,
            limit: #"{"max_seq_length": 512}"#)
        #expect(named == SentenceConfiguration(pooling: .mean, normalises: true, limit: 64))
    }

    @Test(arguments: [
        (#"{"pooling_mode_max_tokens": true}"#, "max"),
        (#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#, "cls and mean"), ("{}", "none"),
    ])
    func refusesOtherPoolings(pooling: String, named: String) throws {
        let modules = Self.modules.replacing("%", with: "")
        let error = try #require(throws: WeightFileError.self) { try read(modules: modules, pooling: pooling) }
        #expect(error.problem == .unsupported)
        #expect(error.field == "pooling_mode")
        #expect(error.message.contains(named))
    }

    @Test func refusesOtherModulesAndPathsOutsideTheFolder() throws {
        let dense = Self.modules.replacing(
            "%", with: #",{"type":"sentence_transformers.models.Dense","path":"2_Dense"}"#)
        let mean = #"{"pooling_mode_mean_tokens": true}"#
        let error = try #require(throws: WeightFileError.self) { try read(modules: dense, pooling: mean) }
        #expect(error.message.contains("Dense"))
        let outside = Self.modules.replacing("%", with: "").replacing("1_Pooling", with: "../elsewhere")
        let refused = try #require(throws: WeightFileError.self) { try read(modules: outside, pooling: mean) }
        #expect(refused.field == "path")
    }
}
