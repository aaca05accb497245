/// Text in which blocks of lines stand between fences of three back-quotes, as in Markdown.
public enum FencedText {
    /// The contents of the blocks in their order.
    ///
    /// Where the fences don't pair up, the text is taken to begin inside a block, as a continuation of an opened one does, unless its
    /// last fence names a language and so opens a block that was cut short. A text without a fence is one block, if it isn't empty.
    public static func blocks(_ text: String) -> [String] {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let fences = lines.indices.filter { lines[$0].drop(while: { $0 == " " }).hasPrefix("```") }
        let opensLast = fences.last.map { lines[$0].drop(while: { $0 == " " || $0 == "`" }).isEmpty == false } ?? false
        var borders = fences
        if !fences.count.isMultiple(of: 2) {
            if opensLast { borders.append(lines.count) } else { borders.insert(-1, at: 0) }
        } else if fences.isEmpty {
            borders = [-1, lines.count]
        }
        return stride(from: 0, to: borders.count, by: 2).compactMap { place in
            let block = lines[(borders[place] + 1)..<borders[place + 1]].joined(separator: "\n")
            return block.allSatisfy(\.isWhitespace) ? nil : block
        }
    }
}
