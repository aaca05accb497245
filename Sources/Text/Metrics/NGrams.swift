/// Runs of n neighbouring elements: counts, diversity and overlap.
public enum NGrams {
    /// How often each run of `n` neighbours occurs. Runs are slices of the elements, not copies.
    public static func counts<Element: Hashable>(_ elements: [Element], n: Int) -> [ArraySlice<Element>: Int] {
        precondition(n > 0, "a run has at least one element")
        guard elements.count >= n else { return [:] }
        var counts: [ArraySlice<Element>: Int] = [:]
        counts.reserveCapacity(elements.count - n + 1)
        for start in 0...elements.count - n { counts[elements[start..<start + n], default: 0] += 1 }
        return counts
    }

    /// How many runs two counts share: the sum of the smaller counts.
    static func shared<Key: Hashable>(_ left: [Key: Int], _ right: [Key: Int]) -> Int {
        let (small, large) = left.count <= right.count ? (left, right) : (right, left)
        return small.reduce(0) { $0 + min($1.value, large[$1.key] ?? 0) }
    }

    /// distinct-n: different runs of `n` over all runs of `n` in the texts together; 0 when there are none.
    ///
    /// Source: Li et al., "A Diversity-Promoting Objective Function for Neural Conversation Models" (2016), section 5.
    public static func distinct<Element: Hashable>(_ texts: [[Element]], n: Int) -> Double {
        var seen: Set<ArraySlice<Element>> = []
        var total = 0
        for text in texts where text.count >= n {
            total += text.count - n + 1
            for run in counts(text, n: n).keys { seen.insert(run) }
        }
        return total > 0 ? Double(seen.count) / Double(total) : 0
    }

    /// The share of a text's different runs of `n` that also occur in another text, |A ∩ B| / |A|; 0 when it has none.
    /// Asked of a test example against training data, it measures contamination.
    ///
    /// Source: Broder, "On the resemblance and containment of documents" (1997).
    public static func containment<Element: Hashable>(of text: [Element], in other: [Element], n: Int) -> Double {
        let runs = Set(counts(text, n: n).keys)
        if runs.isEmpty { return 0 }
        return Double(runs.intersection(counts(other, n: n).keys).count) / Double(runs.count)
    }

    /// The resemblance of two texts by their different runs of `n`, |A ∩ B| / |A ∪ B|; 0 when neither has any.
    ///
    /// Source: as for `containment`.
    public static func resemblance<Element: Hashable>(_ left: [Element], _ right: [Element], n: Int) -> Double {
        let (left, right) = (Set(counts(left, n: n).keys), Set(counts(right, n: n).keys))
        let union = left.union(right).count
        return union > 0 ? Double(left.intersection(right).count) / Double(union) : 0
    }
}
