extension ScalarDFA {
    /// The smallest automaton for the same language, without states from which no text is accepted.
    func minimized() -> ScalarDFA {
        let alive = coreachable()
        guard alive[start] else { return .none }
        // The last state of the completed table is the dead one: every text that leads nowhere ends there.
        let dead = Int32(stateCount)
        var complete = transitions.map { $0 < 0 || !alive[Int($0)] ? dead : $0 }
        for state in 0..<stateCount where !alive[state] {
            for index in 0..<classCount { complete[state * classCount + index] = dead }
        }
        complete += [Int32](repeating: dead, count: classCount)
        var minimizer = Minimizer(transitions: complete, accepting: accepting + [false], classCount: classCount)
        let raw = minimizer.blocks()
        // Blocks are numbered anew in the order of their first state, the dead one left out.
        var numbers: [Int: Int] = [:]
        let block = (0..<stateCount).map { state in
            guard alive[state] else { return -1 }
            let fresh = numbers.count
            return numbers[raw[state]]
                ?? {
                    numbers[raw[state]] = fresh; return fresh
                }()
        }
        return quotient(block: block, blockCount: numbers.count)
    }

    private func quotient(block: [Int], blockCount: Int) -> ScalarDFA {
        var small = [Int32](repeating: -1, count: blockCount * classCount)
        var accepts = [Bool](repeating: false, count: blockCount)
        for state in 0..<stateCount where block[state] >= 0 {
            accepts[block[state]] = accepting[state]
            for index in 0..<classCount {
                let target = transitions[state * classCount + index]
                if target >= 0, block[Int(target)] >= 0 {
                    small[block[state] * classCount + index] = Int32(block[Int(target)])
                }
            }
        }
        return ScalarDFA(
            segmentStarts: segmentStarts, segmentClass: segmentClass, classCount: classCount, transitions: small,
            accepting: accepts, start: block[start]
        ).withMergedClasses()
    }

    /// Joins classes that no state tells apart.
    private func withMergedClasses() -> ScalarDFA {
        var numbers: [[Int32]: Int] = [:]
        var columns: [[Int32]] = []
        var newClass = [Int](repeating: 0, count: classCount)
        for index in 0..<classCount {
            let column = (0..<stateCount).map { transitions[$0 * classCount + index] }
            if let known = numbers[column] {
                newClass[index] = known
            } else {
                newClass[index] = columns.count
                numbers[column] = columns.count
                columns.append(column)
            }
        }
        var table = [Int32](repeating: -1, count: stateCount * columns.count)
        for (index, column) in columns.enumerated() {
            for state in 0..<stateCount { table[state * columns.count + index] = column[state] }
        }
        var starts: [UInt32] = []
        var classes: [Int] = []
        for (segment, first) in segmentStarts.enumerated() {
            let merged = newClass[segmentClass[segment]]
            if classes.last != merged {
                starts.append(first)
                classes.append(merged)
            }
        }
        return ScalarDFA(
            segmentStarts: starts, segmentClass: classes, classCount: columns.count, transitions: table,
            accepting: accepting, start: start)
    }

    /// For every state, whether some text leads from it to acceptance.
    private func coreachable() -> [Bool] {
        var incoming = [[Int32]](repeating: [], count: stateCount)
        for state in 0..<stateCount {
            for index in 0..<classCount {
                let target = transitions[state * classCount + index]
                if target >= 0 { incoming[Int(target)].append(Int32(state)) }
            }
        }
        var alive = accepting
        var stack = (0..<stateCount).filter { accepting[$0] }
        while let state = stack.popLast() {
            for source in incoming[state] where !alive[Int(source)] {
                alive[Int(source)] = true
                stack.append(Int(source))
            }
        }
        return alive
    }

    /// The texts that both accept. - Throws: `TooComplex`.
    func intersection(_ other: ScalarDFA, limits: ConstraintLimits) throws -> ScalarDFA {
        try product(other, limits: limits) { $0 && $1 }
    }

    /// The texts that this accepts and the other does not. - Throws: `TooComplex`.
    func subtracting(_ other: ScalarDFA, limits: ConstraintLimits) throws -> ScalarDFA {
        try product(other, limits: limits) { $0 && !$1 }
    }

    /// The texts that either accepts. - Throws: `TooComplex`.
    func union(_ other: ScalarDFA, limits: ConstraintLimits) throws -> ScalarDFA {
        try product(other, limits: limits) { $0 || $1 }
    }

