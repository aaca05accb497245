import Inference
import Text

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension RemoteModel {
    /// A model as an endpoint lists it.
    struct Listing: Sendable {
        var name: String
        var owner: String
        var contextLength: Int?
    }

    /// Looks at the endpoint first: whether it serves the model, what server it is (for the dialect `auto`), and how long a
    /// context it takes where it says so. An endpoint without a list of models is taken at its word.
    ///
    /// - Throws: ``RemoteError``; for a model that isn't served there, with the names of those that are.
    public static func connect(
        to endpoint: RemoteEndpoint, reference: String? = nil, account: RemoteAccount = RemoteAccount(),
        environment: [String: String]? = nil
    ) async throws -> RemoteModel {
        let probe = try Connection(
            endpoint: endpoint, account: account, environment: environment ?? ProcessInfo.processInfo.environment)
        var endpoint = endpoint
        let listings: [Listing]
        do {
            listings = try await probe.ask("models", body: nil) { try Self.listings(try await $0.json()) }
        } catch let error as RemoteError {
            guard case .status(404, _) = error.kind else { throw error }
            return try RemoteModel(
                endpoint: endpoint, reference: reference, account: account, environment: environment)
        }
        guard let listing = listings.first(where: { $0.name == endpoint.name || $0.name == endpoint.name + ":latest" })
        else {
            let names = listings.prefix(20).map { Excerpt.of($0.name, limit: 100) }.joined(separator: ", ")
            let more = listings.count > 20 ? " and \(listings.count - 20) more" : ""
            throw RemoteError(
                .invalidEndpoint(
                    "The endpoint \(endpoint.url) serves no model '\(Excerpt.of(endpoint.name, limit: 100))'. "
                        + (names.isEmpty ? "It serves none." : "It serves: \(names)\(more).")))
        }
        if endpoint.dialect == .auto { endpoint.dialect = Dialect(owner: listing.owner) }
        endpoint.contextLength = endpoint.contextLength ?? listing.contextLength
        return try RemoteModel(
            endpoint: endpoint, reference: reference, account: account, environment: environment)
    }

    private static func listings(_ json: JSONValue) throws -> [Listing] {
        guard let models = json["data"]?.arrayValue else {
            throw AttemptFailure.malformed("its list of models has no data")
        }
        return models.compactMap { model in
            guard let name = model["id"]?.stringValue else { return nil }
            let length = model["max_model_len"]?.intValue ?? model["meta"]?["n_ctx"]?.intValue
            return Listing(
                name: name, owner: model["owned_by"]?.stringValue ?? "",
                contextLength: length.flatMap { $0 > 0 ? $0 : nil })
        }
    }
}
