import Models
import Testing
import Text

struct SafetensorsTests {
    @Test func readsBackWhatWasWritten() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/model.safetensors"
            try SafetensorsWriter(smallTensors(), metadata: ["format": "pt", "é": "\""]).write(to: path, contents: fill)
            let file = try SafetensorsFile(path: path)
            #expect(file.metadata == ["format": "pt", "é": "\""])
            #expect(Set(file.tensors.map(\.name)) == Set(smallTensors().map(\.name)))
            for tensor in smallTensors() {
                let info = try #require(file.info(tensor.name))
                #expect(info.shape == tensor.shape && info.format == tensor.format)
                // Data start at a multiple of eight, and wide numbers come first.
                #expect(try file.bytes(of: tensor.name).range.lowerBound.isMultiple(of: tensor.format.bytesPerBlock))
                let expected = weights(
                    tensor.shape.reduce(1, *), seed: tensor.name.utf8.reduce(0) { $0 &* 31 &+ Int($1) })
                let error = zip(try file.floats(of: tensor.name), expected).map { abs($0 - $1) }.max()
                #expect(try #require(error) <= (tensor.format == .f32 ? 0 : 1.0 / 256))
            }
        }
    }

    @Test(arguments: [1_000_000, 9_000, 1])
    func foldersReadBackWhateverTheirShards(_ limit: Int) throws {
        try withTemporaryFolder { folder in
            let writer = HuggingFaceFolderWriter(
                tensors: smallTensors(), configuration: smallConfiguration, shardLimit: limit)
            try writer.write(to: folder, contents: fill)
            let files = try filesInFolder(folder).filter { $0.hasSuffix(".safetensors") }
            #expect(
                limit == 1 ? files.count == smallTensors().count : limit == 9_000 ? files.count > 2 : files.count == 1)
            let source = try openWeights(at: folder)
            #expect(Set(source.tensors.map(\.name)) == Set(smallTensors().map(\.name)))
            #expect(source.parameterCount == smallTensors().reduce(0) { $0 + $1.shape.reduce(1, *) })
            #expect(try source.floats(of: "model.norm.weight").count == 32)
            #expect(try source.configuration().hiddenSize == 32)
            #expect(throws: WeightFileError.self) { try source.bytes(of: "absent") }
        }
    }

    private func description(_ header: String, data: Int = 0, length: UInt64? = nil) -> String {
        let text = Array(header.utf8)
        let count = withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) }
        let file = MappedFile(bytes: count + text + [UInt8](repeating: 0, count: data), name: "lie.safetensors")
        do {
            _ = try SafetensorsFile(file)
            return "was accepted"
        } catch { return error.description }
    }

    private func tensor(_ name: String, _ type: String, _ shape: String, _ start: Int, _ end: Int) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
    }

    @Test func namesFileAndField() {
        #expect(description("{\(tensor("a", "F32", "[2]", 0, 8))}", data: 8) == "was accepted")
        #expect(description("{\(tensor("a", "F32", "[0,3]", 0, 0))}") == "was accepted")
        #expect(description("{}", length: .max).contains("header length: announces 18446744073709551615"))
        #expect(description("{}", length: 50).contains("header length: announces 50"))
        #expect(description("[]").contains("header: must be a JSON object"))
        #expect(description("{ ").contains("header: is not JSON: 1:3"))
        #expect(description("{\"a\":1}").contains("a: its dtype must be a text"))
        #expect(description("{\(tensor("a", "F4", "[2]", 0, 8))}", data: 8).contains("a: has the dtype F4"))
        #expect(description("{\(tensor("a", "F32", "[-2]", 0, 8))}", data: 8).contains("a: its shape must hold"))
        #expect(description("{\(tensor("a", "F32", "[3]", 0, 8))}", data: 8).contains("does not make the 8 bytes"))
        let huge = "[4611686018427387904,4]"
        #expect(description("{\(tensor("a", "F32", huge, 0, 8))}", data: 8).contains("does not make the 8 bytes"))
        #expect(description("{\(tensor("a", "F32", "[2]", 8, 0))}", data: 8).contains("data_offsets must be"))
        #expect(description("{\(tensor("a", "F32", "[4]", 0, 16))}", data: 8).contains("its bytes end at 16"))
        let one = tensor("a", "F32", "[2]", 0, 8)
        #expect(description("{\(one),\(tensor("b", "F32", "[2]", 4, 12))}", data: 12).contains("b: shares bytes"))
        #expect(description("{\(one),\(tensor("b", "F32", "[1]", 12, 16))}", data: 16).contains("starts 4 bytes after"))
        #expect(description("{\(one)}", data: 12).contains("4 bytes at the end of the file belong to no tensor"))
        #expect(description("{\(one),\(one)}", data: 8).contains("two tensors have this name"))
        #expect(description("{\"__metadata__\":{\"a\":1}}").contains("__metadata__.a: must be a text"))
    }

    @Test func doubtsTheIndex() throws {
        try withTemporaryFolder { folder in
            try SafetensorsWriter([TensorDeclaration(name: "a", format: .f32, shape: [1])])
                .write(to: folder + "/one.safetensors", contents: fill)
            for (map, complaint) in [
                (#"{"a":"../one.safetensors"}"#, "a: must name a file in the same folder"),
                (#"{"b":"one.safetensors"}"#, "b: the index says that this tensor is here"),
                (#"{"a":"two.safetensors"}"#, "cannot be opened"), (#"{"a":5}"#, "a: must name a file"),
                (#"{}"#, "weight_map: must be an object"),
                (#"{"a":"one.safetensors","a":"one.safetensors"}"#, "a: is listed twice"),
            ] {
                try write(Array("{\"weight_map\":\(map)}".utf8), to: folder + "/model.safetensors.index.json")
                let error = #expect(throws: WeightFileError.self) { try openWeights(at: folder) }
                #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
            }
        }
    }
}
