import Models
import Testing

/// Writes the files that `Tests/Golden/weights_check.py` examines with the ecosystem's own libraries, into the folder
/// that `LYCEUM_EXPORT` names.
@Suite(.enabled(if: environment("LYCEUM_EXPORT") != nil, "LYCEUM_EXPORT names no folder to write to"))
struct ExportTests {
    @Test func writesSmallFiles() throws {
        let folder = try #require(environment("LYCEUM_EXPORT"))
        try smallGGUF().write(to: folder + "/small.gguf", contents: fill)
        try SafetensorsWriter(smallTensors()).write(to: folder + "/small.safetensors", contents: fill)
        try HuggingFaceFolderWriter(tensors: smallTensors(), configuration: smallConfiguration, shardLimit: 9_000)
            .write(to: folder, contents: fill)
    }

    @Test(.enabled(if: embeddedModel != nil, "the embedded model is not in the cache; make demo fetches it"))
    func convertsTheEmbeddedModel() throws {
        let folder = try #require(environment("LYCEUM_EXPORT"))
        let weights = try ModelWeights(openWeights(at: embeddedModel ?? ""))
        try ModelConversion(weights, format: .f32).writeHuggingFace(to: folder + "/embedded")
        try ModelConversion(weights, format: .q80).writeGGUF(to: folder + "/embedded-q8_0.gguf")
    }
}
