extension Lab {
    /// Does one thing to every item, many at a time, and returns the results in the items' order, under one progress line.
    ///
    /// The engine batches whatever is in flight, so this is how a method runs fast. The first error cancels the rest.
    ///
    /// - Parameter inFlight: how many items are worked on at once.
    public func forEach<Items: Collection & Sendable, Result: Sendable>(
        _ label: String, _ items: Items, inFlight: Int = 64,
        _ body: @escaping @Sendable (Items.Element) async throws -> Result
    ) async throws -> [Result] where Items.Element: Sendable {
        let progress = console.progress(label, total: items.count)
        defer { progress.finish() }
        return try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: items.count)
            var next = items.startIndex
            var position = 0
            func startOne() {
                guard next != items.endIndex else { return }
                let item = items[next]
                let index = position
                items.formIndex(after: &next)
                position += 1
                group.addTask {
                    try Task.checkCancellation()
                    return (index, try await body(item))
                }
            }
            for _ in 0..<max(1, inFlight) { startOne() }
            while let (index, result) = try await group.next() {
                results[index] = result
                progress.advance()
                startOne()
            }
            return results.compactMap { $0 }
        }
    }

    /// Does a piece of work and records how long it took.
    public func time<Result: Sendable>(
        _ phase: String, _ body: () async throws -> Result
    ) async throws -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try await body()
        await recorder.record(timing: phase, seconds: (clock.now - start).seconds)
        return result
    }

    /// A progress line of its own, for work that `forEach` doesn't fit.
    public func progress(_ label: String, total: Int?) -> WorkProgress { console.progress(label, total: total) }

    /// Tells the user something in a line, above the progress line.
    public func tell(_ line: String) { console.tell(line) }
}
