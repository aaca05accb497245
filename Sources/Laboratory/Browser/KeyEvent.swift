import Text

/// A key as the browser's input events describe it.
struct KeyEvent {
    /// The name of the key, or what it types.
    var key: String
    /// The number that pages read as `keyCode`.
    var code: Int
    /// What it types; empty for keys that type nothing.
    var text: String

    init(key: String, code: Int, text: String = "") {
        self.key = key
        self.code = code
        self.text = text
    }

    /// The key of a printing ASCII character; nil for others. Signs have no code, as it depends on the keyboard.
    init?(typing character: Character) {
        guard let ascii = character.asciiValue, (32..<127).contains(ascii) else { return nil }
        let isPlain = character.isLetter || character.isNumber || character == " "
        let code = isPlain ? Int(character.uppercased().utf8.first ?? 0) : 0
        self.init(key: String(character), code: code, text: String(character))
    }

    func message(isDown: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", isDown ? (text.isEmpty ? "rawKeyDown" : "keyDown") : "keyUp"), .init("key", .string(key)),
            .init("windowsVirtualKeyCode", .integer(code)),
        ]
        if isDown, !text.isEmpty { members.append(.init("text", .string(text))) }
        return .object(members)
    }
}

extension PageKey {
    var event: KeyEvent {
        switch self {
        case .enter: KeyEvent(key: "Enter", code: 13, text: "\r")
        case .tab: KeyEvent(key: "Tab", code: 9)
        case .escape: KeyEvent(key: "Escape", code: 27)
        case .backspace: KeyEvent(key: "Backspace", code: 8)
        case .delete: KeyEvent(key: "Delete", code: 46)
        case .space: KeyEvent(key: " ", code: 32, text: " ")
        case .home: KeyEvent(key: "Home", code: 36)
        case .end: KeyEvent(key: "End", code: 35)
        case .arrowLeft: KeyEvent(key: "ArrowLeft", code: 37)
        case .arrowUp: KeyEvent(key: "ArrowUp", code: 38)
        case .arrowRight: KeyEvent(key: "ArrowRight", code: 39)
        case .arrowDown: KeyEvent(key: "ArrowDown", code: 40)
        }
    }
}
