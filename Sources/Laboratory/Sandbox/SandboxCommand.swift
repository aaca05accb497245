import Foundation

/// How a program is started inside a sandbox: the chain of programs that wall it in.
///
///     setpriv (as root only) → choom → bwrap → prlimit → the program
///
/// - bubblewrap gives it namespaces of its own (user, process, network, mount, IPC, host name). It sees `/usr` read-only, a private
///   `/tmp` and nothing of the user's files; its network has no interface but its own loopback. When bubblewrap dies,
///   the kernel kills everything in the process namespace.
/// - prlimit sets the limits inside, where the kernel counts processes per user namespace.
/// - Root's processes are exempt from the limit on processes, so root becomes nobody first.
/// - choom makes the sandbox the first to go when the machine runs out of memory.
package struct SandboxCommand: Sendable {
    /// Where bubblewrap reports the program's exit status.
    static let statusDescriptor: Int32 = 3

    let wrapper: [String]
    private let limiter: String
    private let python: String

    /// Finds the programs. Throws `SandboxError.missing` with what installs the first that isn't there.
    /// - Parameter folders: where to look for them.
    package init(folders: [String] = ["/usr/bin", "/bin", "/usr/local/bin"], isRoot: Bool = getuid() == 0)
        throws(SandboxError)
    {
        func find(_ program: String, package: String) throws(SandboxError) -> String {
            for folder in folders {
                let path = folder + "/" + program
                if FileManager.default.isExecutableFile(atPath: path) { return path }
            }
            throw .missing(program: program, package: package)
        }
        #if !os(Linux)
            throw SandboxError.unsupported
        #endif
        let bubblewrap = try find("bwrap", package: "bubblewrap")
        limiter = try find("prlimit", package: "util-linux")
        // Only what lies below /usr can be seen inside.
        python = try find("python3", package: "python3")
        var wrapper = [try find("choom", package: "util-linux"), "-n", "1000", "--", bubblewrap]
        if isRoot {
            let nobody = "65534"
            wrapper =
                [
                    try find("setpriv", package: "util-linux"), "--reuid", nobody, "--regid", nobody, "--clear-groups",
                    "--inh-caps=-all", "--",
                ] + wrapper
        }
        self.wrapper = wrapper
    }

    /// The command line for a Python file whose text the sandbox reads from a descriptor.
    /// - Parameters:
    ///   - files: names of further files in `/input`, and the descriptors that their bytes come from.
    ///   - totalProcessorSeconds: what one process may use in its whole life.
    func python(
        script descriptor: Int32, files: [(name: String, descriptor: Int32)], limits: SandboxLimits,
        totalProcessorSeconds: Int
    ) -> [String] {
        var command = wrapper
        command += ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
        command += ["--clearenv"]
        for (name, value) in Self.environment { command += ["--setenv", name, value] }
        command += ["--ro-bind", "/usr", "/usr"]
        for folder in ["bin", "lib", "lib64"] { command += ["--symlink", "usr/" + folder, "/" + folder] }
        // What the loader needs to find libraries; nothing else of /etc is shown.
        for file in ["/etc/alternatives", "/etc/ld.so.cache"] { command += ["--ro-bind-try", file, file] }
        command += ["--proc", "/proc", "--dev", "/dev"]
        let storage = String(limits.storageBytes)
        command += ["--perms", "1777", "--size", storage, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
        command += ["--perms", "1777", "--size", storage, "--tmpfs", "/tmp"]
        command += ["--perms", "0444", "--ro-bind-data", String(descriptor), Self.scriptPath]
        for file in files {
            command += ["--perms", "0444", "--ro-bind-data", String(file.descriptor), "/input/" + file.name]
        }
        command += ["--remount-ro", "/", "--chdir", "/tmp", "--json-status-fd", String(Self.statusDescriptor), "--"]
        command += [limiter, "--core=0", "--as=\(limits.memoryBytes)", "--fsize=\(limits.fileBytes)"]
        // One more process, for bubblewrap's own.
        command += ["--nproc=\(limits.processes + 1)", "--nofile=\(limits.openFiles)"]
        // The soft limit's signal can be told from other kills; the hard one ends what ignores it.
        command += [
            "--cpu=\(limits.processorSeconds):\(max(limits.processorSeconds + 1, totalProcessorSeconds))", "--",
        ]
        return command + [python, "-s", "-B", "-u", "-X", "utf8", Self.scriptPath]
    }

    static let scriptPath = "/program.py"

    /// The whole environment inside. Libraries of linear algebra would start a thread a core; the hash seed makes runs repeat.
    private static let environment = [
        ("PATH", "/usr/bin:/bin"), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("PYTHONHASHSEED", "0"),
        ("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1"),
    ]
}
