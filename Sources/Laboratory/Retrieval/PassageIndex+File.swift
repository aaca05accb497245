import Foundation
import Text

/// An index on disk:
///
///     "LYPASSAG" · version, UInt32 · length of the header, UInt32 · the header, JSON · the vectors, Float32 · SHA-256 of all before
///
/// Numbers are little-endian. The header holds the model and the documents with their passages; the vectors follow in the same
/// order.
extension PassageIndex {
    private static let mark = Array("LYPASSAG".utf8)
    private static let version = 1
    private static let digestLength = 64

    private struct Header: Codable {
        struct Model: Codable {
            var reference: String
            var fingerprint: String
            var width: Int
        }
        struct Document: Codable {
            var name: String
            var passages: [String]
        }
        var model: Model?
        var documents: [Document]
    }

    /// Writes the index beside its place and renames it, so that nobody ever sees half of it.
    public func write(to file: URL) throws(RetrievalError) {
        do {
            let header = Header(
                model: embedder.map {
                    Header.Model(reference: $0.reference, fingerprint: $0.fingerprint, width: $0.width)
                },
                documents: entries.map { Header.Document(name: $0.document.name, passages: $0.document.passages) })
            let json = Array(try JSONValueEncoder.encode(header).text().utf8)
            guard let length = UInt32(exactly: json.count) else {
                throw RetrievalError.unwritable(path: file.path, reason: "its texts are longer than 4 GiB.")
            }
            var bytes = Self.mark + Self.littleEndian(UInt32(Self.version)) + Self.littleEndian(length) + json
            for entry in entries { for number in entry.vectors { bytes += Self.littleEndian(number.bitPattern) } }
            bytes += Array(SHA256.hexadecimal(of: bytes).utf8)
            let folder = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: file, options: .atomic)
        } catch let error as RetrievalError {
            throw error
        } catch {
            throw .unwritable(path: file.path, reason: error.localizedDescription)
        }
    }

    /// Reads an index, whatever the file holds.
    ///
    /// - Throws: `RetrievalError` that says what is wrong with the file.
    public init(contentsOf file: URL) throws(RetrievalError) {
        let path = file.path
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .invalidFile(path: path, reason: "it can't be read")
        }
        let bytes = Array(data)
        let start = Self.mark.count + 8
        guard bytes.count >= start + Self.digestLength, bytes.starts(with: Self.mark) else {
            throw .invalidFile(path: path, reason: "it does not begin as one")
        }
        let version = Self.number(bytes, at: Self.mark.count)
        guard version <= Self.version else {
            throw .laterVersion(path: path, version: Int(version), known: Self.version)
        }
        let end = bytes.count - Self.digestLength
        guard SHA256.hexadecimal(of: bytes[..<end]) == String(decoding: bytes[end...], as: UTF8.self) else {
            throw .invalidFile(path: path, reason: "its bytes are not those that were written")
        }
        let length = Int(Self.number(bytes, at: Self.mark.count + 4))
        guard version == Self.version, length <= end - start else {
            throw .invalidFile(path: path, reason: "its header is longer than the file")
        }
        let header: Header
        do {
            let json = try JSONValue(parsing: Array(bytes[start..<start + length]))
            header = try JSONValueDecoder.decode(Header.self, from: json)
        } catch {
            throw .invalidFile(path: path, reason: "its header can't be read (\(error))")
        }
        guard Set(header.documents.map(\.name)).count == header.documents.count else {
            throw .invalidFile(path: path, reason: "it holds a document twice")
        }
        let width = header.model?.width ?? 0
        guard header.model == nil || (1...1 << 20).contains(width) else {
            throw .invalidFile(path: path, reason: "its vectors have \(width) numbers")
        }
        let passages = header.documents.reduce(0) { $0 + $1.passages.count }
        let (numbers, overflows) = passages.multipliedReportingOverflow(by: width)
        guard !overflows, (end - start - length) % 4 == 0, numbers == (end - start - length) / 4 else {
            throw .invalidFile(path: path, reason: "\(passages) passages and its vectors do not go together")
        }
        var entries: [Entry] = []
        var place = start + length
        for item in header.documents {
            let document = PassageDocument(item.name, passages: item.passages)
            var vectors: [Float] = []
            vectors.reserveCapacity(item.passages.count * width)
            for _ in 0..<item.passages.count * width {
                vectors.append(Float(bitPattern: Self.number(bytes, at: place)))
                place += 4
            }
            guard vectors.allSatisfy(\.isFinite) else {
                throw .invalidFile(path: path, reason: "a vector of \(item.name.debugDescription) is not finite")
            }
            entries.append(Entry(document: document, hash: document.contentHash, vectors: vectors))
        }
        self.init(
            embedder: header.model.map {
                Embedder(reference: $0.reference, fingerprint: $0.fingerprint, width: $0.width)
            }, entries: entries)
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
    }

    private static func number(_ bytes: [UInt8], at place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
    }
}
