import Foundation

/// Runs an actor's jobs one after another on a thread of its own, so that long forward passes (and waits for other programs)
/// never occupy the threads that tasks run on.
package final class EngineThread: SerialExecutor, @unchecked Sendable {
    // Sendable: `jobs` and `isClosed` are only touched under `condition`.
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isClosed = false

    package init(name: String) {
        let thread = Thread { [weak self, condition] in
            while true {
                condition.lock()
                while true {
                    guard let self, !self.isClosed else {
                        condition.unlock()
                        return
                    }
                    if !self.jobs.isEmpty { break }
                    _ = condition.wait(until: Date(timeIntervalSinceNow: 1))
                }
                guard let self else { return }
                let batch = self.jobs
                self.jobs.removeAll(keepingCapacity: true)
                condition.unlock()
                for job in batch { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
            }
        }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
