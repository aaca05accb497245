import Synchronization
import Text

/// A constraint made ready for one vocabulary. Make it once and share it: all sequences that decode under it share what it
/// learns about itself, and starting one costs nothing.
public final class CompiledConstraint: Sendable {
    public let constraint: Constraint
    public let vocabulary: TokenVocabulary
    /// Tokens that certainly suffice for a valid text.
    public let shortestText: Int
    /// Every use of the machine is short (at most a walk over the vocabulary), so a lock serves.
    private let machine: Mutex<StackMachine>

    /// - Throws: `ConstraintError` naming what cannot be guaranteed and where it stands.
    public init(
        _ constraint: Constraint, vocabulary: TokenVocabulary, limits: ConstraintLimits = ConstraintLimits()
    ) throws {
        self.constraint = constraint
        self.vocabulary = vocabulary
        let place = Self.place(of: constraint)
        let grammar = try Self.grammar(of: constraint, limits: limits)
        let distances: GrammarDistances
        do {
            distances = try GrammarDistances(grammar, vocabulary: vocabulary)
        } catch is LeftRecursion {
            throw ConstraintError(place, "refers to itself without anything in between")
        }
        let shortest = distances.ofRule[Int(grammar.root)]
        guard shortest != GrammarDistances.unreachable else {
            throw ConstraintError(
                place, "no text satisfies it, or none that the vocabulary's single-byte tokens can spell")
        }
        shortestText = Int(shortest)
        machine = Mutex(
            StackMachine(grammar, distances: distances, longestToken: vocabulary.longestToken, limits: limits))
    }

    private static func place(of constraint: Constraint) -> ConstraintError.Place {
        switch constraint {
        case .regex(let pattern): .regex(pattern: pattern, offset: 0)
        case .choice: .choice
        case .jsonSchema: .schema(pointer: "")
        }
    }

    private static func grammar(of constraint: Constraint, limits: ConstraintLimits) throws -> ByteGrammar {
        do {
            switch constraint {
            case .regex(let pattern):
                let automaton = try ScalarDFA.compile(pattern, limits: limits)
                var builder = GrammarBuilder(limits: limits)
                let rule = try builder.rule()
                builder.setFinal(try builder.automaton(automaton, from: rule.start, encoding: .plain))
                return builder.build(root: rule.id)
            case .choice(let options):
                guard !options.isEmpty else {
                    throw ConstraintError(.choice, "the list is empty; name at least one text")
                }
                var builder = GrammarBuilder(limits: limits)
                let rule = try builder.rule()
                try builder.tree(rule.start, of: options.map { Array($0.utf8) })
                return builder.build(root: rule.id)
            case .jsonSchema(let schema):
                return try JSONSchemaGrammar.compile(schema, limits: limits)
            }
        } catch let excess as TooComplex {
            throw ConstraintError(place(of: constraint), "too complex (\(excess.what))")
        }
    }

    /// The state before any text.
    public func start() -> ConstraintState {
        machine.withLock { machine in
            machine.trim()
            let id = machine.startState()
            return ConstraintState(compiled: self, key: machine.keys[Int(id)], id: id, epoch: machine.epoch)
        }
    }

    /// Runs `body` on the machine with the number of the state that `key` describes.
    fileprivate func with<Result: Sendable>(
        _ state: ConstraintState, _ body: (inout StackMachine, StackMachine.StateID) -> Result
    ) -> Result {
        machine.withLock { machine in
            machine.trim()
            return body(&machine, machine.resolve(state.key, state.id, epoch: state.epoch))
        }
    }

    fileprivate func advance(_ state: inout ConstraintState, _ bytes: some Sequence<UInt8>) -> Bool {
        let old = state
        let reached = with(old) { machine, start -> ConstraintState? in
            var current = start
            for byte in bytes {
                current = machine.next(current, byte)
                if current == StackMachine.dead { return nil }
            }
            return ConstraintState(
                compiled: self, key: machine.keys[Int(current)], id: current, epoch: machine.epoch)
        }
        guard let reached else { return false }
        state = reached
        return true
    }
}

