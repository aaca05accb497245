import Foundation
import Laboratory
import Testing
import Text

@Suite struct DataTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func everyFormatReadsTheSame() throws {
        let expected = [["a": "x, \"y\"", "b": "1"], ["a": "line\nbreak", "b": "ü"]]
        let files = [
            try folder.write(
                "d.jsonl", "{\"a\": \"x, \\\"y\\\"\", \"b\": 1}\n\n{\"a\": \"line\\nbreak\", \"b\": \"ü\"}"),
            try folder.write(
                "d.json", "[{\"a\": \"x, \\\"y\\\"\", \"b\": 1}, {\"a\": \"line\\nbreak\", \"b\": \"ü\"}]"),
            try folder.write(
                "w.json", "{\"data\": [{\"a\": \"x, \\\"y\\\"\", \"b\": 1}, {\"a\": \"line\\nbreak\", \"b\": \"ü\"}]}"),
            try folder.write("d.csv", "\u{FEFF}a,b\r\n\"x, \"\"y\"\"\",1\r\n\"line\nbreak\",ü\r\n"),
            try folder.write("d.tsv", "a\tb\nx, \"y\"\t1\n\"line\nbreak\"\tü"),
        ]
        for file in files {
            let set = try DataSet(path: file)
            let read = try set.records.map { ["a": try $0.string("a"), "b": try $0.string("b")] }
            #expect(read == expected, "\(file)")
            let hash = try SHA256.hexadecimal(of: Array(Data(contentsOf: URL(fileURLWithPath: file))))
            #expect(set.contentHash == hash, "\(file)")
        }
    }

    @Test func textIsARecordALine() throws {
        let set = try DataSet(path: folder.write("d.txt", "one\r\n\n  \ntwo"))
        #expect(try set.records(as: TextRecord.self).map(\.text) == ["one", "two"])
        #expect(set.records[1].place.number == 4)
    }

    @Test func limitsAndShufflesBySeed() throws {
        let lines = (0..<100).map { "{\"n\": \($0)}" }.joined(separator: "\n")
        let path = try folder.write("d.jsonl", lines)
        let all = try DataSet(path: path)
        let some = try DataSet(path: path, limit: 7)
        #expect(some.count == 7 && some.contentHash == all.contentHash)
        let numbers = { (set: DataSet) in try set.records.map { try $0.int("n") } }
        #expect(try numbers(all.shuffled(seed: 1)) == numbers(all.shuffled(seed: 1)))
        #expect(try numbers(all.shuffled(seed: 1)) != numbers(all.shuffled(seed: 2)))
        #expect(try numbers(all.shuffled(seed: 1)).sorted() == Array(0..<100))
        let (train, test) = all.split(share: 0.8, seed: 5)
        #expect(train.count == 80 && test.count == 20)
        #expect(try Set(numbers(train)).isDisjoint(with: numbers(test)))
    }

    @Test func longFilesStream() throws {
        let line = "{\"text\": \"\(String(repeating: "a", count: 700))\"}\n"
        let path = try folder.write("d.jsonl", String(repeating: line, count: 4_000))
        let reader = try RecordReader(path: path, format: .jsonl)
        var count = 0
        while let record = try reader.next() {
            count += 1
            #expect(record.place.number == count)
        }
        #expect(count == 4_000)
    }

    @Test(arguments: [
        ("d.jsonl", "{\"a\": 1}\n{\"a\": }", "d.jsonl:2"), ("d.jsonl", "[1]", "d.jsonl:1"),
        ("d.jsonl", "\n\n", "no records"), ("d.json", "{\n\"a\" 1}", "d.json:2"),
        ("d.json", "{\"a\": 1}", "array of records"),
        ("d.json", "[{}, 3]", "record 2"), ("d.csv", "a,b\n1\n", "d.csv:2"), ("d.csv", "a,b\n\"1,2\n", "never ends"),
        ("d.csv", "a,b\n\"1\"x,2\n", "closing quote"), ("d.csv", "a,a\n1,2", "twice"), ("d.csv", "a,\n1,2", "no name"),
        ("d.xyz", "a", ".jsonl"),
    ])
    func faultsNameFileAndLine(name: String, content: String, part: String) throws {
        let path = try folder.write(name, content)
        let error = #expect(throws: DataError.self) { try DataSet(path: path) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func invalidUTF8IsAnError() throws {
        for name in ["d.csv", "d.txt", "d.jsonl"] {
            let path = try folder.write(name, bytes: [0x61, 0x0A, 0xFF, 0xFE, 0x0A])
            #expect(throws: DataError.self) { try DataSet(path: path) }
        }
    }

    @Test func wholeTextsNameTheByteThatIsNoUTF8() throws {
        #expect(try WholeText.read(folder.write("a.txt", "\u{FEFF}ü\nb\n")) == "ü\nb\n")
        let path = try folder.write("b.txt", bytes: Array("ü\nb".utf8) + [0xFF, 0x0A])
        let error = #expect(throws: DataError.self) { try WholeText.read(path) }
        #expect(error?.description == "\(path):2: is not UTF-8: byte 5 of the text is 0xFF.")
        let cut = try folder.write("c.txt", bytes: [0x61, 0xC3])
        #expect(throws: DataError.self) { try WholeText.read(cut) }
    }

    @Test func missingFilesAndFoldersSaySo() {
        let error = #expect(throws: DataError.self) { try DataSet(path: "/nowhere/d.jsonl") }
        #expect(error?.description == "/nowhere/d.jsonl: there is no such file.")
        #expect(throws: DataError.self) { try DataSet(path: folder.url.path, format: .jsonl) }
    }

    @Test func fieldErrorsNameFileLineAndField() throws {
        let set = try DataSet(path: folder.write("d.jsonl", "{\"question\": \"q\", \"n\": \"x\", \"o\": {}}"))
        let record = set.records[0]
        let missing = #expect(throws: DataError.self) { try record.string("answer") }
        #expect(missing?.description.contains("d.jsonl:1: the field \"answer\" is missing") == true)
        #expect(missing?.description.contains("question, n, o") == true)
        let wrong = #expect(throws: DataError.self) { try record.int("n") }
        #expect(wrong?.description.contains("\"n\" must be a whole number") == true)
        #expect(throws: DataError.self) { try record.string("o") }
        struct Typed: Decodable {
            struct Inner: Decodable { var x: Int }
            var o: Inner
        }
        let nested = #expect(throws: DataError.self) { try set.records(decoding: Typed.self) }
        #expect(nested?.description.contains("o.x") == true)
    }
}

