/// A table of a report.
public struct Table: Sendable, Hashable, Codable {
    public enum Alignment: String, Sendable, Hashable, Codable { case left, right }

    public struct Column: Sendable, Hashable, Codable {
        public var title: String
        public var alignment: Alignment

        public init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }

        public static func text(_ title: String) -> Column { Column(title, .left) }
        public static func number(_ title: String) -> Column { Column(title, .right) }
    }

    public var caption: String
    public var columns: [Column]
    /// Each row has one cell a column.
    public private(set) var rows: [[String]]
    /// Rows to set off, by index.
    public var emphasised: Set<Int>

    public init(_ caption: String = "", columns: [Column]) {
        self.caption = caption
        self.columns = columns
        rows = []
        emphasised = []
    }

    /// Adds a row; missing cells are empty and surplus ones dropped.
    public mutating func add(_ cells: [String], emphasised: Bool = false) {
        if emphasised { self.emphasised.insert(rows.count) }
        rows.append(columns.indices.map { cells.indices.contains($0) ? cells[$0] : "" })
    }

    public mutating func add(_ cells: String..., emphasised: Bool = false) { add(cells, emphasised: emphasised) }
}
