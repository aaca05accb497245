import Models
import Testing

struct GGUFTests {
    @Test func readsBackWhatWasWritten() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/small.gguf"
            try smallGGUF().write(to: path, contents: fill)
            let file = try GGUFFile(path: path)
            #expect(file.keys == smallGGUF().metadata.map(\.key))
            #expect(file["general.name"]?.stringValue == "Tiny é")
            #expect(file["test.int8"]?.intValue == -8)
            #expect(file["test.uint8"]?.intValue == 8)
            #expect(file["test.int16"]?.intValue == -16)
            #expect(file["test.uint16"]?.intValue == 16)
            #expect(file["test.int32"]?.intValue == -32)
            #expect(file["test.int64"]?.intValue == -64)
            #expect(file["test.uint64"]?.intValue == nil)
            #expect(file["test.float64"]?.doubleValue == 0.1)
            #expect(file["test.booleans"]?.arrayValue?.booleans == [true, false])
            #expect(file["tokenizer.ggml.tokens"]?.arrayValue?.strings?.last == "d")
            #expect(file["tokenizer.ggml.scores"]?.arrayValue?.floats?.last == -6)
            #expect(file["tokenizer.ggml.token_type"]?.arrayValue?.integers?.first == 3)
            #expect(file.tensors.map(\.name) == smallGGUF().tensors.map(\.name))
            #expect(file.info("blk.1.ffn_down.weight")?.shape == [32, 64])
            for tensor in smallGGUF().tensors {
                let expected = weights(
                    tensor.shape.reduce(1, *), seed: tensor.name.utf8.reduce(0) { $0 &* 31 &+ Int($1) })
                let encoded = try expected.withUnsafeBufferPointer {
                    try tensor.format.quantised($0, file: path, field: tensor.name)
                }
                #expect(try file.withBytes(of: tensor.name) { $0.elementsEqual(encoded) }, "\(tensor.name)")
            }
        }
    }

    @Test func keepsAnotherAlignment() throws {
        try withTemporaryFolder { folder in
            var writer = GGUFWriter(architecture: "test", alignment: 128)
            writer.add(TensorDeclaration(name: "a", format: .f32, shape: [3]))
            writer.add(TensorDeclaration(name: "b", format: .i32, shape: []))
            try writer.write(to: folder + "/a.gguf") { tensor, sink in
                if tensor.name == "a" {
                    try sink.write([1, 2, 3])
                } else {
                    try withUnsafeBytes(of: Int32(7)) { try sink.write($0) }
                }
            }
            let file = try GGUFFile(path: folder + "/a.gguf")
            #expect(file.alignment == 128)
            #expect(try file.bytes(of: "b").range.lowerBound.isMultiple(of: 128))
            #expect(try file.floats(of: "b") == [7])
        }
    }

    @Test func leavesNothingBehindWhenItFails() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/half.gguf"
            let error = #expect(throws: WeightFileError.self) {
                try smallGGUF().write(to: path) { _, sink in try sink.write([Float](repeating: 0, count: 32)) }
            }
            #expect(error?.field == "token_embd.weight")
            #expect(throws: WeightFileError.self) { try GGUFFile(path: path) }
            let files = try filesInFolder(folder)
            #expect(files.isEmpty)
        }
    }

    @Test func refusesContradictoryDeclarations() throws {
        try withTemporaryFolder { folder in
            for (name, format, shape) in [
                ("a", WeightFormat.q41, [2, 31]), ("b", .f32, [1, 1, 1, 1, 1]), ("c", .u8, [1]), ("d", .f32, [0]),
                ("", .f32, [1]), ("e", .f32, [.max, 2]),
            ] {
                var writer = GGUFWriter(architecture: "test")
                writer.add(TensorDeclaration(name: name, format: format, shape: shape))
                #expect(throws: WeightFileError.self) { try writer.write(to: folder + "/x", contents: fill) }
            }
        }
    }
}

/// Files that lie, each with what the reader must say.
struct HostileGGUFTests {
    /// A header of the given counts and then the given bytes.
    private func file(version: UInt32 = 3, tensors: UInt64 = 0, keys: UInt64 = 0, _ rest: [UInt8] = []) -> MappedFile {
        MappedFile(
            bytes: Array("GGUF".utf8) + little(version) + little(tensors) + little(keys) + rest, name: "lie.gguf")
    }

    private func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private func text(_ value: String) -> [UInt8] { little(UInt64(value.utf8.count)) + Array(value.utf8) }

    private func tensor(
        _ name: String = "w", _ extents: [UInt64] = [32], type: UInt32 = 0, offset: UInt64 = 0
    ) -> [UInt8] {
        text(name) + little(UInt32(extents.count)) + extents.flatMap { little($0) } + little(type) + little(offset)
    }

    private func description(_ file: MappedFile) -> String {
        do {
            _ = try GGUFFile(file)
            return "was accepted"
        } catch { return error.description }
    }

