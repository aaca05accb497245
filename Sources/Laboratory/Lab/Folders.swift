import Foundation

/// The folders outside any project where Lyceum keeps what outlives a run.
public enum Folders {
    /// Models and other things that can be fetched again: `$LYCEUM_CACHE`, else `$XDG_CACHE_HOME/lyceum`, else
    /// `~/.cache/lyceum`.
    public static var cache: URL { folder("LYCEUM_CACHE", base: "XDG_CACHE_HOME", home: ".cache") }

    /// The run store and the reports: `$LYCEUM_HOME`, else `$XDG_DATA_HOME/lyceum`, else `~/.local/share/lyceum`.
    public static var data: URL { folder("LYCEUM_HOME", base: "XDG_DATA_HOME", home: ".local/share") }

    private static func folder(_ own: String, base: String, home: String) -> URL {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment[own], !path.isEmpty { return url(path) }
        if let path = environment[base], path.hasPrefix("/") { return url(path).appendingPathComponent("lyceum") }
        return url(homeFolder).appendingPathComponent(home).appendingPathComponent("lyceum")
    }

    private static func url(_ path: String) -> URL { URL(fileURLWithPath: expandingHome(path), isDirectory: true) }

    private static var homeFolder: String {
        let environment = ProcessInfo.processInfo.environment
        if let home = environment["HOME"], !home.isEmpty { return home }
        return NSHomeDirectory()
    }

    /// A path with a leading `~` replaced by the home folder.
    public static func expandingHome(_ path: String) -> String {
        if path == "~" { return homeFolder }
        return path.hasPrefix("~/") ? homeFolder + path.dropFirst(1) : path
    }
}
