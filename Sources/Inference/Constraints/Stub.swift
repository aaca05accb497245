import Text
final class TokenVocabulary: Sendable { let maskWords: Int; init(tokens: [[UInt8]], endOfText: [TokenID], count: Int?) { maskWords = ((count ?? 0) + 63) / 64 } }
final class CompiledConstraint: Sendable { let vocabulary: TokenVocabulary; init(_ c: Constraint, vocabulary: TokenVocabulary) throws { self.vocabulary = vocabulary }; func start() -> ConstraintState { ConstraintState(compiled: self) } }
struct ConstraintState: Sendable { let compiled: CompiledConstraint; var isFinished: Bool { false }
 @discardableResult mutating func advance(_ t: TokenID) -> Bool { true }
 @discardableResult func mask(into bits: UnsafeMutableBufferPointer<UInt64>, remainingTokens: Int? = nil) -> Bool { true } }
extension TokenizerSpecification { init(tokenizerJSON: JSONValue, config: JSONValue?) throws { fatalError() } }
