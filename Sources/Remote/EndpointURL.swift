/// The base URL of an OpenAI-compatible endpoint, such as `http://localhost:8000/v1`.
///
/// Only what such a URL needs is taken: `http` or `https`, a host, a port, a path and a query. Credentials inside the URL are
/// refused, because URLs end up in reports.
public struct EndpointURL: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// The host in lower case, IPv6 addresses without their brackets.
    public let host: String
    public let port: Int?
    /// Begins with a slash, ends without one. A URL without a path gets `/v1`.
    public let path: String
    /// What follows the question mark, sent with every request; kept out of messages.
    public let query: String?

    /// - Throws: ``RemoteError`` of the kind `invalidEndpoint` that says what would be right.
    public init(_ text: String) throws {
        guard let separator = text.firstRange(of: "://") else {
            throw Self.invalid(
                "'\(Excerpt.of(text, limit: 200))' has no scheme. 'http://localhost:8000/v1' would be right.")
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw Self.invalid("the scheme '\(Excerpt.of(scheme, limit: 40))' is none of http and https.")
        }
        let rest = text[separator.upperBound...]
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}#".utf8.contains($0) }) else {
            throw Self.invalid("an endpoint's URL holds no spaces, no '#' and no characters outside ASCII.")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw Self.invalid("credentials don't belong into the URL. Put the key into LYCEUM_API_KEY instead.")
        }
        let (host, port) = try Self.hostAndPort(of: authority)

        let target = rest[authority.endIndex...]
        var path = String(target.prefix { $0 != "?" })
        while path.hasSuffix("/") { path.removeLast() }
        let query = target.dropFirst(target.prefix { $0 != "?" }.count + 1)
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path.isEmpty ? "/v1" : path
        self.query = query.isEmpty ? nil : String(query)
    }

    private static func hostAndPort(of authority: Substring) throws -> (String, Int?) {
        var host = authority
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else {
                throw invalid("the address '\(authority)' lacks its closing bracket.")
            }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { throw invalid("'\(authority)' is no host and port.") }
            portText = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty, host.utf8.count <= 253 else { throw invalid("the URL names no host.") }
        guard authority.hasPrefix("[") || host.allSatisfy({ $0.isLetter || $0.isNumber || "-._".contains($0) }) else {
            throw invalid("'\(host)' is no host name.")
        }
        guard let portText else { return (host.lowercased(), nil) }
        guard portText.allSatisfy(\.isNumber), let port = Int(portText), (1...65535).contains(port) else {
            throw invalid("the port '\(portText)' is none of 1 to 65535.")
        }
        return (host.lowercased(), port)
    }

    private static func invalid(_ problem: String) -> RemoteError {
        RemoteError(.invalidEndpoint("The endpoint's URL can't be used: \(problem)"))
    }

    private var base: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")\(path)"
    }

    /// The URL without its query, which may hold secrets.
    public var description: String { base }

    /// The whole URL of an operation, such as `chat/completions`.
    func operation(_ name: String) -> String {
        "\(base)/\(name)\(query.map { "?\($0)" } ?? "")"
    }

    /// Whether the endpoint runs on this machine, so that nothing sent there crosses a network.
    public var isLoopback: Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
