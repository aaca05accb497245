import Tensors
import Text

/// Two answers to one prompt, the first preferred.
public struct PreferencePair: Sendable, Hashable {
    public var chosen: TokenSequence
    public var rejected: TokenSequence

    public init(chosen: TokenSequence, rejected: TokenSequence) {
        self.chosen = chosen
        self.rejected = rejected
    }

    public init(prompt: [TokenID], chosen: [TokenID], rejected: [TokenID]) {
        self.init(
            chosen: TokenSequence(prompt: prompt, completion: chosen),
            rejected: TokenSequence(prompt: prompt, completion: rejected))
    }
}

/// An objective over preference pairs: what is common to DPO and its kin.
public protocol PreferenceObjective: Objective where Sample == PreferencePair {}

extension PreferenceObjective {
    public func texts(of sample: PreferencePair) -> [TokenSequence] { [sample.chosen, sample.rejected] }
}

extension Tensor {
    /// A tensor [2 · n] that alternates between chosen and rejected, as two tensors [n].
    var chosenAndRejected: (chosen: Tensor, rejected: Tensor) {
        let pairs = reshaped([-1, 2])
        return (pairs.at(1, 0), pairs.at(1, 1))
    }
}

/// The figures that show whether preference learning works: rewards of both answers, how often the chosen one's is larger, and by how much.
func preferenceFigures(chosen: Tensor, rejected: Tensor) -> [String: Double] {
    let pairs = zip(chosen.floats(), rejected.floats())
    var sums = ["chosen reward": 0.0, "rejected reward": 0.0, "accuracy": 0.0, "margin": 0.0]
    for (better, worse) in pairs {
        sums["chosen reward", default: 0] += Double(better)
        sums["rejected reward", default: 0] += Double(worse)
        sums["accuracy", default: 0] += better > worse ? 1 : 0
        sums["margin", default: 0] += Double(better - worse)
    }
    return sums
}
