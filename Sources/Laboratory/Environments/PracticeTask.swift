/// Small web tasks with random names, labels and order, in the manner of MiniWoB++, on pages that need no browser.
public enum PracticeTask: String, CaseIterable, Sendable, Hashable {
    case clickButton = "click-button"
    case clickLink = "click-link"
    case enterText = "enter-text"
    case chooseList = "choose-list"
    case clickCheckboxes = "click-checkboxes"
    /// The user's name on a first page, the password on a second.
    case login

    /// One episode: what is asked and how the pages follow one another.
    struct Script: Sendable, Hashable {
        var goal: String
        var stages: [Stage]
        /// What a person who understood the goal would do.
        var solution: [PageAction]
    }

    /// One page of an episode. A click on one of `ends` ends it: well where that is `right` and the page is as it should be.
    struct Stage: Sendable, Hashable {
        var html: String
        /// The identifiers of elements.
        var ends: Set<String>
        var right: String
        /// An XPath that is true of the page as it should be; nil: always.
        var condition: String?
    }

    /// Words that labels, links and options are made of.
    public static let words = [
        "Accept", "Archive", "Blue", "Cancel", "Close", "Copy", "Delete", "Edit", "Export", "Green", "Help", "Import",
        "Later", "Lemon", "Mango", "Maybe", "Move", "Never", "Next", "North", "Olive", "Open", "Orange", "Paper",
        "Peach",
        "Plum", "Print", "Purple", "Quit", "Reply", "Report", "Reset", "River", "Save", "Search", "Send", "Share",
        "Silver",
        "South", "Start", "Stop", "Stone", "Sugar", "Sync", "Tiger", "Undo", "Violet", "Water", "White", "Yellow",
    ]
    /// Names of people.
    public static let names = [
        "Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Igor", "June", "Kai", "Lena", "Milo", "Nina",
        "Otto",
        "Pia", "Quin", "Rosa", "Sven", "Tara", "Udo", "Vera", "Wim", "Xena", "Yara", "Zeno",
    ]

    /// The episode of a seed.
    func script(seed: UInt64) -> Script {
        var maker = PracticeMaker(random: SeededGenerator(seed: seed, stream: "practice/\(rawValue)"))
        return switch self {
        case .clickButton: maker.clickButton()
        case .clickLink: maker.clickLink()
        case .enterText: maker.enterText()
        case .chooseList: maker.chooseList()
        case .clickCheckboxes: maker.clickCheckboxes()
        case .login: maker.login()
        }
    }

    /// What solves the episode of a seed, action by action: for tests, and for policies that learn from it.
    public func solution(seed: UInt64) -> [PageAction] { script(seed: seed).solution }
}

/// Draws the pages of one episode.
private struct PracticeMaker {
    var random: SeededGenerator
    private var used: Set<String> = []

    init(random: SeededGenerator) { self.random = random }

    /// A letter and a digit that no other element of the episode has.
    private mutating func id() -> String {
        while true {
            let letter = random.pick(Array("abcdefghjkmnpqrstuvwxyz")) ?? "a"
            let name = "\(letter)\(random.below(10))"
            if used.insert(name).inserted { return name }
        }
    }

    private mutating func pick(_ count: Int) -> [String] { random.sample(count, of: PracticeTask.words) }

    private static func path(_ name: String, _ id: String) -> String { "//\(name)[@id=\"\(id)\"]" }
    private static func click(_ name: String, _ id: String) -> PageAction { .click(xpath: path(name, id)) }
    private static func click(_ name: String, text: String) -> PageAction {
        .click(xpath: "//\(name)[text()=\"\(text)\"]")
    }

    private static func page(_ parts: [String]) -> String { "<div>" + parts.joined() + "</div>" }

    private mutating func button(_ label: String) -> (id: String, html: String) {
        let id = id()
        return (id, "<button id=\"\(id)\">\(label)</button>")
    }

    /// Texts and fields that have nothing to do with the goal.
    private mutating func clutter(_ most: Int) -> [String] {
        (0..<random.below(most + 1)).map { _ in
            random.chance(0.5)
                ? "<span>\(pick(1)[0])</span>" : "<input type=\"checkbox\" id=\"\(id())\">"
        }
    }

