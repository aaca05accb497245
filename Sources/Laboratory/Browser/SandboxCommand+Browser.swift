import Foundation

extension SandboxCommand {
    /// Where the folder of pages lies inside.
    static let pagesPath = "/pages"
    /// The descriptors that Chromium's debugging pipe is spoken over: it reads commands from the one and writes to the other.
    static let browserRequests: Int32 = 3
    static let browserReplies: Int32 = 4

    /// Where Chromium's own program lies on the systems that package it, instead of the script in the path.
    static let browsers = [
        "/usr/lib/chromium/chromium", "/usr/lib64/chromium-browser/chromium-browser", "/usr/bin/chromium",
    ]

    /// The command line for a Chromium that sees the system and one folder of pages, both read-only, and no network.
    ///
    /// Its own sandbox is off, because it would need namespaces inside these. Address space isn't limited: JavaScript's engine
    /// reserves terabytes that it never uses.
    func browser(_ program: String, pages: String, storageBytes: Int = 512 << 20) -> [String] {
        var command = wrapper
        command += ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
        command += ["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp"]
        command += ["--setenv", "LANG", "C.UTF-8", "--ro-bind", "/usr", "/usr"]
        for folder in ["bin", "lib", "lib64"] { command += ["--symlink", "usr/" + folder, "/" + folder] }
        for file in ["/etc/alternatives", "/etc/ld.so.cache", "/etc/fonts"] {
            command += ["--ro-bind-try", file, file]
        }
        command += ["--proc", "/proc", "--dev", "/dev"]
        let storage = String(storageBytes)
        command += ["--perms", "1777", "--size", storage, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
        command += ["--perms", "1777", "--size", storage, "--tmpfs", "/tmp"]
        command += ["--ro-bind", pages, Self.pagesPath, "--remount-ro", "/", "--chdir", "/tmp", "--", program]
        return command + [
            "--headless", "--remote-debugging-pipe", "--user-data-dir=/tmp/profile", "--no-sandbox", "--no-zygote",
            "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-breakpad",
            "--disable-crash-reporter", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-extensions", "--mute-audio", "--host-resolver-rules=MAP * ~NOTFOUND",
            "--window-size=800,600", "about:blank",
        ]
    }
}