    @Test func namesFileAndField() {
        #expect(description(MappedFile(bytes: [], name: "lie.gguf")).hasPrefix("lie.gguf: magic number: needs 4 bytes"))
        #expect(description(MappedFile(bytes: Array("GGML0000".utf8), name: "l")) == "l: magic number: is not \"GGUF\"")
        #expect(description(file(version: 1)).hasPrefix("lie.gguf: version: is 1"))
        #expect(description(file(version: UInt32(3).byteSwapped)).contains("big-endian"))
        #expect(description(file(version: 99)).contains("is 99; 2 and 3 are read"))
        #expect(description(file(keys: .max)).hasPrefix("lie.gguf: metadata count: announces 18446744073709551615"))
        #expect(description(file(tensors: .max)).hasPrefix("lie.gguf: tensor count: announces"))
        #expect(description(file(tensors: 1, [UInt8](repeating: 0, count: 25))).contains("has an empty name"))
    }

    @Test func doubtsMetadata() {
        let pad = [UInt8](repeating: 0, count: 64)
        func one(_ bytes: [UInt8]) -> String { description(file(keys: 1, bytes + pad)) }
        #expect(one(text("k") + little(UInt32(77))).hasPrefix("lie.gguf: k: has the value type 77"))
        #expect(one(text("k") + little(UInt32(7)) + [2]).hasPrefix("lie.gguf: k: is a truth value of 2"))
        #expect(one(text("k") + little(UInt32(8)) + little(UInt64.max)).hasPrefix("lie.gguf: k: announces a text of"))
        #expect(one(text("k") + little(UInt32(8)) + little(UInt64(1000))).hasPrefix("lie.gguf: k: needs 1000 bytes"))
        #expect(one(little(UInt64(1) << 40)).contains("metadata key 1 of 1: announces a text of 1099511627776 bytes"))
        let array = text("k") + little(UInt32(9))
        #expect(one(array + little(UInt32(6)) + little(UInt64(1) << 62)).hasPrefix("lie.gguf: k: announces"))
        #expect(one(array + little(UInt32(8)) + little(UInt64(2)) + text("a") + little(UInt64(500))).contains("k[1]"))
        let nested = [[UInt8]](repeating: little(UInt32(9)) + little(UInt64(1)), count: 5).flatMap { $0 }
        #expect(one(array + nested).contains("nests arrays more than 4 deep"))
        let twice = text("k") + little(UInt32(0)) + [1]
        #expect(description(file(keys: 2, twice + twice + pad)).hasSuffix("k: occurs twice in the metadata"))
        for alignment in [0, 3, 1 << 30] as [UInt32] {
            let key = text("general.alignment") + little(UInt32(4)) + little(alignment)
            #expect(one(key).contains("general.alignment: must be an integer power of two"))
        }
    }

    @Test func doubtsTensors() {
        let data = [UInt8](repeating: 0, count: 512)
        func one(_ bytes: [UInt8], count: UInt64 = 1) -> String { description(file(tensors: count, bytes + data)) }
        #expect(one(tensor()) == "was accepted")
        #expect(one(tensor("w", [])) == "was accepted")
        #expect(one(tensor("w", [1, 1, 1, 1, 1])).contains("has 5 dimensions"))
        #expect(one(tensor("w", [0])).contains("has a dimension of 0"))
        #expect(one(tensor("w", [.max])).contains("has a dimension of 18446744073709551615"))
        #expect(one(tensor("w", [1 << 40, 1 << 40])).contains("too large"))
        #expect(one(tensor("w", [1 << 61])).contains("too large"))
        #expect(one(tensor("w", [1 << 20])).contains("its 4194304 bytes at offset 0 lie beyond"))
        #expect(one(tensor("w", [31], type: 3)).contains("no whole blocks of 32"))
        #expect(one(tensor("w", [16, 2], type: 3)).contains("its rows of 16 fill no whole Q4_1 blocks of 32"))
        #expect(one(tensor("w", [256], type: 15)).contains("is stored as Q8_K (type 15), which Lyceum does not read"))
        #expect(one(tensor("w", type: 4000)).contains("the unknown type 4000"))
        #expect(one(tensor("w", offset: 8)).contains("its offset 8 is no multiple of the alignment 32"))
        #expect(one(tensor("w", offset: .max - 31)).contains("lie beyond"))
        #expect(one(tensor("w") + tensor("w", offset: 128), count: 2).contains("two tensors have this name"))
        #expect(one(tensor("w") + tensor("v", offset: 96), count: 2).contains("v: shares bytes with the tensor w"))
    }

    @Test func doubtsFilesThatAreNone() throws {
        #expect(throws: WeightFileError.self) { try GGUFFile(path: "/nonexistent/model.gguf") }
        #expect(throws: WeightFileError.self) { try MappedFile(path: "/dev/zero") }
        #expect(throws: WeightFileError.self) { try MappedFile(path: "/tmp") }
        try withTemporaryFolder { folder in
            try write([], to: folder + "/empty")
            #expect(throws: WeightFileError.self) { try openWeights(at: folder + "/empty") }
            #expect(throws: WeightFileError.self) { try openWeights(at: folder) }
            try write(Array("hello, I am a text".utf8), to: folder + "/text")
            let error = #expect(throws: WeightFileError.self) { try openWeights(at: folder + "/text") }
            #expect(error?.message.contains("neither GGUF nor safetensors") == true)
        }
    }
}