    mutating func clickButton() -> PracticeTask.Script {
        let labels = pick(2 + random.below(3))
        let buttons = labels.map { button($0) }
        let html = random.shuffled(buttons.map(\.html) + clutter(2))
        return .init(
            goal: "Click the \"\(labels[0])\" button.",
            stages: [.init(html: Self.page(html), ends: Set(buttons.map(\.id)), right: buttons[0].id)],
            solution: [Self.click("button", text: labels[0])])
    }

    mutating func clickLink() -> PracticeTask.Script {
        let words = pick(5 + random.below(3))
        let count = 2 + random.below(2)
        let links = (0..<count).map { _ in id() }
        let parts = words.enumerated().map { place, word in
            place < count ? "<a id=\"\(links[place])\" href=\"#\">\(word)</a>" : "<span>\(word)</span>"
        }
        return .init(
            goal: "Click the link \"\(words[0])\".",
            stages: [.init(html: Self.page(random.shuffled(parts)), ends: Set(links), right: links[0])],
            solution: [Self.click("a", text: words[0])])
    }

    mutating func enterText() -> PracticeTask.Script {
        let field = id()
        let submit = button("Submit")
        let word = pick(1)[0]
        let html =
            ["<input type=\"text\" id=\"\(field)\">"] + clutter(1) + [submit.html]
        return .init(
            goal: "Enter \"\(word)\" into the text field and press Submit.",
            stages: [
                .init(
                    html: Self.page(html), ends: [submit.id], right: submit.id,
                    condition: "\(Self.path("input", field))/@value = \"\(word)\"")
            ],
            solution: [Self.click("input", field), .type(word), Self.click("button", submit.id)])
    }

    mutating func chooseList() -> PracticeTask.Script {
        let options = pick(3 + random.below(4))
        let wanted = options[random.below(options.count)]
        let list = id()
        let submit = button("Submit")
        let html =
            "<select id=\"\(list)\">" + options.map { "<option>\($0)</option>" }.joined() + "</select>"
        return .init(
            goal: "Choose \"\(wanted)\" from the list and press Submit.",
            stages: [
                .init(
                    html: Self.page([html, submit.html]), ends: [submit.id], right: submit.id,
                    condition: "//option[@selected] = \"\(wanted)\"")
            ],
            solution: [.select(xpath: "//option[text()=\"\(wanted)\"]"), Self.click("button", submit.id)])
    }

    mutating func clickCheckboxes() -> PracticeTask.Script {
        let labels = pick(3 + random.below(2))
        let wanted = 1 + random.below(2)
        let boxes = labels.map { _ in id() }
        let parts = zip(labels, boxes).map { label, box in
            "<label><input type=\"checkbox\" id=\"\(box)\">\(label)</label>"
        }
        let submit = button("Submit")
        let state = boxes.enumerated().map { place, box in
            "\(place < wanted ? "" : "not")(\(Self.path("input", box))/@checked)"
        }
        return .init(
            goal: "Tick " + labels.prefix(wanted).map { "\"\($0)\"" }.joined(separator: " and ") + " and press Submit.",
            stages: [
                .init(
                    html: Self.page(random.shuffled(parts) + [submit.html]), ends: [submit.id], right: submit.id,
                    condition: state.joined(separator: " and "))
            ],
            solution: labels.prefix(wanted).map { Self.click("label", text: $0) } + [Self.click("button", submit.id)])
    }

    mutating func login() -> PracticeTask.Script {
        let user = random.pick(PracticeTask.names) ?? ""
        let password = pick(1)[0]
        let (first, second) = (id(), id())
        let (next, enter) = (button("Continue"), button("Login"))
        func stage(
            _ label: String, _ field: String, _ kind: String, _ button: (id: String, html: String), _ text: String
        )
            -> PracticeTask.Stage
        {
            .init(
                html: Self.page([
                    "<label for=\"\(field)\">\(label)</label>", "<input type=\"\(kind)\" id=\"\(field)\">", button.html,
                ]), ends: [button.id], right: button.id,
                condition: "\(Self.path("input", field))/@value = \"\(text)\"")
        }
        return .init(
            goal: "Log in as \"\(user)\" with the password \"\(password)\".",
            stages: [
                stage("User", first, "text", next, user), stage("Password", second, "password", enter, password),
            ],
            solution: [
                Self.click("input", first), .type(user), Self.click("button", next.id), Self.click("input", second),
                .type(password), Self.click("button", enter.id),
            ])
    }
}
