import Synchronization
import Text

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Keeps answers on disk, so that the same question is paid for once.
///
/// An entry's name is the SHA-256 of the whole request in canonical JSON: URL, operation and body; the key is no part of it. An entry is
/// written beside and renamed, so that no reader sees half of one; one that can't be read is ignored and replaced.
/// Requests that sample without a seed are not cached: who asks them twice wants two answers.
/// The folder grows until it is deleted.
public struct ResponseCache: Sendable {
    public let folder: String
    /// Larger entries are neither written nor read, in bytes.
    private static let entryLimit = 64 << 20

    public init(folder: String) {
        self.folder = folder
    }

    /// The name of a request's entry.
    static func key(url: String, operation: String, body: JSONValue) -> String {
        let request: JSONValue = ["url": .string(url), "operation": .string(operation), "body": body]
        return SHA256.hexadecimal(request.utf8(JSONStyle(sortsKeys: true)))
    }

    /// Where an entry lies.
    package func path(of key: String) -> String {
        "\(folder)/\(key.prefix(2))/\(key).json"
    }

    func answer(for key: String) -> JSONValue? {
        let path = path(of: key)
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
            size <= Self.entryLimit,
            let data = try? Data(contentsOf: URL(filePath: path)),
            let entry = try? JSONValue(parsing: Array(data)),
            entry["version"]?.intValue == 1, entry["key"]?.stringValue == key
        else { return nil }
        return entry["answer"]
    }

    func store(_ answer: JSONValue, for key: String) throws {
        let bytes = (["version": 1, "key": .string(key), "answer": answer] as JSONValue).utf8()
        guard bytes.count <= Self.entryLimit else { return }
        let path = path(of: key)
        let directory = URL(filePath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try Data(bytes).write(to: URL(filePath: path), options: .atomic)
    }
}
