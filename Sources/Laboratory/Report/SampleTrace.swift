/// One item of a run with what each arm made of it: what a reader opens to see for himself.
public struct SampleTrace: Sendable, Hashable, Codable {
    /// Names the item: its position or its identifier in the data set.
    public var id: String
    /// What every arm was given.
    public var input: String
    /// What would be right; empty where nothing is.
    public var expected: String
    public var arms: [Arm]

    public init(_ id: String, input: String, expected: String = "", arms: [Arm]) {
        self.id = id
        self.input = input
        self.expected = expected
        self.arms = arms
    }

    /// One arm's answer: the baseline's, the method's.
    public struct Arm: Sendable, Hashable, Codable {
        public var name: String
        public var output: String
        /// Whether it was right; nil where that isn't asked.
        public var isCorrect: Bool?
        public var score: Double?
        /// What happened on the way, in order: prompts, drafts, searches.
        public var steps: [Step]

        public init(
            _ name: String, _ output: String, isCorrect: Bool? = nil, score: Double? = nil, steps: [Step] = []
        ) {
            self.name = name
            self.output = output
            self.isCorrect = isCorrect
            self.score = score
            self.steps = steps
        }
    }

    public struct Step: Sendable, Hashable, Codable {
        public var name: String
        public var text: String

        public init(_ name: String, _ text: String) {
            self.name = name
            self.text = text
        }
    }
}
