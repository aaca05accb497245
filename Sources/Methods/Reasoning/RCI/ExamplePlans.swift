import Laboratory

/// Plans that are shown to the model before it makes its own: a few for each task, written for goals that no page of these tasks
/// asks for in the same words.
package enum ExamplePlans {
    package static func of(_ task: PracticeTask) -> [ExamplePlan] {
        switch task {
        case .clickButton, .clickLink, .enterText, .chooseList, .clickCheckboxes: ofMiniWoB(task.rawValue)
        case .login:
            [
                ExamplePlan(
                    "Log in as \"Bert\" with the password \"Pebble\".", click("input[@type='text']"), "type Bert",
                    click("button[text()='Continue']"), click("input[@type='password']"), "type Pebble",
                    click("button[text()='Login']"))
            ]
        }
    }

    package static func ofMiniWoB(_ task: String) -> [ExamplePlan] { miniWoB[task] ?? [] }

    private static func click(_ element: String) -> String { "clickxpath //\(element)" }
    private static func option(_ text: String) -> String { "clickoption //option[text()='\(text)']" }
    private static let submit = click("button[text()='Submit']")

    private static let miniWoB: [String: [ExamplePlan]] = [
        "choose-list": [
            ExamplePlan("Select Atlantis from the list and click Submit.", option("Atlantis"), submit),
            ExamplePlan("Select Merlin from the list and click Submit.", option("Merlin"), submit),
        ],
        "click-button": [
            ExamplePlan("Click on the \"fetch\" button.", click("button[text()='fetch']")),
            ExamplePlan("Click on the \"Proceed\" button.", click("button[text()='Proceed']")),
        ],
        "click-button-sequence": [
            ExamplePlan(
                "Click button UP, then click button DOWN.", click("button[text()='UP']"), click("button[text()='DOWN']")
            )
        ],
        "click-checkboxes": [
            ExamplePlan(
                "Select Qx7, plum and click Submit.", click("label[contains(., 'Qx7')]/input"),
                click("label[contains(., 'plum')]/input"), submit),
            ExamplePlan("Select nothing and click Submit.", submit),
        ],
        "click-collapsible": [
            ExamplePlan("Expand the section below and click submit.", click("h3"), submit)
        ],
        "click-dialog": [
            ExamplePlan(
                "Close the dialog box by clicking the \"x\".",
                click("button[contains(@class, 'ui-dialog-titlebar-close')]"))
        ],
        "click-dialog-2": [
            ExamplePlan("Click the button in the dialog box labeled \"Later\".", click("button[.='Later']")),
            ExamplePlan(
                "Click the button in the dialog box labeled \"x\".",
                click("button[contains(@class, 'ui-dialog-titlebar-close')]")),
        ],
        "click-link": [ExamplePlan("Click on the link \"gravida\".", click("span[text()='gravida']"))],
        "click-option": [
            ExamplePlan("Select vB2 and click Submit.", click("label[contains(., 'vB2')]/input"), submit)
        ],
        "click-tab": [ExamplePlan("Click on Tab #9.", click("a[text()='Tab #9']"))],
        "click-test": [ExamplePlan("Click the button.", click("button"))],
        "click-test-2": [ExamplePlan("Click button NINE.", click("button[text()='NINE']"))],
        "click-widget": [
            ExamplePlan("Click on a \"slider\" widget.", click("*[@data-type='slider']"))
        ],
        "enter-date": [
            ExamplePlan(
                "Enter 07/04/2031 as the date and hit submit.", click("input[@id='tt']"), "type 07042031", submit)
        ],
        "enter-password": [
            ExamplePlan(
                "Enter the password \"zQ\" into both text fields and press submit.", click("input[@id='password']"),
                "type zQ", click("input[@id='verify']"), "type zQ", submit)
        ],
        "enter-text": [
            ExamplePlan(
                "Enter \"Bartholomew\" into the text field and press Submit.", click("input[@type='text']"),
                "type Bartholomew", submit)
        ],
        "enter-text-dynamic": [
            ExamplePlan(
                "Enter \"w8T\" into the text field and press Submit.", click("input[@type='text']"), "type w8T", submit)
        ],
        "focus-text": [ExamplePlan("Focus into the textbox.", click("input[@type='text']"))],
        "login-user": [
            ExamplePlan(
                "Enter the username \"bartholomew\" and the password \"9kZ\" into the text fields and press login.",
                click("input[@id='username']"), "type bartholomew", click("input[@id='password']"), "type 9kZ",
                click("button[text()='Login']"))
        ],
        "navigate-tree": [
            ExamplePlan(
                "Navigate through the file tree. Find and click on the folder or file named \"Bartholomew\".",
                click("span[text()='Hubert']"), click("span[text()='Bartholomew']"))
        ],
    ]
}
