import Foundation
import Tensors

/// The processes that train one model together, as one of them sees the others.
///
/// A process is a rank, counted from 0. All ranks call the same functions in the same order with tensors of the same sizes; each call is made
/// on the thread that joined. Whatever a function gives to every rank is the same everywhere, to the bit.
public protocol Communicator: AnyObject {
    var rank: Int { get }
    var size: Int { get }

    /// What every rank gives, in the order of ranks.
    func gather(_ bytes: [UInt8]) throws -> [[UInt8]]

    /// Begins to add the ranks' tensors into the owner's. The other ranks' are left as they are, or with parts of the sum in them.
    /// - Parameter tensor: contiguous f32, which nobody else reads or writes until the transfer is done.
    func startSum(_ tensor: Tensor, at owner: Int) throws -> any Transfer

    /// Begins to write the owner's tensor over the other ranks'. On the terms of `startSum`.
    func startSpread(_ tensor: Tensor, from owner: Int) throws -> any Transfer

    /// Hands a contiguous f32 tensor to another rank, which calls `receive`.
    func send(_ tensor: Tensor, to rank: Int) throws

    /// Overwrites a contiguous f32 tensor with the one that another rank sends.
    func receive(_ tensor: Tensor, from rank: Int) throws

    /// Ends the work together, when every rank has come here.
    func leave() throws

    /// Ends all ranks because this one can't go on. Ranks that are processes of their own end within this call, with the reason on the
    /// standard error stream; for a single process it does nothing.
    func abandon(_ error: any Error)
}

/// Numbers on their way between ranks.
public protocol Transfer {
    /// Whether they have arrived. Asking keeps them moving.
    func isDone() throws -> Bool
    /// Waits until they have.
    func wait() throws
}

extension Communicator {
    /// Whether this is the rank that writes files and reports.
    public var isFirst: Bool { rank == 0 }

    /// What every rank gives, in the order of ranks.
    func gather<Value: Codable & Sendable>(_ value: Value) throws -> [Value] {
        if size == 1 { return [value] }
        return try gather([UInt8](RankCoding.encode(value))).map { try RankCoding.decode($0) }
    }

    /// What the first rank gives.
    func fromFirst<Value: Codable & Sendable>(_ value: Value) throws -> Value {
        if size == 1 { return value }
        let parts = try gather(isFirst ? [UInt8](RankCoding.encode(value)) : [])
        return try RankCoding.decode(parts[0])
    }

    /// Σ over the ranks, number by number, in the order of ranks.
    func sum(_ values: [Double]) throws -> [Double] {
        if size == 1 { return values }
        let parts = try gather(values.withUnsafeBytes { [UInt8]($0) })
        var sums = [Double](repeating: 0, count: values.count)
        for part in parts {
            precondition(part.count == values.count * 8, "ranks add up lists of different lengths")
            part.withUnsafeBytes { bytes in
                for place in sums.indices {
                    sums[place] += bytes.loadUnaligned(fromByteOffset: place * 8, as: Double.self)
                }
            }
        }
        return sums
    }

    /// Whether any rank says so.
    func any(_ condition: Bool) throws -> Bool {
        size == 1 ? condition : try sum([condition ? 1 : 0])[0] > 0
    }

    /// Waits for all ranks.
    func meet() throws {
        if size > 1 { _ = try gather([UInt8]()) }
    }
}

/// Small values between ranks, as JSON. Numbers keep their bits, those that are none included.
private enum RankCoding {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        // In a list, because a value may be none.
        return try encoder.encode([value])
    }

    static func decode<Value: Decodable>(_ bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode([Value].self, from: Data(bytes))[0]
    }
}

/// A process alone.
public final class SingleProcess: Communicator {
    public let rank = 0
    public let size = 1

    public init() {}

    private struct Done: Transfer {
        func isDone() -> Bool { true }
        func wait() {}
    }

    public func gather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
    public func startSum(_ tensor: Tensor, at owner: Int) -> any Transfer { Done() }
    public func startSpread(_ tensor: Tensor, from owner: Int) -> any Transfer { Done() }
    public func send(_ tensor: Tensor, to rank: Int) { preconditionFailure("a single process has nobody to send to") }
    public func receive(_ tensor: Tensor, from rank: Int) { preconditionFailure("a single process has no sender") }
    public func leave() {}
    public func abandon(_ error: any Error) {}
}
