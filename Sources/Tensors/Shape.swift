/// The extents of a tensor, outermost first, or its strides: up to six numbers held inline.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The largest number of dimensions.
    public static let maximumRank = 6

    private var lanes: SIMD8<Int>  // 0 ... 5: the numbers; 7: how many there are; unused lanes are zero

    public init(arrayLiteral elements: Int...) {
        self.init(elements)
    }

    public init(_ dimensions: some Collection<Int>) {
        precondition(
            dimensions.count <= Self.maximumRank, "a tensor has at most \(Self.maximumRank) dimensions: \(dimensions)")
        lanes = .zero
        for (index, dimension) in dimensions.enumerated() {
            lanes[index] = dimension
        }
        lanes[7] = dimensions.count
    }

    /// The number of dimensions.
    public var rank: Int { lanes[7] }

    /// The number of elements: the product of the extents, 1 for no dimensions.
    public var count: Int {
        var product = 1
        for index in 0..<rank {
            product *= lanes[index]
        }
        return product
    }

    /// One extent; a negative index counts from the end.
    public subscript(index: Int) -> Int {
        get { lanes[resolved(index)] }
        set { lanes[resolved(index)] = newValue }
    }

    /// The last extent, 1 for no dimensions.
    public var last: Int { rank == 0 ? 1 : lanes[rank - 1] }

    public var dimensions: [Int] { (0..<rank).map { lanes[$0] } }

    /// The distance in elements between neighbours along each dimension when the elements lie in row-major order.
    public var rowMajorStrides: Shape {
        var strides = self
        var step = 1
        for index in stride(from: rank - 1, through: 0, by: -1) {
            strides.lanes[index] = step
            step *= lanes[index]
        }
        return strides
    }

    /// Turns an index that may count from the end into one from the start.
    func resolved(_ index: Int) -> Int {
        let position = index < 0 ? index + rank : index
        precondition(position >= 0 && position < rank, "dimension \(index) of a tensor of shape \(self)")
        return position
    }

    /// With another extent at `index`.
    func replacing(_ index: Int, with extent: Int) -> Shape {
        var changed = self
        changed[index] = extent
        return changed
    }

    /// Without the dimension at `index`.
    func removing(_ index: Int) -> Shape {
        var rest = dimensions
        rest.remove(at: resolved(index))
        return Shape(rest)
    }

    /// With one more dimension before `index`.
    func inserting(_ extent: Int, at index: Int) -> Shape {
        var all = dimensions
        all.insert(extent, at: index)
        return Shape(all)
    }

    public var description: String { "\(dimensions)" }
}
