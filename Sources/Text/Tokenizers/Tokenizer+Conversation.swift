extension Tokenizer {
    /// The tokens of a rendered conversation: special tokens are recognised in the template's own text alone, and what stands
    /// between two of them is one text to the tokenizer, whoever wrote it.
    public func encode(segments: [ChatTemplate.Segment]) -> [TokenID] {
        var ids: [TokenID] = []
        var run: [UInt8] = []
        func flush() {
            if !run.isEmpty { ids += encode(run) }
            run = []
        }
        for segment in segments {
            let bytes = Array(segment.text.utf8)
            guard segment.isTemplateOwn else {
                run += bytes
                continue
            }
            var end = 0
            for token in encodeWithOffsets(bytes, special: .recognised)
            where isSpecial(token.id) && !token.range.isEmpty {
                run += bytes[end..<token.range.lowerBound]
                flush()
                ids.append(token.id)
                end = token.range.upperBound
            }
            run += bytes[end...]
        }
        flush()
        return ids
    }
}
