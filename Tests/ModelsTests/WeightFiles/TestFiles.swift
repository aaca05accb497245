import Models
import Testing
import Text

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of `Tests/Golden`.
func goldenFile(_ name: String) -> String {
    let here = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return here.dropLast(3).joined(separator: "/") + "/Golden/" + name
}

/// A file or folder of `Tests/ModelsTests/Goldens`.
func modelsGolden(_ name: String) -> String {
    let here = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return here.dropLast(2).joined(separator: "/") + "/Goldens/" + name
}

/// The document in a file of `Tests/Golden`.
func goldenJSON(_ name: String) throws -> JSONValue {
    try MappedFile(path: goldenFile(name)).withUnsafeBytes { try JSONValue(parsing: $0) }
}

/// The value of an environment variable, when it is set and not empty.
func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}

/// How many damaged files a fuzz test opens: `LYCEUM_FUZZ`, or a short run.
let fuzzRounds = environment("LYCEUM_FUZZ").flatMap { Int($0) } ?? 500

/// A file of the model cache, or nil when it is not there.
func cachedModel(_ name: String) -> String? {
    let cache =
        environment("LYCEUM_CACHE") ?? environment("XDG_CACHE_HOME").map { $0 + "/lyceum" }
        ?? environment("HOME").map { $0 + "/.cache/lyceum" } ?? "."
    let path = (environment("LYCEUM_MODELS") ?? cache + "/models") + "/" + name
    return access(path, R_OK) == 0 ? path : nil
}

let embeddedModel = cachedModel("SmolLM2-135M-Instruct.Q4_1.gguf")

/// Runs the body with the path of a new folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/lyceum-tests-XXXXXX".utf8CString)
    let path = try #require(
        template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }.map { String(cString: $0) })
    defer { removeFolder(path) }
    return try body(path)
}

/// Runs the body with a new folder at the path, which is removed afterwards.
func withSubfolder<Result>(_ path: String, _ body: (String) throws -> Result) throws -> Result {
    try #require(mkdir(path, 0o700) == 0)
    defer { removeFolder(path) }
    return try body(path)
}

private func removeFolder(_ path: String) {
    for name in (try? filesInFolder(path)) ?? [] { unlink(path + "/" + name) }
    rmdir(path)
}

/// The names of a folder's files, sorted.
func filesInFolder(_ path: String) throws -> [String] {
    let directory = try #require(opendir(path))
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Writes a file.
func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "wb"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}
