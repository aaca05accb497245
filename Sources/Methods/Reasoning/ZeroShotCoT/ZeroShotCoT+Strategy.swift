import Inference
import Laboratory

extension ZeroShotCoT {
    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        KojimaStrategy(.zeroShotCoT, options: options)
    }
}

/// The two ways of asking of Kojima et al. as strategies. The answer is the first one of the last reply, read and compared by the
/// shared grader instead of the paper's string rules, so that all strategies of a table are judged alike.
struct KojimaStrategy: ReasoningStrategy {
    let variant: ReasoningVariant
    let options: ZeroShotCoT.Options

    init(_ variant: ReasoningVariant, options: ZeroShotCoT.Options = .init()) {
        self.variant = variant
        self.options = options
    }

    var name: String { variant == .zeroShot ? DirectStrategy.name : variant.rawValue }

    func solve(_ inquiry: Inquiry) async throws -> Solution {
        let runner = ReasoningRunner(inquiry, frame: try ZeroShotCoT().frame(options, of: inquiry), options: options)
        let trigger = ReasoningTrigger.named(options.trigger) ?? options.trigger
        let outcome = try await runner.outcome(
            ReasoningArm(variant, trigger: trigger), of: ReasoningItem(inquiry.question))
        // The replies alone, prompts left out: reasoning and answer, or the answer.
        let replies = outcome.steps.indices.filter { !$0.isMultiple(of: 2) }.map { outcome.steps[$0].text }
        return Solution(
            answer: Grader(inquiry.question.kind).first(in: replies.last ?? ""),
            text: replies.map(\.trimmingSpaces).joined(separator: "\nThe answer is "))
    }
}

/// Asks for the answer at once: what every strategy is compared with.
public struct DirectStrategy: ReasoningStrategy {
    public static let name = "direct"

    public init() {}

    public var name: String { Self.name }

    public func solve(_ inquiry: Inquiry) async throws -> Solution {
        try await KojimaStrategy(.zeroShot).solve(inquiry)
    }
}