@Suite struct RecordShapeTests {
    private func record(_ value: JSONValue) -> Record { Record(value, at: RecordPlace(source: "t", line: 1)) }

    private func message(_ role: String, _ content: String) -> JSONValue {
        ["role": .string(role), "content": .string(content)]
    }

    @Test(
        arguments: [
            ["messages": [["role": "user", "content": "hi"], ["role": "Assistant", "content": "yo"]]],
            ["conversations": [["from": "human", "value": "hi"], ["from": "gpt", "value": "yo"]]],
            ["instruction": "hi", "output": "yo"], ["instruction": "hi", "input": "", "response": "yo"],
            ["prompt": "hi", "completion": "yo"], ["input": "hi", "output": "yo"], ["query": "hi", "response": "yo"],
            [
                "prompt": [["role": "user", "content": "hi"]],
                "completion": [["role": "assistant", "content": "yo"]],
            ],
            ["question": "hi", "answer": "yo"], ["question": "hi", "choices": ["no", "yo"], "answer": "B"],
        ] as [JSONValue])
    func conversations(value: JSONValue) throws {
        let typed = try ConversationRecord(record(value))
        #expect(typed.messages == [.user("hi"), .assistant("yo")] && typed.learned == [1])
    }

    @Test func whatElseConversationsHold() throws {
        let alpaca = try ConversationRecord(
            record(["instruction": "Add", "input": "1 2", "output": "3", "system": "Be brief."]))
        #expect(alpaca.messages == [.system("Be brief."), .user("Add\n\n1 2"), .assistant("3")])
        // Of a prompt's turns none is learned; of a conversation's all the assistant's.
        let turns = [message("user", "a"), message("assistant", "b"), message("user", "c")]
        let asked = try ConversationRecord(
            record(["prompt": .array(turns), "completion": .array([message("assistant", "d")])]))
        let whole = try ConversationRecord(record(["messages": .array(turns + [message("assistant", "d")])]))
        #expect(asked.messages == whole.messages && asked.learned == [3] && whole.learned == [1, 3])
        let unlearned: JSONValue = ["role": "assistant", "content": "x", "weight": 0]
        let marked = try ConversationRecord(
            record(["system": "s", "messages": .array([turns[0], unlearned, turns[2], message("assistant", "d")])]))
        #expect(marked.learned == [4])
    }

