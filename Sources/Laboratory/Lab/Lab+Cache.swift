import Foundation
import Text

extension Lab {
    /// What a piece of slow work gave before for the same key, or what it gives now: a head profile of a model, say.
    ///
    /// The key must name everything that the result depends on (the model's fingerprint, the options, the data's hash). A
    /// cached file that can't be read is made again.
    ///
    /// - Parameters:
    ///   - name: what it is, in kebab case: `head-profile`.
    ///   - key: what it depends on.
    public func cached<Value: Codable & Sendable>(
        _ name: String, key: [String], _ make: () async throws -> Value
    ) async throws -> Value {
        let hash = SHA256.hexadecimal(of: JSONValue.array(key.map { .string($0) }).utf8()).prefix(32)
        let folder = cacheFolder.appendingPathComponent("methods").appendingPathComponent(slug)
        let file = folder.appendingPathComponent("\(name)-\(hash).json")
        if let data = FileManager.default.contents(atPath: file.path), let json = try? JSONValue(parsing: Array(data)),
            let value = try? JSONValueDecoder.decode(Value.self, from: json)
        {
            return value
        }
        let value = try await make()
        let text = try JSONValueEncoder.encode(value).text(pretty: true) + "\n"
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file, options: .atomic)
        } catch {
            tell("\(file.path) can't be written, so this is worked out again next time: \(error.localizedDescription)")
        }
        return value
    }
}
