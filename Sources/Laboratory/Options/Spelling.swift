/// Finds the names that a mistyped one most likely meant.
public enum Spelling {
    /// The candidates nearest to `name`, best first: at most `count`, each at most a third of its letters away or sharing a
    /// prefix or part of at least three letters.
    public static func nearest(to name: String, among candidates: [String], count: Int = 3) -> [String] {
        let typed = name.lowercased()
        let ranked = candidates.compactMap { candidate -> (name: String, rank: Int)? in
            let known = candidate.lowercased()
            let edits = distance(typed, known)
            if edits <= max(1, max(typed.count, known.count) / 3) { return (candidate, edits) }
            let isPart = typed.count >= 3 && known.contains(typed) || known.count >= 3 && typed.contains(known)
            return isPart ? (candidate, 100 + abs(known.count - typed.count)) : nil
        }
        return ranked.sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }.prefix(count).map(\.name)
    }

    /// The fewest insertions, deletions, substitutions and swaps of neighbours that turn one string into the other
    /// (optimal string alignment). Takes time and memory proportional to the product of the lengths; only the first 64
    /// characters of each are compared.
    public static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first.prefix(64))
        let b = Array(second.prefix(64))
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [Int](repeating: i, count: b.count + 1)
            for j in 1...b.count {
                let substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                row[j] = min(last[j] + 1, row[j - 1] + 1, substitution)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }

    /// A sentence that offers the nearest names, or names where to find all of them.
    public static func suggestion(for name: String, among candidates: [String], otherwise: String) -> String {
        let near = nearest(to: name, among: candidates)
        return near.isEmpty ? otherwise : "Did you mean \(near.joined(separator: ", "))?"
    }
}
