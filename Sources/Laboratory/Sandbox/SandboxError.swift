/// Why code can't be run in a sandbox. Code is never run without one.
public enum SandboxError: Error, Hashable, CustomStringConvertible {
    /// There is no bubblewrap for this system.
    case unsupported
    /// A program that the sandbox is made of is not installed.
    case missing(program: String, package: String)
    /// The system refuses the sandbox; with what bubblewrap said.
    case refused(String)
    /// The sandbox could not be started this time, or broke down; with what it said.
    case failed(String)
    case invalidLimit(String)
    /// A session is over, and why.
    case sessionEnded(String)

    public var description: String {
        switch self {
        case .unsupported:
            "Code that a model writes only runs inside bubblewrap, which exists for Linux alone. "
                + "Use a Linux machine or a Linux virtual machine for this."
        case .missing(let program, let package):
            "Code that a model writes only runs inside a sandbox, and \(program) is not installed. "
                + "Type: apt-get install \(package) (or make setup, which installs it)."
        case .refused(let reason):
            "Code that a model writes only runs inside a sandbox, and this system refuses to make one: \(reason). "
                + "It must allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 on Debian; in a container, "
                + "a security profile that lets bubblewrap create namespaces."
        case .failed(let reason): "The sandbox could not be started: \(reason)."
        case .invalidLimit(let sentence): "A limit of the sandbox can't be used: \(sentence)"
        case .sessionEnded(let reason): "The session in the sandbox is over: \(reason). Start another one."
        }
    }
}
