/// The Levenshtein distance: the fewest insertions, deletions and substitutions that turn one sequence into another.
///
///     d(i, j) = min(d(i−1, j) + 1, d(i, j−1) + 1, d(i−1, j−1) + [aᵢ ≠ bⱼ])
///
/// Source: Wagner and Fischer, "The String-to-String Correction Problem" (1974).
public enum EditDistance {
    /// Time m·n without what both begin and end with, memory the shorter length.
    public static func between<Element: Equatable>(_ left: [Element], _ right: [Element]) -> Int {
        var (left, right) = (left[...], right[...])
        while let first = left.first, first == right.first {
            left.removeFirst()
            right.removeFirst()
        }
        while let last = left.last, last == right.last {
            left.removeLast()
            right.removeLast()
        }
        let (short, long) = left.count <= right.count ? (Array(left), right) : (Array(right), left)
        var distances = Array(0...short.count)
        for (row, element) in long.enumerated() {
            var diagonal = distances[0]
            distances[0] = row + 1
            for column in 0..<short.count {
                let above = distances[column + 1]
                let substituted = diagonal + (element == short[column] ? 0 : 1)
                distances[column + 1] = min(above + 1, distances[column] + 1, substituted)
                diagonal = above
            }
        }
        return distances[short.count]
    }

    /// Between texts, in Unicode scalars.
    public static func between(_ left: String, _ right: String) -> Int {
        between(Array(left.unicodeScalars), Array(right.unicodeScalars))
    }

    /// 1 − distance / the longer length: 1 for equal texts, 0 for texts with nothing in place.
    public static func similarity(_ left: String, _ right: String) -> Double {
        let longer = max(left.unicodeScalars.count, right.unicodeScalars.count)
        return longer > 0 ? 1 - Double(between(left, right)) / Double(longer) : 1
    }
}