    @Test(
        arguments: [
            (["messages": []], "\"messages\" must be an array of messages, not an empty one"),
            (["messages": [["content": "x"]]], "messages[0] role (or from) is missing"),
            (["messages": [["role": "user"]]], "messages[0] content (or value) is missing"),
            (
                ["messages": [["role": "wizard", "content": "x"]]],
                "\"messages[0].role\" must be system, user, assistant or tool, not \"wizard\""
            ),
            (
                ["messages": [["role": "user", "content": "x"]]],
                "\"messages\" must be a conversation with a turn of the assistant to learn, not one without"
            ),
            (["prompt": "x"], "completion (or response, output, answer) is missing"), ([:], "messages (or"),
        ] as [(JSONValue, String)])
    func brokenConversations(value: JSONValue, part: String) {
        let error = #expect(throws: DataError.self) { try ConversationRecord(record(value)) }
        #expect(error?.description.hasPrefix("t:1: the field ") == true)
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func preferences() throws {
        let plain = try PreferenceRecord(record(["prompt": "p", "chosen": "a", "rejected": "b"]))
        #expect(
            plain.prompt == [.user("p")] && plain.chosen == [.assistant("a")] && plain.rejected == [.assistant("b")])
        let (prompt, chosen, rejected) = (message("user", "p"), message("assistant", "a"), message("assistant", "b"))
        let same: [JSONValue] = [
            ["chosen": .array([prompt, chosen]), "rejected": .array([prompt, rejected])],
            ["prompt": "p", "chosen": .array([prompt, chosen]), "rejected": .array([prompt, rejected])],
            ["prompt": .array([prompt]), "chosen": .array([chosen]), "rejected": .array([rejected])],
            ["prompt": .array([prompt]), "chosen": "a", "rejected": "b"],
            [
                "conversations": [["from": "human", "value": "p"]], "chosen": ["from": "gpt", "value": "a"],
                "rejected": ["from": "gpt", "value": "b"],
            ],
            ["prompt": "p", "chosen": chosen, "rejected": rejected],
            ["chosen": "\n\nHuman: p\n\nAssistant: a", "rejected": "\n\nHuman: p\n\nAssistant: b"],
            ["prompt": "\n\nHuman: p\n\nAssistant:", "chosen": "a", "rejected": "b"],
            ["question": "p", "chosen": "a", "rejected": "b"], ["input": "p", "chosen": "a", "rejected": "b"],
        ]
        for value in same { #expect(try PreferenceRecord(record(value)) == plain, "\(value)") }
    }

    /// Conversations that part before the last turn.
    @Test func preferencesOfSeveralTurns() throws {
        let parted = try PreferenceRecord(
            record([
                "chosen": "\n\nHuman: p\n\nAssistant: a\n\nHuman: q\n\nAssistant: b",
                "rejected": "\n\nHuman: p\n\nAssistant: c",
            ]))
        #expect(parted.prompt == [.user("p")] && parted.rejected == [.assistant("c")])
        #expect(parted.chosen == [.assistant("a"), .user("q"), .assistant("b")])
    }

    @Test func turnsWithPartsAndCalls() throws {
        let calling = try ConversationRecord(
            record([
                "messages": [
                    [
                        "role": "user",
                        "content": [["type": "text", "text": "How "], ["type": "text", "text": "warm?"]],
                    ],
                    [
                        "role": "assistant", "content": nil,
                        "tool_calls": [
                            ["id": "1", "function": ["name": "weather", "arguments": #"{"place": "here"}"#]]
                        ],
                    ],
                    ["role": "tool", "tool_call_id": "1", "content": "20"], ["role": "assistant", "content": "Mild."],
                ],
                "tools": #"[{"type": "function", "function": {"name": "weather"}}]"#,
            ]))
        #expect(calling.messages[0] == .user("How warm?") && calling.learned == [1, 3])
        #expect(calling.messages[1].toolCalls == [ToolCall(id: "1", name: "weather", arguments: ["place": "here"])])
        #expect(calling.messages[2].toolCallID == "1" && calling.tools.count == 1)
        let picture = #expect(throws: DataError.self) {
            try ConversationRecord(
                record(["messages": [["role": "user", "content": [["type": "image_url", "image_url": "x"]]]]]))
        }
        #expect(picture?.description.contains("a part with a text, not one of type \"image_url\"") == true)
    }

    @Test func labelledRecords() throws {
        let text = try LabelledRecord(record(["text": "a", "label": 3]))
        #expect(text.content == .text("a") && text.labels == ["3"])
        let pair = try LabelledRecord(record(["premise": "a", "hypothesis": "b", "label": "yes"]))
        #expect(pair.content == .text("a\nb"))
        let answer = try LabelledRecord(record(["prompt": "a", "completion": "b"]))
        #expect(answer.content == .conversation([.user("a"), .assistant("b")]) && answer.labels == nil)
        #expect(throws: DataError.self) { try answer.demandLabels(in: record([:])) }
        let words = try LabelledRecord(record(["tokens": ["a", "b"], "ner_tags": [0, 7]]))
        #expect(words.content == .words(["a", "b"]) && words.labels == ["0", "7"])
        #expect(throws: DataError.self) { try LabelledRecord(record(["tokens": ["a", "b"], "tags": ["x"]])) }
        #expect(throws: DataError.self) { try LabelledRecord(record(["label": "x"])) }
    }

    @Test func scoredRecords() throws {
        let steps = try ScoredRecord(record(["prompt": "p", "completions": ["a", "b"], "labels": [true, 0.25]]))
        #expect(steps.content == .steps(prompt: [.user("p")], ["a", "b"]) && steps.scores == [1, 0.25])
        let whole = try ScoredRecord(record(["text": "t", "score": "-2.5"]))
        #expect(whole.content == .whole(.text("t")) && whole.scores == [-2.5])
        #expect(try ScoredRecord(record(["steps": ["a"]])).scores == nil)
        for broken in [
            ["steps": ["a"], "labels": [1, 0]], ["steps": [], "labels": []], ["text": "t", "score": [1, 2]],
            ["text": "t", "score": "high"],
        ] as [JSONValue] {
            #expect(throws: DataError.self) { try ScoredRecord(record(broken)) }
        }
    }

    @Test func contrastiveRecords() throws {
        let plain = try ContrastiveRecord(record(["anchor": "a", "positive": "b"]))
        #expect(plain.anchor == "a" && plain.positives == ["b"] && plain.negatives.isEmpty)
        let lists = try ContrastiveRecord(record(["query": "a", "pos": ["b", "x"], "neg": ["c", "d"]]))
        #expect(lists.positives == ["b", "x"] && lists.negatives == ["c", "d"])
        let several = try ContrastiveRecord(
            record(["anchor": "a", "positive": "b", "negative_1": "c", "negative_2": "d", "negative_score": 0.1]))
        #expect(several.negatives == ["c", "d"])
        #expect(throws: DataError.self) { try ContrastiveRecord(record(["anchor": "a"])) }
    }

    @Test func preferencesKeepWhatStandsBeforeTheQuestion() throws {
        let typed = try PreferenceRecord(
            record([
                "system": "Be brief.", "instruction": "Add", "input": "1 2", "chosen": "3", "rejected": "12",
            ]))
        #expect(typed.prompt == [.system("Be brief."), .user("Add\n\n1 2")])
        let start = "\n\nHuman: a\n\nSecond paragraph: x\n\nAssistant: b\n\nHuman: c\n\nAssistant: "
        let transcript = try PreferenceRecord(
            record(["chosen": .string(start + "d\n\ne"), "rejected": .string(start + "f")]))
        #expect(transcript.prompt == [.user("a\n\nSecond paragraph: x"), .assistant("b"), .user("c")])
        #expect(transcript.chosen == [.assistant("d\n\ne")] && transcript.rejected == [.assistant("f")])
    }

    @Test(
        arguments: [
            (["chosen": "a", "rejected": "b"], "\"prompt\" is missing"),
            (["prompt": "p", "chosen": "a"], "\"rejected\" is missing"),
            (
                ["prompt": "p", "chosen": ["role": "user", "content": "a"], "rejected": "b"],
                "\"chosen\" must be turns of which the last is the assistant's, not ones that end with the user's"
            ),
            (
                [
                    "chosen": "\n\nHuman: p\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b",
                ], "\"rejected\" must be a conversation that begins as \"chosen\" does"
            ),
        ] as [(JSONValue, String)])
    func brokenPreferences(value: JSONValue, part: String) {
        let error = #expect(throws: DataError.self) { try PreferenceRecord(record(value)) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func judgedAnswers() throws {
        for (label, isDesirable) in [
            (true, true), (1, true), (0, false), ("true", true), ("False", false), ("0", false), (1.0, true),
        ] as [(JSONValue, Bool)] {
            let typed = try JudgedRecord(record(["prompt": "p", "completion": "a", "label": label]))
            #expect(typed.prompt == [.user("p")] && typed.completion == "a" && typed.isDesirable == isDesirable)
        }
        for value: JSONValue in [
            ["messages": .array([message("user", "p"), message("assistant", "a")]), "label": true],
            [
                "prompt": .array([message("user", "p")]), "completion": .array([message("assistant", "a")]),
                "label": true,
            ],
            ["instruction": "p", "output": "a", "label": true],
        ] {
            let typed = try JudgedRecord(record(value))
            #expect(typed.prompt == [.user("p")] && typed.completion == "a" && typed.isDesirable)
        }
        let typed = try JudgedRecord(
            record(["system": "s", "instruction": "i", "input": "x", "output": "a", "label": 0]))
        #expect(typed.prompt == [.system("s"), .user("i\n\nx")] && !typed.isDesirable)
        let error = #expect(throws: DataError.self) {
            try JudgedRecord(record(["prompt": "p", "completion": "a", "label": 2]))
        }
        #expect(error?.description == "t:1: the field \"label\" must be true or false, not a number.")
    }

    @Test func questionsOfRewardData() throws {
        let text = try QuestionRecord(record(["prompt": "2 + 2?", "solution": "4", "system": "s"]))
        #expect(text.question == "2 + 2?" && text.answers == ["4"] && text.prompt == [.system("s"), .user("2 + 2?")])
        let turns = [message("system", "s"), message("user", "2 + 2?")]
        let list = try QuestionRecord(record(["prompt": .array(turns), "ground_truth": 4]))
        #expect(list.question == text.question && list.prompt == text.prompt && list.answers == ["4"])
        #expect(throws: DataError.self) { try QuestionRecord(record(["answer": "4"])) }
    }

    @Test func questionsInTheirManyForms() throws {
        let forms: [JSONValue] = [
            ["question": "q", "choices": ["x", "y", "z"], "answer": 1],
            ["question": "q", "choices": ["x", "y", "z"], "answer": "B"],
            ["question": "q", "options": ["x", "y", "z"], "answer": "y"],
            ["question": "q", "options": ["A": "x", "B": "y", "C": "z"], "answer": "B"],
            ["question": "q", "choices": ["text": ["x", "y", "z"], "label": ["1", "2", "3"]], "answerKey": "2"],
        ]
        for form in forms {
            let typed = try QuestionRecord(record(form))
            #expect(typed.choices == ["x", "y", "z"] && typed.answerIndex == 1 && typed.answers == ["y"], "\(form)")
        }
        let open = try QuestionRecord(
            record(["question": "q", "context": "c", "answers": ["text": ["a", "b"], "answer_start": [1, 2]]]))
        #expect(open.answers == ["a", "b"] && open.context == "c" && open.choices.isEmpty)
        #expect(throws: DataError.self) {
            try QuestionRecord(record(["question": "q", "choices": ["x"], "answer": 4]))
        }
    }

    @Test func tofu() throws {
        let typed = try TOFURecord(
            record(["question": "q", "answer": "a", "paraphrased_answer": "p", "perturbed_answer": ["x", "y"]]))
        #expect(typed.perturbedAnswers == ["x", "y"] && typed.paraphrasedAnswer == "p")
    }
}

@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func publishedVectors(text: String, hash: String) {
        #expect(SHA256.hexadecimal(of: Array(text.utf8)) == hash)
    }

    @Test func piecesMakeTheWhole() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for size in [1, 7, 63, 64, 65, 200] {
            var hash = SHA256()
            for start in stride(from: 0, to: bytes.count, by: size) {
                hash.update(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(hash.hexadecimal() == SHA256.hexadecimal(of: bytes))
        }
        #expect(
            SHA256.hexadecimal(of: [UInt8](repeating: 0x61, count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}
