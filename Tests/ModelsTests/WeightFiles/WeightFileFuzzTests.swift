import Models
import Testing
import Text

/// Damaged files are refused with a typed error or read within their bounds. `LYCEUM_FUZZ` sets how many are tried;
/// under the address sanitizer every read outside a file ends the run.
struct WeightFileFuzzTests {
    @Test func damagedGGUFIsReadOrRefused() throws {
        let original = try bytes(ofFile: "small.gguf") { try smallGGUF().write(to: $0, contents: fill) }
        var mutator = ByteMutator(seed: 2)
        var refused = 0
        for _ in 0..<fuzzRounds {
            let file = MappedFile(bytes: mutator.mutated(original, focus: 2400), name: "damaged.gguf")
            do {
                let source = try GGUFFile(file)
                try exercise(source)
                for key in source.keys { exercise(source[key]) }
                _ = try TokenizerMetadata(source)
            } catch is WeightFileError {
                refused += 1
            }
        }
        #expect(refused > fuzzRounds / 4)
    }

    @Test func damagedSafetensorsIsReadOrRefused() throws {
        let original = try bytes(ofFile: "small.safetensors") {
            try SafetensorsWriter(smallTensors()).write(to: $0, contents: fill)
        }
        var mutator = ByteMutator(seed: 3)
        var refused = 0
        for _ in 0..<fuzzRounds {
            let file = MappedFile(bytes: mutator.mutated(original, focus: 2000), name: "damaged.safetensors")
            do {
                let source = try SafetensorsFile(file)
                for tensor in source.tensors { _ = try source.floats(of: tensor.name) }
            } catch {
                refused += 1
            }
        }
        #expect(refused > fuzzRounds / 4)
    }

    @Test func damagedConfigurationIsReadOrRefused() throws {
        let original = smallConfiguration.utf8()
        var mutator = ByteMutator(seed: 4)
        var refused = 0
        for _ in 0..<fuzzRounds {
            do {
                let document = try JSONValue(parsing: mutator.mutated(original))
                let configuration = try ModelConfiguration(huggingFace: document, file: "config.json")
                #expect(configuration.heads.isMultiple(of: configuration.kvHeads))
                _ = configuration.rotary?.frequencies()
            } catch is JSONError {
                refused += 1
            } catch is WeightFileError {
                refused += 1
            }
        }
        #expect(refused > fuzzRounds / 4)
    }

    private func exercise(_ source: GGUFFile) throws {
        for tensor in source.tensors { _ = try source.floats(of: tensor.name) }
        _ = try source.configuration().rotary?.frequencies()
    }

    private func exercise(_ value: GGUFValue?) {
        guard let array = value?.arrayValue else { return }
        _ = array.strings
        _ = array.stringRanges
        _ = array.integers
        _ = array.floats
        _ = array.booleans
    }

    private func bytes(ofFile name: String, _ make: (String) throws -> Void) throws -> [UInt8] {
        try withTemporaryFolder { folder in
            try make(folder + "/" + name)
            return try MappedFile(path: folder + "/" + name).withUnsafeBytes { Array($0) }
        }
    }
}
