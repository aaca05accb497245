import Testing

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
    let path = try #require(template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }.map { String(cString: $0) })
    defer { removeFolder(path) }
    return try body(path)
}

private func removeFolder(_ path: String) {
    guard let directory = opendir(path) else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
        if name != ".", name != ".." { unlink(path + "/" + name) }
    }
    rmdir(path)
}

/// Writes a file.
func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "wb"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}
