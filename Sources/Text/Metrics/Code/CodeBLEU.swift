#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// CodeBLEU of Python programs: how like a reference a program is in its words, its syntax and its flow of data.
///
///     CodeBLEU = α · BLEU + β · BLEUweighted + γ · match of syntax trees + δ · match of data flow
///
/// BLEUweighted counts recalled words of the reference, keywords five times as much as others. The match of trees is the share of
/// the reference's subtrees, leaves' names left out, that the program has; that of data flow the share of its edges between
/// variables, which are numbered by appearance. Comments and descriptions don't count.
///
/// Agrees with the package `codebleu` 0.7 (words cut at white space, empty counts smoothed to 0.1), and takes 1 for the flow of data
/// where the reference has none or nothing of it matches, as that package does. Programs that can't be read as Python 3 have a
/// tree that matches little.
///
/// Source: Ren et al., "CodeBLEU: a Method for Automatic Evaluation of Code Synthesis" (2020), arXiv:2009.10297.
public struct CodeBLEU: Sendable, Hashable {
    public struct Weights: Sendable, Hashable {
        public var words: Double
        public var keywords: Double
        public var syntax: Double
        public var dataFlow: Double

        public init(words: Double = 0.25, keywords: Double = 0.25, syntax: Double = 0.25, dataFlow: Double = 0.25) {
            self.words = words
            self.keywords = keywords
            self.syntax = syntax
            self.dataFlow = dataFlow
        }
    }

    /// Each from 0 to 1.
    public var words: Double
    public var keywords: Double
    public var syntax: Double
    /// nil where the reference has no flow of data.
    public var dataFlow: Double?
    public var score: Double

    public init(_ program: String, reference: String, weights: Weights = Weights()) {
        let (mine, theirs) = (Self.words(of: program), Self.words(of: reference))
        words = Self.bleu(mine, theirs, keywords: nil)
        keywords = Self.bleu(mine, theirs, keywords: Self.keywords)
        let (tree, expected) = (PythonTree(of: program), PythonTree(of: reference))
        let known = Set(tree.subtrees)
        let subtrees = expected.subtrees
        syntax = Double(subtrees.count { known.contains($0) }) / Double(subtrees.count)
        dataFlow = Self.flow(PythonDataFlow(tree).patterns, PythonDataFlow(expected).patterns)
        let flow = dataFlow.flatMap { $0 > 0 ? $0 : nil } ?? 1
        score =
            weights.words * words + weights.keywords * keywords + weights.syntax * syntax + weights.dataFlow * flow
    }

    private static let keywords = PythonTreeParser.keywords.union(["match", "case", "type"])

    private static func words(of program: String) -> [String] {
        program.split(whereSeparator: \.isNewline).flatMap { line -> [String] in
            let line = line.drop(while: \.isWhitespace).hasPrefix("#") ? "" : line
            return Words.separated(line)
        }
    }

    /// - Parameter keywords: counts how many of the reference's runs the program has, single words weighted, instead of how many of
    ///   the program's the reference has.
    private static func bleu(_ program: [String], _ reference: [String], keywords: Set<String>?) -> Double {
        guard !program.isEmpty, !reference.isEmpty else { return 0 }
        var logarithm = 0.0
        for n in 1...4 {
            let (mine, theirs) = (NGrams.counts(program, n: n), NGrams.counts(reference, n: n))
            var (shared, all) = (0.0, 0.0)
            for (run, count) in keywords == nil ? mine : theirs {
                let weight = n == 1 && keywords.map { !$0.contains(run.first ?? "") } ?? false ? 0.2 : 1
                shared += weight * Double(min(count, (keywords == nil ? theirs : mine)[run] ?? 0))
                all += weight * Double(count)
            }
            if n == 1, shared == 0 { return 0 }
            logarithm += log((shared == 0 ? 0.1 : shared) / max(1, all)) / 4
        }
        // Recall needs no penalty for what is short; the package's is that of a reference of two words.
        let length = keywords == nil ? reference.count : 2
        let penalty = program.count > length ? 1 : exp(1 - Double(length) / Double(program.count))
        return penalty * exp(logarithm)
    }

    private static func flow(_ mine: [PythonDataFlow.Pattern], _ theirs: [PythonDataFlow.Pattern]) -> Double? {
        guard !theirs.isEmpty else { return nil }
        var left = Dictionary(mine.map { ($0, 1) }, uniquingKeysWith: +)
        let matched = theirs.count { pattern in
            guard let count = left[pattern], count > 0 else { return false }
            left[pattern] = count - 1
            return true
        }
        return Double(matched) / Double(theirs.count)
    }
}
