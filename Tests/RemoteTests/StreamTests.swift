import Inference
import Remote
import Testing
import Text

@Suite struct StreamTests {
    @Test func deliversTextAsItComes() async throws {
        let server = try MockServer(.stream(": hello\n\n" + chatStream(["Grüß", " Gott", " 🦉"])))
        defer { server.stop() }
        let (texts, completion) = try await collect(model(at: server).stream(hello))
        #expect(texts == ["Grüß", " Gott", " 🦉"])
        #expect(completion?.text == "Grüß Gott 🦉")
        #expect(completion?.finish == .endOfText)
        #expect(completion?.usage == Usage(promptTokens: 7, completionTokens: 3))
        #expect(server.requests.first?.json["stream"] == true)
        #expect(server.requests.first?.json["stream_options"] == ["include_usage": true])
    }

    @Test func survivesASplitAtEveryByte() async throws {
        let bytes = Array(chatStream(["Grüß", " 🦉"]).replacing("\n\n", with: "\r\n\r\n").utf8)
        let server = try MockServer { index, _ in
            // The last one sends every byte as its own chunk.
            index == bytes.count
                ? .stream(bytes.map { [$0] }) : .stream([Array(bytes[..<index]), Array(bytes[index...])])
        }
        defer { server.stop() }
        let remote = try model(at: server)
        for index in 0...bytes.count {
            let (texts, completion) = try await collect(remote.stream(hello))
            #expect(texts == ["Grüß", " 🦉"], "request \(index)")
            #expect(completion?.text == "Grüß 🦉")
        }
        #expect(remote.account.ledger.retries == 0)
    }

    @Test func joinsToolCallsAndLogProbs() async throws {
        func delta(_ delta: JSONValue, _ extra: JSONValue = .object([])) -> String {
            let choice: [JSONValue.Member] = [.init("index", 0), .init("delta", delta)] + (extra.objectValue ?? [])
            return "data: \((["choices": [.object(choice)]] as JSONValue).text())\n\n"
        }
        func call(_ index: Int, _ function: JSONValue, id: JSONValue = .null) -> JSONValue {
            ["tool_calls": [["index": .integer(index), "id": id, "function": function]]]
        }
        let logProbs: JSONValue = ["logprobs": ["content": [["token": "T", "logprob": -0.1, "top_logprobs": []]]]]
        let stream =
            delta(["content": "T"], logProbs) + delta(call(0, ["name": "add", "arguments": ""], id: "c1"))
            + delta(call(0, ["arguments": "{\"a\""])) + delta(call(1, ["name": "now", "arguments": "{}"], id: "c2"))
            + delta(call(0, ["arguments": ":1}"])) + delta(.object([]), ["finish_reason": "tool_calls"])
            + "data: [DONE]\n\n"
        let server = try MockServer(.stream(stream))
        defer { server.stop() }
        var request = hello
        request.topLogProbs = 0
        let (_, completion) = try await collect(model(at: server).stream(request))
        #expect(
            completion?.toolCalls == [
                ToolCall(id: "c1", name: "add", arguments: ["a": 1]),
                ToolCall(id: "c2", name: "now", arguments: .object([])),
            ])
        #expect(completion?.finish == .toolCalls)
        #expect(completion?.logProbs?.map(\.chosen.text) == ["T"])
    }

    @Test func takesAWholeAnswerToo() async throws {
        let server = try MockServer(.json(chatAnswer("whole")))
        defer { server.stop() }
        let (texts, completion) = try await collect(model(at: server).stream(hello))
        #expect(texts == ["whole"])
        #expect(completion?.text == "whole")
    }

    @Test func repeatsAStreamThatBrokeBeforeItBegan() async throws {
        let server = try MockServer { index, _ in
            switch index {
            case 0: .stream("", isWhole: false)
            case 1: .stream(": comment\n\ndata: {\"choi", isWhole: false)
            case 2: .stream(chatStream([], finish: nil, done: false))
            default: .stream(chatStream(["ok"]))
            }
        }
        defer { server.stop() }
        let remote = try model(at: server)
        let (texts, _) = try await collect(remote.stream(hello))
        #expect(texts == ["ok"])
        #expect(remote.account.ledger.retries == 3)
    }

    @Test(arguments: [true, false])
    func reportsAStreamThatBrokeInTheMiddle(_ isWhole: Bool) async throws {
        let server = try MockServer(.stream(chatStream(["half"], finish: nil, done: false), isWhole: isWhole))
        defer { server.stop() }
        let remote = try model(at: server)
        var texts: [String] = []
        let error = await remoteError {
            for try await event in remote.stream(hello) {
                if case .text(let text) = event { texts.append(text) }
            }
        }
        #expect(texts == ["half"])
        guard case .truncated = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(server.requests.count == 1)
        #expect(remote.account.ledger.failures == 1)
    }

    @Test func acceptsAnEndWithoutDone() async throws {
        let server = try MockServer { index, _ in
            let stream = chatStream(["ok"], done: false)
            // The second lacks the blank line after its last event.
            return .stream(index == 0 ? stream : String(stream.dropLast(2)))
        }
        defer { server.stop() }
        let remote = try model(at: server)
        #expect(try await collect(remote.stream(hello)).completion?.text == "ok")
        #expect(try await collect(remote.stream(hello)).completion?.usage.promptTokens == 7)
    }

    @Test func reportsErrorsInsideAStream() async throws {
        let server = try MockServer { index, _ in
            index == 0
                ? .stream("data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n")
                : .stream("data: {\"error\":{\"message\":\"prompt too long\",\"code\":400}}\n\n")
        }
        defer { server.stop() }
        let error = await remoteError { _ = try await collect(model(at: server).stream(hello)) }
        #expect(error?.kind == .reported("prompt too long"))
        #expect(error?.attempts.count == 2)
    }

    @Test func leavingTheLoopCancelsTheRequest() async throws {
        let beginning = Array(chatStream(["a"], finish: nil, done: false).utf8)
        let server = try MockServer(Array([MockServer.Step].stream([beginning], isWhole: false).dropLast()) + [.hang])
        defer { server.stop() }
        let remote = try model(at: server)
        for try await event in remote.stream(hello) {
            if case .text = event { break }
        }
        #expect(await eventually { server.clientsGone == 1 })
        #expect(await eventually { remote.account.ledger.cancelled == 1 })
    }
}