/// How far a text has come under a constraint. A small value: copy it to fork a sequence.
public struct ConstraintState: Sendable {
    public let compiled: CompiledConstraint
    fileprivate let key: [UInt64]
    fileprivate let id: StackMachine.StateID
    fileprivate let epoch: Int
    /// An end-of-text token was taken: nothing may follow.
    public private(set) var hasEnded = false

    fileprivate init(compiled: CompiledConstraint, key: [UInt64], id: StackMachine.StateID, epoch: Int) {
        self.compiled = compiled
        self.key = key
        self.id = id
        self.epoch = epoch
    }

    /// The text may end here.
    public var isAccepting: Bool { key.first == 0 }

    /// The text is complete: nothing but its end is possible.
    public var isFinished: Bool { hasEnded || key == [0] }

    /// A number of tokens that certainly suffices to complete the text, the end-of-text token not counted.
    public var closingBudget: Int {
        hasEnded ? 0 : compiled.with(self) { machine, id in Int(machine.distance[Int(id)]) }
    }

    /// Fills `bits` (at least `vocabulary.maskWords` words, bit i of word w is token 64w + i) with the tokens that may come
    /// next, end-of-text tokens among them where the text may end.
    ///
    /// - Parameter remainingTokens: how many tokens may yet be generated, this one included. Then only tokens are permitted
    ///   behind which the text can still be completed in time; nil: no limit.
    /// - Returns: false when the text cannot surely be completed in `remainingTokens`; the mask then holds the tokens that
    ///   lead nearest to the end. At least one token is permitted unless the text is finished and has no end-of-text token.
    @discardableResult
    public func mask(into bits: UnsafeMutableBufferPointer<UInt64>, remainingTokens: Int? = nil) -> Bool {
        let words = compiled.vocabulary.maskWords
        precondition(bits.count >= words, "a mask needs \(words) words, not \(bits.count)")
        let target = UnsafeMutableBufferPointer(rebasing: bits[..<words])
        guard !hasEnded else {
            target.update(repeating: 0)
            return true
        }
        // The lock's body may not capture the pointer, which is not Sendable; its address is a plain number.
        let address = UInt(bitPattern: target.baseAddress)
        return compiled.with(self) { machine, id in
            let bits = UnsafeMutableBufferPointer(
                start: UnsafeMutablePointer<UInt64>(bitPattern: address), count: words)
            return machine.mask(of: id, remaining: remainingTokens, compiled.vocabulary, into: bits)
        }
    }

    /// Takes a token.
    ///
    /// - Returns: false, and nothing changes, when the token may not come next.
    @discardableResult
    public mutating func advance(_ token: TokenID) -> Bool {
        guard !hasEnded else { return false }
        if compiled.vocabulary.endOfText.contains(token) {
            guard isAccepting else { return false }
            hasEnded = true
            return true
        }
        let bytes = compiled.vocabulary.bytes(of: token)
        return !bytes.isEmpty && compiled.advance(&self, bytes)
    }

    /// Takes text, whatever its tokens.
    ///
    /// - Returns: false, and nothing changes, when the text may not come next.
    @discardableResult
    public mutating func advance(bytes: some Sequence<UInt8>) -> Bool {
        !hasEnded && compiled.advance(&self, bytes)
    }

    /// The bytes that must come next, as long as there is no choice, at most `limit`; empty where the text may end.
    public func forcedBytes(limit: Int = 256) -> [UInt8] {
        guard !hasEnded else { return [] }
        return compiled.with(self) { machine, id in
            var current = id
            var forced: [UInt8] = []
            while forced.count < limit, !machine.isAccepting(current) {
                let followers = machine.followers(current, limit: 2)
                guard followers.count == 1 else { break }
                forced.append(followers[0])
                current = machine.next(current, followers[0])
            }
            return forced
        }
    }

    /// The only token that may come next, if there is just one.
    public func forcedToken() -> TokenID? {
        var words = [UInt64](repeating: 0, count: compiled.vocabulary.maskWords)
        words.withUnsafeMutableBufferPointer { bits in _ = mask(into: bits) }
        var found: TokenID?
        for (index, word) in words.enumerated() where word != 0 {
            guard found == nil, word.nonzeroBitCount == 1 else { return nil }
            found = TokenID(index * 64 + word.trailingZeroBitCount)
        }
        return found
    }
}
