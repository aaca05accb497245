import Foundation
import Testing
import Text

/// Renderings that Jinja2 made, as Tests/Golden/templates.py stores them.
struct TemplateCases {
    struct Case: Sendable {
        var name: String
        var source: String
        var messages: [JSONValue]
        var tools: [JSONValue]
        var addGenerationPrompt: Bool
        var continueFinalMessage: Bool
        var extra: [String: JSONValue]
        /// nil where Jinja2 ends in an error.
        var expected: String?
    }

    let document: JSONValue

    init(path: String) throws {
        let limits = JSONLimits(bytes: 1 << 30, depth: 256)
        document = try JSONValue(parsing: [UInt8](try Data(contentsOf: URL(filePath: path))), limits: limits)
    }

    static var goldens: String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Golden/templates.json").path
    }

    /// The cases of every template; `sources` gives those whose source is not stored.
    func cases(sources: [String: String]) throws -> [Case] {
        var cases: [Case] = []
        for template in document["templates"]?.arrayValue ?? [] {
            let name = template["name"]?.stringValue ?? ""
            guard let source = template["source"]?.stringValue ?? sources[name] else { continue }
            for entry in template["cases"]?.arrayValue ?? [] {
                let title = try #require(entry["conversation"]?.stringValue)
                let number = try #require(entry["variant"]?.intValue)
                let variant = try #require(document["variants"]?[number])
                let conversation = try #require(document["conversations"]?[title])
                var extra: [String: JSONValue] = [:]
                for member in variant["extra"]?.objectValue ?? [] { extra[member.key] = member.value }
                cases.append(
                    Case(
                        name: "\(name) / \(title) / \(number)", source: source,
                        messages: conversation["messages"]?.arrayValue ?? [],
                        tools: conversation["tools"]?.arrayValue ?? [],
                        addGenerationPrompt: variant["prompt"]?.boolValue ?? true,
                        continueFinalMessage: variant["continue"]?.boolValue ?? false, extra: extra,
                        expected: entry["expected"]?.stringValue))
            }
        }
        return cases
    }

    /// What a case renders to; nil for a typed error.
    func rendered(_ item: Case) -> (text: String?, error: String?) {
        do {
            let parts = (document["now"]?.arrayValue ?? []).compactMap(\.intValue)
            let now = TemplateDate(
                year: parts[0], month: parts[1], day: parts[2], hour: parts[3], minute: parts[4], second: parts[5])
            let template = try ChatTemplate(
                source: item.source, bosToken: document["tokens"]?["bos_token"]?.stringValue,
                eosToken: document["tokens"]?["eos_token"]?.stringValue, clock: { now })
            let segments = try template.renderSegments(
                messages: item.messages, tools: item.tools, addGenerationPrompt: item.addGenerationPrompt,
                continueFinalMessage: item.continueFinalMessage, extra: item.extra)
            return (segments.map(\.text).joined(), nil)
        } catch let error as TemplateError {
            return (nil, error.description)
        } catch {
            Issue.record("\(item.name): the error is not a TemplateError: \(error)")
            return (nil, nil)
        }
    }

    /// Where two texts part, for a failure's message.
    static func difference(_ ours: String, _ theirs: String) -> String {
        let shared = zip(ours.unicodeScalars, theirs.unicodeScalars).prefix { $0 == $1 }.count
        func excerpt(_ text: String) -> String {
            String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(max(0, shared - 30)).prefix(90)))
                .debugDescription
        }
        return "at \(shared): ours \(excerpt(ours)), Jinja2's \(excerpt(theirs))"
    }

    func check(sources: [String: String] = [:]) throws {
        let cases = try cases(sources: sources)
        #expect(!cases.isEmpty)
        var identical = 0
        for item in cases {
            let result = rendered(item)
            switch (result.text, item.expected) {
            case (let ours?, let theirs?) where Array(ours.utf8) == Array(theirs.utf8): identical += 1
            case (nil, nil): identical += 1
            case (let ours?, let theirs?): Issue.record("\(item.name): \(Self.difference(ours, theirs))")
            case (let ours?, nil):
                Issue.record("\(item.name): Jinja2 refuses it, ours gives \(ours.prefix(200).debugDescription)")
            case (nil, _?): Issue.record("\(item.name): ours refuses it: \(result.error ?? "")")
            }
        }
        print("chat templates: \(identical) of \(cases.count) renderings are identical to Jinja2's")
    }
}

@Suite struct TemplateCasesTests {
    @Test("Our templates render as Jinja2 renders them")
    func own() throws {
        try TemplateCases(path: TemplateCases.goldens).check()
    }

    @Test(
        "The embedded model's template renders as Jinja2 renders it",
        .enabled(if: EmbeddedTemplate.source != nil, "the embedded model is not installed"))
    func embedded() throws {
        let cases = try TemplateCases(path: TemplateCases.goldens)
        let source = try #require(EmbeddedTemplate.source)
        try TemplateCases(only: "embedded", of: cases).check(sources: ["embedded": source])
    }

    @Test(
        "The templates of a folder render as Jinja2 renders them",
        .enabled(
            if: ProcessInfo.processInfo.environment["LYCEUM_TEMPLATE_CASES"] != nil, "LYCEUM_TEMPLATE_CASES is not set")
    )
    func folder() throws {
        let path = try #require(ProcessInfo.processInfo.environment["LYCEUM_TEMPLATE_CASES"])
        try TemplateCases(path: path).check()
    }
}

extension TemplateCases {
    /// The cases of one template.
    init(only name: String, of cases: TemplateCases) throws {
        guard case .object(var members) = cases.document else {
            document = .null
            return
        }
        let templates = (cases.document["templates"]?.arrayValue ?? []).filter { $0["name"]?.stringValue == name }
        members.removeAll { $0.key == "templates" }
        document = .object(members + [.init("templates", .array(templates))])
    }
}

/// The chat template in the embedded model's GGUF file.
enum EmbeddedTemplate {
    static let source: String? = {
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"] ?? "/"
        let cache = environment["LYCEUM_CACHE"] ?? (environment["XDG_CACHE_HOME"] ?? "\(home)/.cache") + "/lyceum"
        let folder = environment["LYCEUM_MODELS"] ?? "\(cache)/models"
        let path = "\(folder)/SmolLM2-135M-Instruct.Q4_1.gguf"
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 16 << 20) else {
            return nil
        }
        // A GGUF string entry: the key, the type 8 as u32, the length as u64, the bytes.
        guard let key = data.range(of: Data("tokenizer.chat_template".utf8)) else { return nil }
        let start = key.upperBound + 12
        guard start <= data.count, data[key.upperBound] == 8 else { return nil }
        let length = data[key.upperBound + 4..<start].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        guard length < 1 << 20, start + length <= data.count else { return nil }
        return String(decoding: data[start..<start + length], as: UTF8.self)
    }()
}
