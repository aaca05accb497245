import Remote
import Testing

@Suite struct ServerSentEventsTests {
    private func events(_ pieces: [[UInt8]], limit: Int = 1 << 20) throws -> [String] {
        var parser = ServerSentEvents(limit: limit)
        var events = try pieces.flatMap { try parser.feed($0) }
        if let last = try parser.finish() { events.append(last) }
        return events
    }

    private let document =
        "\u{FEFF}: a comment\ndata: one\n\nevent: ping\nid: 7\n\ndata:two\r\ndata:  lines\r\n\r\nretry: 5\rdata: Grüße 🦉\r\r"
        + "data\n\ndata: last: {\"a\":1}"

    private let expected = ["one", "two\n lines", "Grüße 🦉", "", "last: {\"a\":1}"]

    @Test func readsEveryKindOfLine() throws {
        #expect(try events([Array(document.utf8)]) == expected)
    }

    @Test func splitsAnywhereWithoutLoss() throws {
        let bytes = Array(document.utf8)
        for cut in 0...bytes.count {
            #expect(try events([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(try events(bytes.map { [$0] }) == expected)
    }

    @Test func boundsTheLengthOfAnEvent() throws {
        let long = Array("data: \(String(repeating: "x", count: 2000))\n\n".utf8)
        #expect(throws: ServerSentEvents.Failure.tooLong(limit: 1000)) { try events([long], limit: 1000) }
        let manyLines = Array(String(repeating: "data: x\n", count: 1000).utf8)
        #expect(throws: ServerSentEvents.Failure.tooLong(limit: 1000)) { try events([manyLines], limit: 1000) }
    }

    @Test func refusesInvalidText() {
        #expect(throws: ServerSentEvents.Failure.invalidUTF8) {
            try events([Array("data: ".utf8) + [0xC3, 0x28] + Array("\n\n".utf8)])
        }
    }

    @Test func endsQuietlyWithoutEvents() throws {
        #expect(try events([]) == [])
        #expect(try events([Array("\n\n: nothing\n\n".utf8)]) == [])
    }
}
