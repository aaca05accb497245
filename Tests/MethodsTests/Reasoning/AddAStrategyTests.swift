import Foundation
import Laboratory
import Testing

@Suite struct AddAStrategyTests {
    @Test func thePageShowsTheFileThatIsCompiled() throws {
        let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        let root = (0..<4).reduce(here) { folder, _ in folder.deletingLastPathComponent() }
        let page = try String(
            contentsOf: root.appendingPathComponent("Docs/AddAStrategy.md"), encoding: .utf8)
        let file = try String(
            contentsOf: here.deletingLastPathComponent().appendingPathComponent("AddAStrategyExample.swift"),
            encoding: .utf8)
        #expect(page.contains("```swift\n" + file + "```"))
    }

    @Test func theExampleAsksTwice() async throws {
        let model = ScriptedModel(capabilities: [.completion]) { request, _ in
            request.prompt.plainText.contains("once more") ? "The answer is 4." : "Perhaps 5."
        }
        let demonstration = try await SecondThought().demo(in: Lab(slug: "second-thought", subject: model))
        for check in demonstration.checks { #expect(check.holds, "\(check.name)") }
    }
}
