/// The regular expressions that tokenizers are described with: a backtracking matcher over UTF-8, with Unicode properties,
/// lookahead, possessive and lazy repetition, and a bound on its work.
///
/// Back-references, lookbehind and captures have no place in a tokenizer and are refused. Work beyond a thousand steps a byte
/// ends the search: what follows counts as not matching.
struct TextRegex: Sendable {
    private let program: [RegexInstruction]
    private let sets: [ScalarSet]

    /// - Throws: `TokenizerError` with the field `pattern` for an expression that isn't valid or not supported.
    init(_ pattern: String) throws(TokenizerError) {
        var parser = RegexParser(pattern)
        let tree = try parser.parse()
        var compiler = RegexCompiler(pattern: pattern)
        try compiler.compile(tree)
        compiler.emit(.match)
        program = compiler.program
        sets = compiler.sets
    }

    /// Calls `body` for every match that isn't empty, from left to right, without overlaps.
    func forEachMatch(_ text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        guard let base = text.baseAddress else { return }
        program.withUnsafeBufferPointer { program in
            sets.withUnsafeBufferPointer { sets in
                var matcher = RegexMatcher(text: base, count: text.count, program: program, sets: sets)
                var position = 0
                while position < text.count {
                    if let end = matcher.match(from: position), end > position {
                        body(position..<end)
                        position = end
                    } else {
                        if matcher.isExhausted { return }
                        position += UTF8Text.scalar(base, at: position).length
                    }
                }
            }
        }
    }
}

/// How a repetition gives characters back.
enum RepetitionMode: Sendable {
    /// Takes as much as it can and gives back.
    case greedy
    /// Takes as little as it can.
    case lazy
    /// Takes as much as it can and keeps it.
    case possessive
}

enum RegexInstruction: Sendable {
    /// One character of a set.
    case scalar(set: Int)
    case repeatScalar(set: Int, min: Int, max: Int, RepetitionMode)
    /// Tries the first, then the second.
    case split(Int, Int)
    case jump(Int)
    /// Goes on at `next` where the program at the following instruction matches (or doesn't), without moving.
    case look(negative: Bool, next: Int)
    /// Goes on at `next` after the first match of the program at the following instruction.
    case atomic(next: Int)
    case start
    case end
    case wordBoundary(negative: Bool)
    case match
}

/// Runs a program over a text. It lives no longer than the buffers that it is given.
private struct RegexMatcher {
    let text: UnsafePointer<UInt8>
    let count: Int
    let program: UnsafeBufferPointer<RegexInstruction>
    let sets: UnsafeBufferPointer<ScalarSet>
    private var steps: Int

    init(
        text: UnsafePointer<UInt8>, count: Int, program: UnsafeBufferPointer<RegexInstruction>,
        sets: UnsafeBufferPointer<ScalarSet>
    ) {
        self.text = text
        self.count = count
        self.program = program
        self.sets = sets
        steps = 1 << 20 + count &* 1024
    }

    var isExhausted: Bool { steps <= 0 }

    /// A place to go back to: where in the program, where in the text, and how far the text position may still move, which is
    /// back for a greedy repetition and on for a lazy one.
    private struct Choice {
        var instruction: Int
        var position: Int
        var limit: Int
        /// The set of a lazy repetition, or -1.
        var set: Int
    }

    private var choices: [Choice] = []

    mutating func match(from start: Int) -> Int? { run(0, start) }

    private mutating func run(_ firstInstruction: Int, _ start: Int) -> Int? {
        let floor = choices.count
        var instruction = firstInstruction
        var position = start
        while true {
            steps -= 1
            if steps <= 0 {
                choices.removeSubrange(floor...)
                return nil
            }
            var succeeds = true
            switch program[instruction] {
            case .match:
                choices.removeSubrange(floor...)
                return position
            case .jump(let target): instruction = target
            case .split(let first, let second):
                choices.append(Choice(instruction: second, position: position, limit: position, set: -1))
                instruction = first
            case .scalar(let set):
                if let next = next(position, in: set) {
                    position = next
                    instruction += 1
                } else {
                    succeeds = false
                }
            case .repeatScalar(let set, let min, let max, let mode):
                succeeds = repeatScalar(set, min, max, mode, instruction + 1, &position)
                instruction += 1
            case .look(let negative, let next):
                succeeds = (run(instruction + 1, position) != nil) != negative
                instruction = next
            case .atomic(let next):
                if let end = run(instruction + 1, position) {
                    position = end
                    instruction = next
                } else {
                    succeeds = false
                }
            case .start:
                succeeds = position == 0
                instruction += 1
            case .end:
                succeeds = position == count
                instruction += 1
            case .wordBoundary(let negative):
                succeeds = isWordBoundary(position) != negative
                instruction += 1
            }
            if !succeeds {
                guard let choice = goBack(to: floor) else { return nil }
                (instruction, position) = choice
            }
        }
    }

    @inline(__always)
    private func next(_ position: Int, in set: Int) -> Int? {
        guard position < count else { return nil }
        let (scalar, length) = UTF8Text.scalar(text, at: position)
        return sets[set].contains(scalar) ? position + length : nil
    }

    private mutating func repeatScalar(
        _ set: Int, _ min: Int, _ max: Int, _ mode: RepetitionMode, _ following: Int, _ position: inout Int
    ) -> Bool {
        var taken = 0
        var place = position
        while taken < min {
            guard let next = next(place, in: set) else { return false }
            place = next
            taken += 1
        }
        let least = place
        if mode == .lazy {
            // The most a lazy repetition may take is not bounded here beyond the text: bounded ones are expanded.
            choices.append(Choice(instruction: following, position: place, limit: count, set: set))
            position = place
            return true
        }
        while taken < max, let next = next(place, in: set) {
            place = next
            taken += 1
            steps -= 1
        }
        if mode == .greedy, place > least {
            choices.append(Choice(instruction: following, position: place, limit: least, set: -1))
        }
        position = place
        return true
    }

    /// The next choice that is left, or nil when there is none above `floor`.
    private mutating func goBack(to floor: Int) -> (instruction: Int, position: Int)? {
        while choices.count > floor {
            let choice = choices[choices.count - 1]
            if choice.set >= 0 {
                guard let next = next(choice.position, in: choice.set) else {
                    choices.removeLast()
                    continue
                }
                choices[choices.count - 1].position = next
                return (choice.instruction, next)
            }
            if choice.position > choice.limit {
                var position = choice.position - 1
                while text[position] & 0xC0 == 0x80 { position -= 1 }
                choices[choices.count - 1].position = position
                if position == choice.limit { choices.removeLast() }
                return (choice.instruction, position)
            }
            choices.removeLast()
            return (choice.instruction, choice.position)
        }
        return nil
    }

    private func isWordBoundary(_ position: Int) -> Bool {
        let before = position > 0 && isWord(UTF8Text.scalar(text, before: position).value)
        let after = position < count && isWord(UTF8Text.scalar(text, at: position).value)
        return before != after
    }

    private func isWord(_ scalar: UInt32) -> Bool { WordClass.of(scalar).contains(.regexWord) }
}
