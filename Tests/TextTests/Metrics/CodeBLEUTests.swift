import Foundation
import Testing
import Text

/// CodeBLEU and the trees that it compares against what Tests/Golden/code_bleu.py makes with the package codebleu.
@Suite struct CodeBLEUTests {
    private let document: JSONValue

    init() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Golden/code_bleu.json")
        document = try JSONValue(parsing: [UInt8](try Data(contentsOf: path)))
    }

    @Test func treesAreTheGrammars() throws {
        let trees = document["trees"]?.arrayValue ?? []
        try #require(trees.count == 40)
        for item in trees {
            let program = try #require(item["program"]?.stringValue)
            let tree = PythonTree(of: program)
            #expect(tree.expression == item["tree"]?.stringValue, "\(program)")
            #expect(tree.subtrees.contains(tree.expression))
        }
    }

    @Test func scoresAgree() throws {
        let programs = (document["programs"]?.arrayValue ?? []).compactMap(\.stringValue)
        let pairs = document["pairs"]?.arrayValue ?? []
        try #require(pairs.count == 144)
        let weights = CodeBLEU.Weights(words: 0.15, keywords: 0.15, syntax: 0.35, dataFlow: 0.35)
        for pair in pairs {
            let (first, second) = (pair["program"]?.intValue ?? 0, pair["reference"]?.intValue ?? 0)
            let score = CodeBLEU(programs[first], reference: programs[second], weights: weights)
            let parts = [
                ("ngram", score.words), ("weighted_ngram", score.keywords), ("syntax", score.syntax),
                ("dataflow", score.dataFlow ?? 0), ("codebleu", score.score),
            ]
            for (name, value) in parts {
                let expected = try #require(pair[name]?.doubleValue)
                #expect(abs(value - expected) < 1e-9, "\(name) of \(first) against \(second): \(value), \(expected)")
            }
        }
    }

    @Test func commentsAndDescriptionsDoNotCount() {
        let plain = "def f(x):\n    y = x + 1\n    return y\n"
        let told = "# what it does\ndef f(x):\n    \"\"\"Adds.\"\"\"\n    y = x + 1  # one\n    return y\n"
        let score = CodeBLEU(told, reference: plain)
        #expect(score.syntax == 1)
        #expect(score.dataFlow == 1)
    }

    @Test func anythingCanBeCompared() {
        let texts = [
            "", "def", "((((", "x = (1", "'open", "a $ b", String(repeating: "(", count: 5_000),
            String(repeating: "not ", count: 5_000) + "x", String(repeating: "-", count: 5_000) + "x",
            (0..<300).map { String(repeating: " ", count: $0) + "if x:\n" }.joined(),
            "if x:\nprint(1)\n", "    x = 1", "f'{f\"{f'{a}'}\"}'", "\\", "1e", "f'{'",
        ]
        for text in texts {
            let score = CodeBLEU(text, reference: "x = 1\nprint(x)\n").score
            #expect(score >= 0 && score <= 1)
            #expect(CodeBLEU("x = 1\n", reference: text).score.isFinite)
        }
        // What stands behind a line that can't be read is read again.
        #expect(
            PythonTree(of: "x = = 1\ny = 2\n").expression
                == "(module (ERROR) (expression_statement (assignment left: (identifier) right: (integer))))")
    }
}
