#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import Text

func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

func joined(_ folder: String, _ name: String) -> String { folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)" }

/// The folder that a file lies in.
func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The names of a folder's files that end so, sorted; none where it can't be read.
func filesInFolder(_ path: String, ending: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name.lowercased().hasSuffix(ending) { names.append(name) }
    }
    return names.sorted()
}

/// Whether a name stays in its folder.
func isPlainFileName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
}

/// Reads a JSON file of at most 64 MiB.
func readJSON(_ path: String) throws(WeightFileError) -> JSONValue {
    let file = try MappedFile(path: path)
    do {
        return try file.withUnsafeBytes { bytes throws(JSONError) in
            try JSONValue(parsing: bytes, limits: JSONLimits(bytes: 1 << 26))
        }
    } catch {
        throw WeightFileError(.malformed, file: path, "is not JSON: \(error)")
    }
}
