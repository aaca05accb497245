import ArgumentParser
import Laboratory
import Training

/// The processes of a command that `mpirun` started several times: all of them train, the first one speaks.
enum Ranks {
    static let own = MPICommunicator.Place.own

    /// Where the command tells what it does: nowhere in processes that others speak for.
    static let console = own.isFirst ? Console.standardError() : .silent

    /// Trains in all of them until Ctrl-C, under a progress line.
    static func train<Training: Objective>(
        _ run: TrainingRun<Training>, _ console: Console
    ) async throws -> TrainingSummary {
        var run = run
        run.join = MPICommunicator.join
        return try await followed(console) { [run] in try await run.followed(onEvent: $0) }
    }

    /// The same for a run that learns from rewards.
    static func train<Training: OnPolicyObjective>(
        _ run: OnPolicyRun<Training>, _ console: Console
    ) async throws -> TrainingSummary {
        var run = run
        run.join = MPICommunicator.join
        return try await followed(console) { [run] in try await run.followed(onEvent: $0) }
    }

    private static func followed(
        _ console: Console,
        _ run: @escaping @Sendable (@escaping @Sendable (TrainingEvent) throws -> Void) async throws -> TrainingSummary
    ) async throws -> TrainingSummary {
        do {
            return try await Interrupts.cancelling {
                let progress = TrainingProgress(on: console)
                return try await run { progress.show($0) }
            }
        } catch  where !own.isFirst {
            // Every rank has found this out, and the first one says it: an error of this process alone would have ended all of them.
            throw ending(1)
        }
    }

    /// How this process ends where all end for the same reason: the first rank's code is what `mpirun` gives. Another's would have `mpirun`
    /// kill the first one while it speaks.
    static func ending(_ code: Int32) -> ExitCode { own.isFirst ? ExitCode(code) : .success }
}
