import Text

/// A conversation written out as in the HH-RLHF data: "\n\nHuman: …\n\nAssistant: …".
enum Transcript {
    private static let speakers: [(name: String, role: Role)] = [("Human:", .user), ("Assistant:", .assistant)]

    /// The turns, or nil where the text is no transcript: it begins with "Human:" and has an "Assistant:" after a blank line.
    static func turns(_ text: String) -> [ChatMessage]? {
        var turns: [ChatMessage] = []
        for paragraph in text.drop(while: \.isWhitespace).split(separator: "\n\n", omittingEmptySubsequences: false) {
            if let speaker = speakers.first(where: { paragraph.hasPrefix($0.name) }) {
                turns.append(
                    ChatMessage(role: speaker.role, content: String(paragraph.dropFirst(speaker.name.count))))
            } else if let last = turns.indices.last {
                turns[last].content += "\n\n" + paragraph
            } else {
                return nil
            }
        }
        guard turns.first?.role == .user, turns.contains(where: { $0.role == .assistant }) else { return nil }
        for index in turns.indices { turns[index].content = turns[index].content.trimmingSpaces }
        return turns
    }
}
