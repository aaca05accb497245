import Foundation
import Inference
import Laboratory
import Text

/// A choice of heads of one model, kept in a file that can be used again with the same weights.
package protocol HeadFile: Sendable, Codable {
    /// What the file is, as errors name it: `head profile`.
    static var noun: String { get }
    /// What to do where a file can't be used, as a sentence.
    static var remedy: String { get }

    /// The fingerprint of the model's weights. The heads are of no use to another model.
    var fingerprint: String { get }
    var model: String { get }
    var selected: [Head] { get }
}

extension HeadFile {
    /// Reads a file and checks that it belongs to the model.
    package init(path: String, fingerprint: String, architecture: ArchitectureSummary) throws(HeadFileError) {
        self = try Self.read(path)
        guard self.fingerprint == fingerprint else {
            throw HeadFileError(
                "The \(Self.noun) \(path) was made for \(model) (\(self.fingerprint)), not for this model "
                    + "(\(fingerprint)). \(Self.remedy)")
        }
        for head in selected where !architecture.has([head]) {
            throw .malformed(Self.noun, path, "selected holds the head \(head), which the model doesn't have.")
        }
    }

    private static func read(_ path: String) throws(HeadFileError) -> Self {
        let largest = 4 << 20
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: largest + 1) ?? Data()
        } catch {
            throw HeadFileError("The \(noun) \(path) can't be read. \(remedy)")
        }
        guard data.count <= largest else {
            throw .malformed(noun, path, "the file is larger than \(largest >> 20) MiB.")
        }
        let file: Self
        do {
            file = try JSONValueDecoder.decode(Self.self, from: JSONValue(parsing: Array(data)))
        } catch let DecodingError.keyNotFound(key, _) {
            throw .malformed(noun, path, "the field \(key.stringValue.debugDescription) is missing.")
        } catch let DecodingError.typeMismatch(_, context) {
            let field = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw .malformed(noun, path, "the field \(field.debugDescription) \(context.debugDescription).")
        } catch {
            throw .malformed(noun, path, "\(error)")
        }
        guard !file.selected.isEmpty else { throw .malformed(noun, path, "selected has no heads.") }
        return file
    }

    /// Writes the file beside its place and moves it there.
    package func write(to file: URL) throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(JSONValueEncoder.encode(self).utf8(.pretty)).write(to: file, options: .atomic)
    }
}

/// Why a file of heads can't be used.
public struct HeadFileError: Error, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }

    static func malformed(_ noun: String, _ path: String, _ sentence: String) -> HeadFileError {
        HeadFileError("The \(noun) \(path) is malformed: \(sentence)")
    }
}
