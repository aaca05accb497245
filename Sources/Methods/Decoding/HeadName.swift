import Inference
import Laboratory
import Text

/// A query head as an option: `layer:head`, as `23:4`.
public struct HeadName: OptionValue, CustomStringConvertible {
    public typealias Item = HeadName
    public var head: Head

    public init(_ head: Head) { self.head = head }

    public static var expectation: String { "a head as layer:head (23:4)" }
    public static var placeholder: String { "layer:head" }

    public init?(flag text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let layer = Int(parts[0]), let head = Int(parts[1]), layer >= 0, head >= 0 else {
            return nil
        }
        self.head = Head(layer, head)
    }

    public init?(json: JSONValue) {
        guard let text = json.stringValue else { return nil }
        self.init(flag: text)
    }

    public var json: JSONValue { .string(description) }
    public var description: String { "\(head.layer):\(head.head)" }
}

extension Sequence where Element == Head {
    /// `23:4 23:7 24:5`, in order.
    var names: String { map { HeadName($0).description }.joined(separator: " ") }
}

extension ArchitectureSummary {
    /// Every query head of every layer.
    package var allHeads: Set<Head> {
        Set((0..<layers).flatMap { layer in (0..<heads).map { Head(layer, $0) } })
    }

    /// Whether the model has these heads.
    func has(_ heads: some Sequence<Head>) -> Bool {
        heads.allSatisfy { (0..<layers).contains($0.layer) && (0..<self.heads).contains($0.head) }
    }
}
