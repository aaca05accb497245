import Foundation
import Testing
import Text

/// Damaged templates end in text or in a `TemplateError`, and soon.
@Suite struct TemplateFuzzTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let pieces = [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "{{-", "-}}", "(", ")", "[", "]", "{", "}", "'", "\"", "|",
        ".", ",", ":",
        "~", "*", "**", "//", "%", "-", "+", "==", "<", " in ", " not ", " is ", " if ", " else ", " and ", " or ",
        "{% endfor %}",
        "{% endif %}", "{% for x in messages %}", "{% if x %}", "{% else %}", "{% set x = x %}", "{% raw %}",
        "{% macro m(a) %}",
        "{% endmacro %}", "{{ m(m) }}", "loop.", "messages", "[::-1]", "[1:]", "|tojson", "|length", "|map('upper')",
        "|list",
        "|join", "|default(", "|int", "|sort", "range(", "namespace(", "99999999999", "0", "-1", "1e308", "none",
        "true", "\\",
        "\u{0}", "é", "🙂", "\r\n", ".split(", ".format(", "%s", "{:>9}", "|batch(2)", "|groupby('role')", "|indent",
        "{% break %}",
    ]

    private static func mutated(_ source: [UInt8], _ random: inout Random) -> String {
        var bytes = source
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 0...12, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: place)
            case 2: bytes.replaceSubrange(place..<end, with: (pieces.randomElement(using: &random) ?? "").utf8)
            case 3: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &random) }
            default:
                let other = Int.random(in: 0...bytes.count, using: &random)
                bytes.insert(contentsOf: bytes[min(place, other)..<min(bytes.count, min(place, other) + 60)], at: other)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func damagedTemplatesEndInTypedErrors() throws {
        let count = ProcessInfo.processInfo.environment["LYCEUM_FUZZ"].flatMap(Int.init) ?? 300
        let sources = try TemplateCases(path: TemplateCases.goldens).cases(sources: [:]).map { Array($0.source.utf8) }
        var random = Random(state: 20_260_704)
        var limits = TemplateLimits()
        limits.steps = 50_000
        limits.bytes = 1 << 20
        let messages: [ChatMessage] = [.system("S"), .user("{{ x }} é 🙂"), .assistant("a</think>b"), .user("")]
        let tool = ToolDefinition(name: "f", summary: "s", parameters: ["properties": ["a": ["type": "string"]]])
        var slowest = Duration.zero
        for _ in 0..<count {
            let source = Self.mutated(try #require(sources.randomElement(using: &random)), &random)
            let time = ContinuousClock().measure {
                do {
                    _ = try ChatTemplate(source: source, bosToken: "<s>", eosToken: "</s>", limits: limits).render(
                        messages: messages, tools: [tool])
                } catch {
                    if !(error is TemplateError) { Issue.record("\(error) for \(source.debugDescription)") }
                }
            }
            slowest = max(slowest, time)
        }
        #expect(slowest < .seconds(5))
    }
}
