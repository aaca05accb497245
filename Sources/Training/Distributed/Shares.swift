/// Shares things out: the largest first, each to the rank that has the least so far. The result is the same on every rank.
/// - Returns: each thing's rank.
package func sharedOut(_ sizes: [Int], over ranks: Int) -> [Int] {
    var (owners, loads) = ([Int](repeating: 0, count: sizes.count), [Int](repeating: 0, count: ranks))
    for thing in sizes.indices.sorted(by: { (sizes[$1], $0) < (sizes[$0], $1) }) {
        var least = 0
        for rank in loads.indices where loads[rank] < loads[least] { least = rank }
        owners[thing] = least
        loads[least] += sizes[thing]
    }
    return owners
}

/// A forward pass of one rank.
package struct RankPass: Sendable, Hashable {
    /// Its place among the passes of all ranks.
    package var number: Int
    package var samples: [Int]
}

/// The passes that one of several ranks makes of a step's samples.
///
/// - Parameters:
///   - whole: cuts the passes as a single process does and shares those; otherwise samples are shared, which is fairer, and each rank cuts its own.
///   - limit: the most tokens of a pass.
///   - prompt: of a sample, where it shares one.
package func rankPasses(
    _ samples: [Int], tokens: (Int) -> Int, limit: Int, rank: Int, of ranks: Int, whole: Bool,
    prompt: (Int) -> SharedPrompt? = { _ in nil }
) -> [RankPass] {
    if whole || ranks == 1 {
        let all = passes(samples, tokens: tokens, limit: limit, prompt: prompt)
        let owners = sharedOut(all.map { $0.reduce(0) { $0 + tokens($1) } }, over: ranks)
        return all.indices.filter { owners[$0] == rank }.map { RankPass(number: $0, samples: all[$0]) }
    }
    let owners = sharedOut(samples.map(tokens), over: ranks)
    var first = 0
    for other in 0..<ranks {
        let own = zip(samples, owners).filter { $0.1 == other }.map(\.0)
        let cut = passes(own, tokens: tokens, limit: limit, prompt: prompt)
        if other == rank { return cut.enumerated().map { RankPass(number: first + $0, samples: $1) } }
        first += cut.count
    }
    return []
}

/// Which rank keeps the optimiser's state of each parameter, and which gradients travel together.
package struct ParameterShares {
    /// Gradients of parameters that one rank owns.
    package struct Bucket {
        package let owner: Int
        /// Places of parameters, those first whose gradients are ready first.
        package var members: [Int]
    }

    /// The least numbers of a bucket, where there are as many: 1 MiB. A parameter as large travels alone, from where its gradient lies; smaller ones,
    /// such as norms and adapters, are copied together.
    package static let bucketSize = 1 << 18

    /// Each parameter's rank: whole parameters, because some rules need whole matrices.
    package let owners: [Int]
    /// In the order in which every rank starts them: from the model's end to its beginning, as gradients become ready.
    package let buckets: [Bucket]

    package init(_ counts: [Int], over ranks: Int, bucketSize: Int = Self.bucketSize) {
        owners = sharedOut(counts, over: ranks)
        var (buckets, open): ([Bucket], [Int: (bucket: Bucket, count: Int)]) = ([], [:])
        for parameter in counts.indices.reversed() {
            let owner = owners[parameter]
            if counts[parameter] >= bucketSize {
                buckets.append(Bucket(owner: owner, members: [parameter]))
                continue
            }
            var (bucket, count) = open.removeValue(forKey: owner) ?? (Bucket(owner: owner, members: []), 0)
            bucket.members.append(parameter)
            count += counts[parameter]
            if count >= bucketSize { buckets.append(bucket) } else { open[owner] = (bucket, count) }
        }
        buckets += open.sorted { $0.key < $1.key }.map(\.value.bucket)
        // By the member that is ready last.
        self.buckets = buckets.sorted { ($0.members.last ?? 0) > ($1.members.last ?? 0) }
    }
}

/// What passes add up to.
struct LossSums: Codable {
    var loss = 0.0
    var figures: [String: Double] = [:]
    /// How many samples have a figure, where not all do.
    var counts: [String: Double] = [:]

    mutating func add(_ part: ObjectiveLoss) {
        loss += Double(part.total.item)
        figures.merge(part.sums, uniquingKeysWith: +)
        counts.merge(part.counts, uniquingKeysWith: +)
    }

    /// Of the figures that any of so many samples has.
    func means(over samples: Int) -> [String: Double] {
        figures.reduce(into: [:]) { means, figure in
            let count = counts[figure.key] ?? Double(samples)
            if count > 0 { means[figure.key] = figure.value / count }
        }
    }

    static func + (a: LossSums, b: LossSums) -> LossSums {
        LossSums(
            loss: a.loss + b.loss, figures: a.figures.merging(b.figures, uniquingKeysWith: +),
            counts: a.counts.merging(b.counts, uniquingKeysWith: +))
    }
}