    /// Runs both side by side (-1: that one is dead) and accepts as `accepts` says of the two.
    private func product(
        _ other: ScalarDFA, limits: ConstraintLimits, accepts: (Bool, Bool) -> Bool
    ) throws -> ScalarDFA {
        let starts = Set(segmentStarts + other.segmentStarts).sorted()
        var classes: [Int] = []
        var pairs: [(Int, Int)] = []
        var numberOfPair: [Int: Int] = [:]
        var mine = 0
        var theirs = 0
        for first in starts {
            while mine + 1 < segmentStarts.count, segmentStarts[mine + 1] <= first { mine += 1 }
            while theirs + 1 < other.segmentStarts.count, other.segmentStarts[theirs + 1] <= first { theirs += 1 }
            let pair = (segmentClass[mine], other.segmentClass[theirs])
            let key = pair.0 * other.classCount + pair.1
            if let known = numberOfPair[key] {
                classes.append(known)
            } else {
                numberOfPair[key] = pairs.count
                classes.append(pairs.count)
                pairs.append(pair)
            }
        }
        struct Pair: Hashable {
            var mine: Int32
            var theirs: Int32
        }
        func accepted(_ pair: Pair) -> Bool {
            accepts(
                pair.mine >= 0 && accepting[Int(pair.mine)], pair.theirs >= 0 && other.accepting[Int(pair.theirs)])
        }
        let first = Pair(mine: Int32(start), theirs: Int32(other.start))
        var numbers = [first: 0]
        var states = [first]
        var table: [Int32] = []
        var current = 0
        while current < states.count {
            let state = states[current]
            for (a, b) in pairs {
                let target = Pair(
                    mine: state.mine < 0 ? -1 : transitions[Int(state.mine) * classCount + a],
                    theirs: state.theirs < 0 ? -1 : other.transitions[Int(state.theirs) * other.classCount + b])
                if target.mine < 0, target.theirs < 0 {
                    table.append(-1)
                } else if let known = numbers[target] {
                    table.append(Int32(known))
                } else {
                    guard states.count < limits.automatonStates, table.count < limits.automatonWork else {
                        throw TooComplex(what: "more than \(limits.automatonStates) states")
                    }
                    numbers[target] = states.count
                    table.append(Int32(states.count))
                    states.append(target)
                }
            }
            current += 1
        }
        return ScalarDFA(
            segmentStarts: starts, segmentClass: classes, classCount: pairs.count, transitions: table,
            accepting: states.map(accepted), start: 0
        ).minimized()
    }

    /// The texts of this language with at least `minimum` and at most `maximum` scalars. - Throws: `TooComplex`.
    func limited(minimum: Int, maximum: Int?, limits: ConstraintLimits) throws -> ScalarDFA {
        if minimum == 0, maximum == nil { return self }
        let lengths = RegexNode.repetition(.set(.all), minimum: minimum, maximum: maximum)
        return try intersection(ScalarDFA(lengths, limits: limits), limits: limits)
    }
}

extension ScalarDFA {
    /// An automaton from a description of its states, explored from `start` over the characters of `alphabet`.
    ///
    /// - Throws: `TooComplex`.
    static func exploring<State: Hashable>(
        from start: State, alphabet: [UInt8], limits: ConstraintLimits, step: (State, UInt8) -> State?,
        accepts: (State) -> Bool
    ) throws -> ScalarDFA {
        let letters = alphabet.sorted()
        // Class 0 is everything outside the alphabet.
        var starts: [UInt32] = [0]
        var classes = [0]
        for (index, letter) in letters.enumerated() {
            let value = UInt32(letter)
            if starts.last == value {
                classes[classes.count - 1] = index + 1
            } else {
                starts.append(value)
                classes.append(index + 1)
            }
            starts.append(value + 1)
            classes.append(0)
        }
        var numbers = [start: 0]
        var states = [start]
        var table: [Int32] = []
        var current = 0
        while current < states.count {
            table.append(-1)
            for letter in letters {
                guard let target = step(states[current], letter) else {
                    table.append(-1)
                    continue
                }
                if let known = numbers[target] {
                    table.append(Int32(known))
                    continue
                }
                guard states.count < limits.automatonStates else {
                    throw TooComplex(what: "more than \(limits.automatonStates) states")
                }
                numbers[target] = states.count
                table.append(Int32(states.count))
                states.append(target)
            }
            current += 1
        }
        return ScalarDFA(
            segmentStarts: starts, segmentClass: classes, classCount: letters.count + 1, transitions: table,
            accepting: states.map(accepts), start: 0
        ).minimized()
    }

    /// The tree of a list of texts, as an automaton that accepts exactly them. - Throws: `TooComplex`.
    static func choice(of texts: [String], limits: ConstraintLimits) throws -> ScalarDFA {
        let scalars = Set(texts.flatMap { $0.unicodeScalars.map(\.value) }).sorted()
        var classOf: [UInt32: Int] = [:]
        // Class 0 is everything that occurs in no text.
        var starts: [UInt32] = [0]
        var classes = [0]
        for (index, scalar) in scalars.enumerated() {
            classOf[scalar] = index + 1
            if starts.last == scalar {
                classes[classes.count - 1] = index + 1
            } else {
                starts.append(scalar)
                classes.append(index + 1)
            }
            if scalar < ScalarSet.last {
                starts.append(scalar + 1)
                classes.append(0)
            }
        }
        let classCount = scalars.count + 1
        var table = [Int32](repeating: -1, count: classCount)
        var accepting = [false]
        for text in texts {
            var state = 0
            for scalar in text.unicodeScalars {
                let slot = state * classCount + (classOf[scalar.value] ?? 0)
                if table[slot] < 0 {
                    guard accepting.count < limits.automatonStates, table.count < limits.automatonWork else {
                        throw TooComplex(what: "more than \(limits.automatonStates) states")
                    }
                    table[slot] = Int32(accepting.count)
                    table += [Int32](repeating: -1, count: classCount)
                    accepting.append(false)
                }
                state = Int(table[slot])
            }
            accepting[state] = true
        }
        return ScalarDFA(
            segmentStarts: starts, segmentClass: classes, classCount: classCount, transitions: table,
            accepting: accepting, start: 0
        ).minimized()
    }
}
