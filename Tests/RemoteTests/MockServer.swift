import Foundation
import Synchronization
import Text

/// An HTTP/1.1 server on loopback that plays a script: every byte it sends, and when, is the test's choice.
final class MockServer: Sendable {
    struct Request: Sendable {
        var method: String
        var target: String
        /// Names in lower case.
        var headers: [String: String]
        var body: [UInt8]

        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    }

    enum Step: Sendable {
        case send([UInt8])
        case pause(Duration)
        /// Waits until the client goes away.
        case hang
        /// Closes the connection; without it, it is kept for the next request.
        case close
    }

    private struct State {
        var requests: [Request] = []
        var active = 0
        var mostActive = 0
        var clientsGone = 0
        var isStopped = false
    }

    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())
    private let script: @Sendable (Int, Request) -> [Step]

    /// - Parameter script: what to do with the nth request (from 0).
    init(script: @escaping @Sendable (Int, Request) -> [Step]) throws {
        self.script = script
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        listener = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 512) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// Answers every request with the same steps.
    convenience init(_ steps: [Step]) throws {
        try self.init { _, _ in steps }
    }

    var url: String { "http://127.0.0.1:\(port)/v1" }
    var requests: [Request] { state.withLock { $0.requests } }
    var mostActive: Int { state.withLock { $0.mostActive } }
    /// How many clients went away while a script hung.
    var clientsGone: Int { state.withLock { $0.clientsGone } }

    func stop() {
        // The accepting thread closes the socket itself: closed here, its number could already be another test's.
        state.withLock { $0.isStopped = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func acceptAll() {
        defer { close(listener) }
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0, !state.withLock({ $0.isStopped }) else {
                if client >= 0 { close(client) }
                return
            }
            var isOn: Int32 = 1
            setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
            Thread.detachNewThread { [self] in
                serve(client)
                close(client)
            }
        }
    }

    private func serve(_ client: Int32) {
        var buffer: [UInt8] = []
        while let request = readRequest(client, &buffer) {
            let index = state.withLock { state in
                state.requests.append(request)
                state.active += 1
                state.mostActive = max(state.mostActive, state.active)
                return state.requests.count - 1
            }
            let goesOn = play(script(index, request), to: client)
            if !goesOn { return }
        }
    }

    /// Plays the steps; false when the connection is over.
    private func play(_ steps: [Step], to client: Int32) -> Bool {
        var isActive = true
        func end() {
            if isActive { state.withLock { $0.active -= 1 } }
            isActive = false
        }
        defer { end() }
        for (index, step) in steps.enumerated() {
            switch step {
            case .send(let bytes):
                // The client may ask again as soon as it has the last byte.
                if index == steps.count - 1 { end() }
                guard sendAll(bytes, to: client) else { return false }
            case .pause(let duration): usleep(UInt32(duration / .microseconds(1)))
            case .hang:
                var byte: UInt8 = 0
                while recv(client, &byte, 1, 0) > 0 {}
                state.withLock { $0.clientsGone += 1 }
                return false
            case .close: return false
            }
        }
        return true
    }

    private func sendAll(_ bytes: [UInt8], to client: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                #if canImport(Glibc)
                    send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                #else
                    send(client, $0.baseAddress, $0.count, 0)
                #endif
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    private func readRequest(_ client: Int32, _ buffer: inout [UInt8]) -> Request? {
        func more() -> Bool {
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { return false }
            buffer += chunk.prefix(count)
            return true
        }
        let blank: [UInt8] = [13, 10, 13, 10]
        while buffer.firstRange(of: blank) == nil { guard more() else { return nil } }
        guard let end = buffer.firstRange(of: blank) else { return nil }
        let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < end.upperBound + length { guard more() else { return nil } }
        let body = Array(buffer[end.upperBound..<end.upperBound + length])
        buffer.removeFirst(end.upperBound + length)
        return Request(method: String(words[0]), target: String(words[1]), headers: headers, body: body)
    }
}

extension [MockServer.Step] {
    /// A whole answer.
    static func answer(_ status: Int, _ headers: [String: String] = [:], _ body: [UInt8]) -> [MockServer.Step] {
        var head = "HTTP/1.1 \(status) X\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        return [.send([UInt8]("\(head)\r\n".utf8) + body)]
    }

    static func answer(_ status: Int, _ headers: [String: String] = [:], _ body: String) -> [MockServer.Step] {
        answer(status, headers, [UInt8](body.utf8))
    }

    /// A JSON answer with status 200.
    static func json(_ body: JSONValue) -> [MockServer.Step] {
        answer(200, ["Content-Type": "application/json"], body.utf8())
    }

    /// A chunked event stream with each piece as its own chunk.
    static func stream(_ pieces: [[UInt8]], isWhole: Bool = true) -> [MockServer.Step] {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        let chunks = pieces.filter { !$0.isEmpty }.map { piece in
            [UInt8]("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [UInt8]("\r\n".utf8)
        }
        let all = [UInt8](head.utf8) + chunks.flatMap { $0 }
        return isWhole ? [.send(all + [UInt8]("0\r\n\r\n".utf8))] : [.send(all), .close]
    }

    static func stream(_ text: String, isWhole: Bool = true) -> [MockServer.Step] {
        stream([[UInt8](text.utf8)], isWhole: isWhole)
    }
}
