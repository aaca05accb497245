import ArgumentParser
import Catalogue
import Laboratory
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the program ends: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
enum Leaving {
    /// A mistake in what was typed; ends with 2.
    struct Usage: Error, CustomStringConvertible {
        var description: String
    }

    /// Says what went wrong and ends the program.
    static func leave(with error: any Error) -> Never {
        if let code = error as? ExitCode { exit(code.rawValue) }
        if error is CancellationError || Interrupts.wasInterrupted {
            write("Interrupted. What was done is kept; lyceum runs shows it.\n", to: STDERR_FILENO)
            exit(130)
        }
        let parserCode = Lyceum.exitCode(for: error)
        if parserCode == .success {
            write(Lyceum.fullMessage(for: error) + "\n", to: STDOUT_FILENO)
            exit(0)
        }
        if parserCode == .validationFailure {
            write(Lyceum.fullMessage(for: error) + "\n", to: STDERR_FILENO)
            exit(2)
        }
        write("Error: \(error)\n", to: STDERR_FILENO)
        exit(isUsage(error) ? 2 : 1)
    }

    /// Whether an error is about what was typed rather than about what happened.
    private static func isUsage(_ error: any Error) -> Bool {
        switch error {
        case is Usage, is OptionError, is CapabilityError: true
        case let error as ModelReferenceError: error.isUsage
        case let error as CatalogueError:
            if case .unknown = error { true } else { false }
        case let error as LabError:
            switch error {
            case .noData, .noSubject, .notLocal: true
            case .noModel: false
            }
        case is RewardError, is TextRater.Refusal: true
        case let error as TrainingError:
            switch error {
            case .badSetting, .nothingToTrain: true
            default: false
            }
        case let error as DataError:
            if case .unreadable = error { true } else { false }
        case let error as RunStoreError:
            if case .unknownRun = error { true } else { false }
        default: false
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
