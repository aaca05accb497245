/// A world that an agent acts in, one episode at a time.
///
///     var observation = try await world.reset(seed: 7)
///     while !isDone { step = try await world.step(policy(observation)); … }
///
/// An action that can't be carried out throws and leaves the episode as it was: whether to go on is the agent's decision.
public protocol Environment<Observation, Action>: Sendable {
    associatedtype Observation: Sendable
    associatedtype Action: Sendable

    /// Starts an episode. The same seed makes the same episode.
    func reset(seed: UInt64) async throws -> Observation

    /// What there is to see now, without acting.
    func observe() async throws -> Observation

    /// Acts once.
    func step(_ action: Action) async throws -> EnvironmentStep<Observation>
}

/// What came of an action.
public struct EnvironmentStep<Observation: Sendable>: Sendable {
    public var observation: Observation
    /// What this action earned; in most worlds 0 until the end.
    public var reward: Double
    /// Whether the episode is over.
    public var isDone: Bool

    public init(observation: Observation, reward: Double, isDone: Bool) {
        self.observation = observation
        self.reward = reward
        self.isDone = isDone
    }
}

extension EnvironmentStep: Equatable where Observation: Equatable {}
