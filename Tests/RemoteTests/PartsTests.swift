import Foundation
import Inference
import Remote
import Synchronization
import Testing

@Suite struct EndpointURLTests {
    @Test(arguments: [
        ("http://localhost:8000/v1", "http://localhost:8000/v1", true),
        ("http://LocalHost:8000/v1/", "http://localhost:8000/v1", true),
        ("https://api.example.com", "https://api.example.com/v1", false),
        ("http://127.8.9.1:80/api", "http://127.8.9.1:80/api", true),
        ("http://[::1]:11434/v1", "http://[::1]:11434/v1", true),
        ("https://h/openai/deployments/d?api-version=2", "https://h/openai/deployments/d", false),
        ("http://127.0.0.1.evil.com/v1", "http://127.0.0.1.evil.com/v1", false),
        ("http://127.1/v1", "http://127.1/v1", false),
    ])
    func readsURLs(_ text: String, _ description: String, _ isLoopback: Bool) throws {
        let url = try EndpointURL(text)
        #expect(url.description == description)
        #expect(url.isLoopback == isLoopback)
    }

    @Test(arguments: [
        "localhost:8000", "ftp://h/v1", "http://", "http:///v1", "http://h:99999/v1", "http://h:x/v1",
        "http://h/a b", "http://h/#x", "http://h\r\nX: y/v1", "http://[::1/v1", "http://[::1]x/v1", "http://h:/v1", "",
    ])
    func refusesWhatIsNoEndpoint(_ text: String) {
        #expect(throws: RemoteError.self) { try EndpointURL(text) }
    }

    @Test func refusesCredentialsWithoutRepeatingThem() throws {
        let error = #expect(throws: RemoteError.self) { try EndpointURL("https://me:s3cret@h/v1") }
        #expect(error?.description.contains("s3cret") == false)
        #expect(error?.description.contains("LYCEUM_API_KEY") == true)
    }
}

@Suite struct RetryTests {
    // 784111777 is the example date of RFC 9110, 5.6.7, in all three forms.
    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func readsDates(_ text: String) {
        #expect(RetryAfter.secondsSince1970(httpDate: text) == 784_111_777)
        #expect(RetryAfter.parse(text, now: 784_111_770) == .seconds(7))
        #expect(RetryAfter.parse(text, now: 784_111_800) == .zero)
    }

    @Test func readsLeapDays() {
        #expect(RetryAfter.secondsSince1970(httpDate: "Thu, 29 Feb 2024 00:00:00 GMT") == 1_709_164_800)
        #expect(RetryAfter.secondsSince1970(httpDate: "Thu, 01 Jan 1970 00:00:00 GMT") == 0)
    }

    @Test func readsSeconds() {
        #expect(RetryAfter.parse("3", now: 0) == .seconds(3))
        #expect(RetryAfter.parse(" 0.25 ", now: 0) == .milliseconds(250))
        #expect(RetryAfter.parse("-3", now: 0) == .zero)
    }

    @Test(arguments: ["", "soon", "nan", "inf", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"])
    func ignoresOtherTexts(_ text: String) {
        #expect(RetryAfter.parse(text, now: 0) == nil)
    }

    @Test func waitsGrowAndStayBelowTheirCeiling() {
        var policy = RetryPolicy()
        policy.baseDelay = .milliseconds(100)
        policy.maxDelay = .seconds(1)
        var generator = SystemRandomNumberGenerator()
        for (retry, ceiling) in [(0, 100), (1, 200), (2, 400), (3, 800), (4, 1000), (60, 1000)] {
            let delays = (0..<200).map { _ in
                policy.delay(beforeRetry: retry, retryAfter: nil, using: &generator)
            }
            #expect(delays.allSatisfy { $0 >= .zero && $0 <= .milliseconds(ceiling) })
            // Full jitter: uniform over the whole interval, so both halves occur.
            #expect(delays.contains { $0 < .milliseconds(ceiling / 2) })
            #expect(delays.contains { $0 > .milliseconds(ceiling / 2) })
        }
        let asked = policy.delay(beforeRetry: 0, retryAfter: .seconds(3), using: &generator)
        #expect(asked >= .seconds(3) && asked <= .milliseconds(3100))
    }

    @Test func knowsWhatMayHelp() {
        #expect([408, 409, 425, 429, 500, 502, 503, 504, 529].allSatisfy { RetryPolicy.isRetryable(status: $0) })
        #expect(![400, 401, 403, 404, 413, 422, 501].contains { RetryPolicy.isRetryable(status: $0) })
    }
}

@Suite struct SHA256Tests {
    // FIPS 180-4 examples.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func agreesWithTheStandard(_ message: String, _ digest: String) {
        #expect(SHA256.hexadecimal(message.utf8) == digest)
    }

    @Test func hashesAMillionBytes() {
        #expect(
            SHA256.hexadecimal(repeatElement(UInt8(ascii: "a"), count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}

/// A value that several tasks share.
private final class Guarded<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    func withLock<Result: Sendable>(_ body: (inout sending Value) -> sending Result) -> Result {
        mutex.withLock(body)
    }
}

@Suite struct AsyncSemaphoreTests {
    @Test func keepsTheOrderAndTheLimit() async throws {
        let semaphore = AsyncSemaphore(permits: 1)
        let order = Guarded<[Int]>([])
        let holder = Task {
            try await semaphore.withPermit {
                while semaphore.waiters < 50 { try await Task.sleep(for: .milliseconds(1)) }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    try await semaphore.withPermit { order.withLock { $0.append(index) } }
                }
                while semaphore.waiters < index + 1 { await Task.yield() }
            }
            try await group.waitForAll()
        }
        try await holder.value
        #expect(order.withLock { $0 } == Array(0..<50))
    }

    @Test func survivesCancellationAnywhere() async throws {
        let semaphore = AsyncSemaphore(permits: 3)
        let active = Guarded((now: 0, most: 0, completed: 0))
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<2000 {
                group.addTask {
                    let task = Task {
                        try await semaphore.withPermit {
                            active.withLock { state in
                                state.now += 1
                                state.most = max(state.most, state.now)
                            }
                            await Task.yield()
                            active.withLock { state in
                                state.now -= 1
                                state.completed += 1
                            }
                        }
                    }
                    if index % 2 == 1 {
                        for _ in 0..<(index % 7) { await Task.yield() }
                        task.cancel()
                    }
                    let result = await task.result
                    if index % 2 == 0 { #expect(throws: Never.self) { try result.get() } }
                }
            }
        }
        let state = active.withLock { $0 }
        #expect(state.now == 0)
        #expect((1...3).contains(state.most))
        #expect(state.completed >= 1000)
        #expect(semaphore.waiters == 0)
        // All permits are back: three tasks can be inside at once.
        try await withThrowingTaskGroup(of: Void.self) { group in
            let inside = Guarded(0)
            for _ in 0..<3 {
                group.addTask {
                    try await semaphore.withPermit {
                        inside.withLock { $0 += 1 }
                        while inside.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(1)) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
