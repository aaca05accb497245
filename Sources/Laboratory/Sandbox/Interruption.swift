import Foundation

/// Something that can be raised from anywhere and that `poll` sees.
final class Interruption: Sendable {
    /// What to poll for reading.
    let descriptor: Int32
    private let raising: Int32

    init() throws(SandboxError) {
        guard let ends = ChildProcess.pipeEnds() else {
            throw .failed("no more pipes can be opened: \(String(cString: strerror(errno)))")
        }
        (descriptor, raising) = ends
    }

    deinit {
        close(descriptor)
        close(raising)
    }

    /// Stays raised from then on.
    func raise() {
        var byte: UInt8 = 1
        _ = write(raising, &byte, 1)
    }
}
