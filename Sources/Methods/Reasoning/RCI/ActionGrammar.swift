import Laboratory

/// The forms that an agent's instruction can have, each with the regular expression that it must match from start to end, whatever
/// the case.
package enum ActionForm: String, CaseIterable, Sendable {
    case clickXPath = "clickxpath"
    case clickOption = "clickoption"
    case moveMouse = "movemouse"
    case type, press

    package var pattern: String {
        switch self {
        case .clickXPath, .clickOption, .moveMouse, .type: "^\(rawValue)\\s.{1,}$"
        case .press: "^press\\s(enter|arrowleft|arrowright|arrowup|arrowdown|backspace)$"
        }
    }

    /// What it does, for the model.
    package var meaning: String {
        switch self {
        case .clickXPath: "clicks the element at an XPath"
        case .clickOption: "picks the option at an XPath from its list"
        case .moveMouse: "moves the mouse over the element at an XPath"
        case .type: "types the text behind the word into what has the focus; \\n in it is the Enter key"
        case .press: "presses a key"
        }
    }

    /// The form that a text has; nil where it has none.
    package static func form(of text: String) -> ActionForm? {
        allCases.first { form in
            guard let expression = try? Regex(form.pattern) else {
                fatalError("the expression of \(form.rawValue) is none")
            }
            return text.wholeMatch(of: expression.ignoresCase()) != nil
        }
    }
}

/// Reads instructions. What matches no form is refused; the rest is cleaned and becomes an action.
///
/// `clickid`, which the reference code carries out although none of its expressions allows it, is refused like any other
/// word.
package enum ActionGrammar {
    /// An instruction out of a reply to a prompt that ends in an open back-quote: up to the next back-quote. Where nothing stands before
    /// it, as chat models open the quotes again, up to the one after that.
    package static func cut(_ reply: String) -> String {
        let parts = reply.split(separator: "`", maxSplits: 2, omittingEmptySubsequences: false).map(\.trimmingSpaces)
        return parts.prefix(2).first { !$0.isEmpty } ?? ""
    }

    package static func action(_ instruction: String) throws(InvalidAction) -> PageAction {
        guard let form = ActionForm.form(of: instruction) else { throw InvalidAction(instruction: instruction) }
        let argument = cleaned(String(instruction.dropFirst(form.rawValue.count + 1)))
        switch form {
        case .clickXPath: return .click(xpath: argument)
        case .clickOption: return .select(xpath: argument)
        case .moveMouse: return .hover(xpath: argument)
        // A backslash and an n are the Enter key.
        case .type: return .type(argument.replacing("\\n", with: "\n"))
        case .press:
            guard let key = PageKey(rawValue: argument.lowercased()) else {
                throw InvalidAction(instruction: instruction)
            }
            return .press(key)
        }
    }

    /// Without the quotes around it. Quotes inside, as those of an XPath, stay.
    private static func cleaned(_ argument: String) -> String {
        let text = argument.trimmingSpaces
        guard text.count > 1, let first = text.first, "\"'“".contains(first), let last = text.last else { return text }
        return last == (first == "“" ? "”" : first) ? String(text.dropFirst().dropLast()) : text
    }

    /// How a policy writes an action: text in quotes, so that nothing at its ends is lost.
    package static func instruction(_ action: PageAction) -> String {
        switch action {
        case .click(let path): "clickxpath \(path)"
        case .select(let path): "clickoption \(path)"
        case .hover(let path): "movemouse \(path)"
        case .type(let text): "type \"\(text.replacing("\n", with: "\\n"))\""
        case .press(let key): "press \(key.rawValue)"
        }
    }
}

/// An instruction that has none of the forms.
package struct InvalidAction: Error, Hashable, CustomStringConvertible {
    package var instruction: String

    package var description: String {
        "\(instruction.debugDescription) matches none of "
            + ActionForm.allCases.map(\.pattern).joined(separator: ", ") + "."
    }
}
