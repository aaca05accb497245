import Foundation
import Laboratory
import Testing
import Text

@Suite struct CodingTests {
    struct Everything: Codable, Equatable {
        enum Kind: String, Codable { case one, two }
        struct Inner: Codable, Equatable { var list: [[Int]] }

        var z = "text"
        var a = 1
        var unsigned: UInt64 = .max
        var number = 0.1
        var single: Float = 0.25
        var flag = true
        var none: String?
        var some: Int? = 4
        var kind = Kind.two
        var inner = Inner(list: [[1], [], [2, 3]])
        var map = ["k": [1.5]]
        var infinite = -Double.infinity
        var json: JSONValue = ["q": [1, nil, "x"], "p": 2.5]
    }

    @Test func roundTripKeepsOrderAndValues() throws {
        let value = Everything()
        let json = try JSONValueEncoder.encode(value)
        #expect(json.objectValue?.first?.key == "z")
        #expect(json["json"]?.text() == #"{"q":[1,null,"x"],"p":2.5}"#)
        let again = try JSONValueDecoder.decode(Everything.self, from: JSONValue(parsing: json.text()))
        #expect(again == value)
    }

    @Test func otherCodersReadTheSame() throws {
        let json: JSONValue = ["a": [1, 2.5, "x", true, nil], "b": ["c": -3]]
        let data = try JSONEncoder().encode(json)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data)["b"] == json["b"])
    }

    @Test func mismatchesAreErrors() {
        #expect(throws: DecodingError.self) { try JSONValueDecoder.decode([Int].self, from: [1, 2.5]) }
        #expect(throws: DecodingError.self) { try JSONValueDecoder.decode(UInt8.self, from: 300) }
        #expect(throws: DecodingError.self) { try JSONValueDecoder.decode([String: Int].self, from: ["a": "b"]) }
        #expect(throws: DecodingError.self) { try JSONValueDecoder.decode(Everything.self, from: [:]) }
        #expect(throws: DecodingError.self) { try JSONValueDecoder.decode((Bool).self, from: 1) }
    }
}

@Suite struct CacheTests {
    @Test func workIsDoneOnceAKey() async throws {
        let folder = try TemporaryFolder()
        let lab = Lab(slug: "m", subject: nil, cacheFolder: folder.url)
        let counter = Counter()
        for key in [["model a"], ["model a"], ["model b"]] {
            let value = try await lab.cached("profile", key: key) {
                await counter.count()
                return [key[0]: [1, 2]]
            }
            #expect(value == [key[0]: [1, 2]])
        }
        #expect(await counter.value == 2)
    }

    @Test func aBrokenFileIsMadeAgain() async throws {
        let folder = try TemporaryFolder()
        let lab = Lab(slug: "m", subject: nil, cacheFolder: folder.url)
        _ = try await lab.cached("profile", key: []) { 1 }
        let files = folder.url.appendingPathComponent("methods/m")
        for file in try FileManager.default.contentsOfDirectory(at: files, includingPropertiesForKeys: nil) {
            try Data("{".utf8).write(to: file)
        }
        #expect(try await lab.cached("profile", key: []) { 2 } == 2)
        #expect(try await lab.cached("profile", key: []) { 3 } == 2)
    }

    private actor Counter {
        private(set) var value = 0
        func count() { value += 1 }
    }
}

/// Data and configuration files come from anywhere: whatever they hold, the readers answer or throw their own error.
@Suite struct HostileFileTests {
    private static let seeds: [(name: String, content: String)] = [
        (
            "d.jsonl",
            "{\"question\": \"a\", \"choices\": [\"x\", \"y\"], \"answer\": 1}\n{\"messages\": [{\"role\": \"user\", \"content\": \"c\"}]}\n"
        ),
        (
            "d.json",
            "{\"data\": [{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \"b\"}, {\"instruction\": \"i\", \"output\": \"o\"}]}"
        ),
        ("d.csv", "question,answer,context\n\"a \"\"b\"\"\",c,\"d\ne\"\nf,g,h\n"), ("d.tsv", "a\tb\n1\t\"2\n3\"\n"),
        ("d.txt", "one\ntwo\n"),
    ]

    @Test(.timeLimit(.minutes(5)), arguments: seeds.indices) func mutatedData(index: Int) throws {
        let (name, content) = Self.seeds[index]
        let folder = try TemporaryFolder()
        var mutator = ByteMutator(seed: UInt64(index) + 1)
        for _ in 0..<600 {
            let path = try folder.write(name, bytes: mutator.mutated(Array(content.utf8)))
            do {
                for record in try DataSet(path: path).records {
                    _ = try? QuestionRecord(record)
                    _ = try? ConversationRecord(record)
                    _ = try? PreferenceRecord(record)
                    _ = try? JudgedRecord(record)
                    _ = try? TOFURecord(record)
                }
            } catch let error {
                #expect(error.description.contains(name))
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["a.yaml", "a.json"]) func mutatedConfigurations(name: String) throws {
        let content =
            name.hasSuffix("json")
            ? "{\"alpha\": 0.5, \"layers\": [1, 2], \"names\": {\"a\": null}}"
            : "alpha: 0.5 # c\nlayers: [1, 2]\nnames: &x\n  - 'a'\n  - *x\ntext: |\n  b\n"
        let folder = try TemporaryFolder()
        var mutator = ByteMutator(seed: 7)
        for _ in 0..<600 {
            let path = try folder.write(name, bytes: mutator.mutated(Array(content.utf8)))
            do {
                _ = try OptionFile.values(at: path)
            } catch let error {
                #expect(error.description.contains(name))
            }
        }
    }
}
