import Decoding
import Laboratory
import Testing

@Suite struct USCDLamePromptTests {
    private let prompt = """
        from typing import List


        def f(x: int) -> int:
            \"\"\" Add something to x.
            For example:
            >>> f(1)
            4
            >>> f(
            ...     2)
            5

            Never fails.
            >>> f(3)
            6
            \"\"\"

        """

    @Test func docstringExamplesGoAndAllElseStays() {
        #expect(
            LamePrompt(.docstring)(prompt) == """
                from typing import List


                def f(x: int) -> int:
                    \"\"\" Add something to x.
                    For example:

                    Never fails.
                    \"\"\"

                """)
        #expect(!LamePrompt(.docstring, removesReferences: true)(prompt).contains("For example"))
    }

    @Test func someExamplesMayStay() {
        let one = LamePrompt(.docstring, keptExamples: 1)(prompt)
        #expect(one.contains("f(1)\n    4\n"))
        #expect(!one.contains("f(\n") && !one.contains("f(3)"))
        #expect(LamePrompt(.docstring, keptExamples: 3)(prompt) == prompt)
    }

    @Test func aDocstringThatEndsOnAnOutputKeepsItsEnd() {
        let tight = "def f():\n    \"\"\"Say it.\n    >>> f()\n    'abc'\"\"\"\n    return "
        #expect(LamePrompt(.docstring)(tight) == "def f():\n    \"\"\"Say it.\n    \"\"\"\n    return ")
        let one = "def f():\n    \"\"\"\n    >>> f() \"\"\"\n"
        #expect(LamePrompt(.docstring)(one) == "def f():\n    \"\"\"\n    \"\"\"\n")
    }

    @Test func testsGo() {
        let prompt = "\"\"\"\nWrite f.\nassert f(1) == 2\nf(2) == 3\n\"\"\"\n"
        #expect(LamePrompt(.tests)(prompt, tests: ["f(2) == 3"]) == "\"\"\"\nWrite f.\n\"\"\"\n")
        #expect(
            LamePrompt(.tests, keptExamples: 1)(prompt) == "\"\"\"\nWrite f.\nassert f(1) == 2\nf(2) == 3\n\"\"\"\n")
    }

    @Test func nothingButTheCodeStays() {
        #expect(
            LamePrompt(.null)(
                "import os\n# note\ndef f():\n    \"\"\"One line.\"\"\"\n    '''\n    two\n    '''\n    return ")
                == "import os\ndef f():\n    return ")
    }

    @Test func promptsOfTheDemoEndAlike() {
        var generator = SeededGenerator(seed: 1)
        let functions = ExampleOnlyFunction.make(60, using: &generator)
        #expect(functions.count == 60)
        for function in functions {
            let end = "    \"\"\"\n    return x \(function.operation.rawValue) "
            #expect(function.prompt.hasSuffix(end) && function.lamePrompt.hasSuffix(end))
            #expect(function.lamePrompt == "def f(x):\n    \"\"\"Return the result for x.\n\n" + end)
            #expect(function.prompt.ranges(of: ">>>").count == 3)
        }
        #expect(Set(functions.prefix(24).map { "\($0.operation)\($0.constant)" }).count == 24)
    }
}
