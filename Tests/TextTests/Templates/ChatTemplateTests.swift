import Testing
import Text

@Suite struct ChatTemplateTests {
    @Test func a() throws {
        let t = try ChatTemplate(source: "{% for m in messages %}{{ m.role }}: {{ m['content'] | trim }}\n{% endfor %}")
        #expect(try t.render(messages: [.user(" hi "), .assistant("yo")]) == "user: hi\nassistant: yo\n")
    }
}
