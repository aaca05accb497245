import Foundation
import Laboratory
import Testing

/// The right actions for each task, worked out from its goal and from the page's HTML.
private enum MiniWoBPolicy {
    static func action(_ task: String, _ page: PageObservation, step: Int) throws -> PageAction? {
        let document = try PageDocument(parsing: page.html)
        let quoted = page.goal.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
        let submit = PageAction.click(xpath: "//button[@id='subbtn']")
        func field(_ id: String) -> PageAction { .click(xpath: "//input[@id='\(id)']") }
        func between(_ start: String, _ end: String) -> String {
            let behind = page.goal.range(of: start).map { page.goal[$0.upperBound...] } ?? ""
            return String(behind[..<(behind.range(of: end)?.lowerBound ?? behind.endIndex)])
        }
        func nth(_ actions: [PageAction]) -> PageAction? { actions.indices.contains(step) ? actions[step] : nil }
        switch task {
        case "choose-list":
            return nth([
                .select(xpath: "//option[text()=\"\(between("Select ", " from the list"))\"]"),
                .click(xpath: "//button"),
            ])
        case "click-button": return .click(xpath: "//button[text()='\(quoted[0])']")
        case "click-button-sequence", "click-test", "click-test-2":
            return nth([submit, .click(xpath: "//button[@id='subbtn2']")])
        case "click-checkboxes":
            let names = between("Select ", " and click").split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            return nth(names.filter { $0 != "nothing" }.map { .click(xpath: "//label[.='\($0)']/input") } + [submit])
        case "click-option":
            return nth([.click(xpath: "//label[.='\(between("Select ", " and click"))']/input"), submit])
        // The section takes a moment to open, so that the button is pressed until it is where it was seen.
        case "click-collapsible": return step == 0 ? .click(xpath: "//h3") : submit
        case "click-dialog": return .click(xpath: "//button[contains(@class, 'ui-dialog-titlebar-close')]")
        case "click-dialog-2":
            return .click(
                xpath: quoted[0] == "x"
                    ? "//button[contains(@class, 'ui-dialog-titlebar-close')]" : "//button[.='\(quoted[0])']")
        case "click-link": return .click(xpath: "//span[@class='alink' and text()='\(quoted[0])']")
        case "click-tab": return .click(xpath: "//a[text()='\(between("Click on ", "."))']")
        case "click-widget": return .click(xpath: "//*[@data-type='\(quoted[0])']")
        case "enter-date":
            return nth([.press(.tab), .type(between("Enter ", " as").filter(\.isNumber)), submit])
        case "enter-password":
            return nth([field("password"), .type(quoted[0]), field("verify"), .type(quoted[0]), submit])
        case "enter-text", "enter-text-dynamic": return nth([field("tt"), .type(quoted[0]), submit])
        case "focus-text": return field("tt")
        case "login-user":
            return nth([field("username"), .type(quoted[0]), field("password"), .type(quoted[1]), submit])
        case "navigate-tree":
            // The outermost thing on the way to the file that can be seen and isn't open yet.
            let spans = try PagePath("//ul[@id='tree']//span").all(in: document)
            guard let target = spans.first(where: { document.text(of: $0) == quoted[0] }) else { return nil }
            if document.isVisible(target) { return click(target, spans) }
            let items = sequence(first: target) { document.parent(of: $0) }.filter { document.name(of: $0) == "li" }
                .reversed()
            for item in items {
                let closed = document.children(of: item).contains {
                    document.name(of: $0) == "ul" && !document.isVisible($0)
                }
                if closed, let own = document.children(of: item).first(where: { document.name(of: $0) == "span" }) {
                    return click(own, spans)
                }
            }
            return nil
        default: return nil
        }
    }

    private static func click(_ span: Int, _ spans: [Int]) -> PageAction {
        .click(xpath: "(//ul[@id='tree']//span)[\((spans.firstIndex(of: span) ?? 0) + 1)]")
    }
}

@Suite(BrowserMachine.trait(needsMiniWoB: true), .serialized)
struct MiniWoBPolicyTests {
    /// Actions and rewards of the environment, proved by playing: what is right on the page is rewarded.
    @Test(.timeLimit(.minutes(5)), arguments: MiniWoB.tasks)
    func theRightActionsEarnTheReward(task: String) async throws {
        let browser = try await Browser(pages: MiniWoB.pages)
        let world = try MiniWoB(task, in: browser)
        for seed in 1...2 as ClosedRange<UInt64> {
            var page = try await world.reset(seed: seed)
            var reward = 0.0
            for step in 0..<12 where reward == 0 {
                let action = try #require(try MiniWoBPolicy.action(task, page, step: step), "\(task): \(page.goal)")
                let result = try await world.step(action)
                (page, reward) = (result.observation, result.reward)
                // A tree opens slowly.
                if task == "navigate-tree" || task == "click-collapsible" {
                    try await Task.sleep(for: .milliseconds(400))
                }
                if task == "navigate-tree" { page = try await world.observe() }
            }
            #expect(reward > 0, "\(task), seed \(seed): \(page.goal)\n\(page.html)")
        }
        await browser.close()
    }
}
