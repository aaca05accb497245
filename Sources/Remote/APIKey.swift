#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A secret sent as a bearer token. It describes itself as `[key]`, also under a mirror, so that no message, log or dump shows it.
public struct APIKey: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let secret: String

    /// - Throws: ``RemoteError`` of the kind `invalidEndpoint` when the key is empty or holds characters that no header may.
    public init(_ text: String) throws {
        let scalars = text.unicodeScalars.drop { $0.properties.isWhitespace }
        var trimmed = String(String.UnicodeScalarView(scalars))
        while let last = trimmed.unicodeScalars.last, last.properties.isWhitespace {
            trimmed.unicodeScalars.removeLast()
        }
        guard !trimmed.isEmpty, trimmed.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw RemoteError(
                .invalidEndpoint("The API key is empty or holds spaces, line breaks or characters outside ASCII."))
        }
        secret = trimmed
    }

    public var description: String { "[key]" }
    public var debugDescription: String { "[key]" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Where an endpoint's key comes from.
public enum KeySource: Sendable, Hashable {
    /// The first of these environment variables that is set and not empty: `LYCEUM_API_KEY_<HOST>` (the host in capitals,
    /// everything but letters and digits as `_`), `LYCEUM_API_KEY`, `OPENAI_API_KEY`. None set: no key is sent.
    case environment
    /// No key is sent, whatever the environment says.
    case none
    case key(APIKey)

    /// The name of the variable that holds the key of one host alone.
    public static func variable(forHost host: String) -> String {
        "LYCEUM_API_KEY_"
            + String(host.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

/// The key of an endpoint as it was found, and whether it may be sent there.
struct ResolvedKey: Sendable {
    /// The key to send.
    var key: APIKey?
    /// A key was found but isn't sent, because it would cross a network unencrypted.
    var isWithheld = false

    /// - Throws: ``RemoteError`` when a key given outright would be sent over plain HTTP without permission. One that merely
    ///   stands in the environment is withheld instead.
    init(for endpoint: RemoteEndpoint, environment: [String: String]) throws {
        let isSafe = endpoint.url.scheme == "https" || endpoint.url.isLoopback || endpoint.sendsKeyOverPlainHTTP
        let secretHeaders: Set = ["authorization", "proxy-authorization", "api-key", "x-api-key", "cookie"]
        if !isSafe, let header = endpoint.headers.first(where: { secretHeaders.contains($0.name.lowercased()) }) {
            throw Self.unencrypted("The header \(header.name)", endpoint)
        }
        switch endpoint.key {
        case .none: return
        case .key(let key):
            guard isSafe else { throw Self.unencrypted("The API key", endpoint) }
            self.key = key
        case .environment:
            let names = [KeySource.variable(forHost: endpoint.url.host), "LYCEUM_API_KEY", "OPENAI_API_KEY"]
            guard let name = names.first(where: { environment[$0]?.isEmpty == false }), let text = environment[name]
            else { return }
            guard isSafe else {
                isWithheld = true
                return
            }
            do {
                key = try APIKey(text)
            } catch {
                throw RemoteError(
                    .invalidEndpoint(
                        "The environment variable \(name) holds spaces, line breaks or characters outside ASCII."))
            }
        }
    }
    private static func unencrypted(_ secret: String, _ endpoint: RemoteEndpoint) -> RemoteError {
        RemoteError(
            .invalidEndpoint(
                """
                \(secret) would be sent to \(endpoint.url) unencrypted. Use https, or set sendsKeyOverPlainHTTP if \
                the network is trusted.
                """))
    }
}
