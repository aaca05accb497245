/// A figure of a report.
public struct Plot: Sendable, Hashable, Codable {
    public var title: String
    public var xLabel: String
    public var yLabel: String
    public var content: Content

    public init(_ title: String, x xLabel: String = "", y yLabel: String = "", _ content: Content) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.content = content
    }

    public struct Point: Sendable, Hashable, Codable {
        public var x: Double
        public var y: Double
        /// The ends of an error bar in y.
        public var low: Double?
        public var high: Double?

        public init(_ x: Double, _ y: Double, low: Double? = nil, high: Double? = nil) {
            self.x = x
            self.y = y
            self.low = low
            self.high = high
        }
    }

    public struct Series: Sendable, Hashable, Codable {
        public var name: String
        public var points: [Point]

        public init(_ name: String, _ points: [Point]) {
            self.name = name
            self.points = points
        }

        /// Values at 0, 1, 2, …
        public init(_ name: String, values: [Double]) {
            self.init(name, values.enumerated().map { Point(Double($0.offset), $0.element) })
        }
    }

    /// A group of bars side by side, one a series.
    public struct Bar: Sendable, Hashable, Codable {
        public var label: String
        public var value: Double
        public var low: Double?
        public var high: Double?

        public init(_ label: String, _ value: Double, low: Double? = nil, high: Double? = nil) {
            self.label = label
            self.value = value
            self.low = low
            self.high = high
        }

        public init(_ label: String, _ estimate: Estimate) {
            self.init(label, estimate.value, low: estimate.low, high: estimate.high)
        }
    }

    public struct Grid: Sendable, Hashable, Codable {
        public var rowLabels: [String]
        public var columnLabels: [String]
        /// One array a row; values that are not finite leave their cell empty.
        public var values: [[Double]]

        public init(rows: [String], columns: [String], values: [[Double]]) {
            rowLabels = rows
            columnLabels = columns
            self.values = values
        }
    }

    public enum Content: Sendable, Hashable {
        case lines([Series])
        case scatter([Series])
        case bars([Bar])
        case heatMap(Grid)
    }
}
