import Testing
import Text

@Suite struct FencedTextTests {
    @Test(arguments: [
        ("a\n```python\nx = 1\n\ny = 2\n```\nb", ["x = 1\n\ny = 2"]), ("```\none\n```\n```\ntwo\n```", ["one", "two"]),
        ("no fence\nat all", ["no fence\nat all"]), ("", []), (" \n", []), ("```\n```", []),
        // Begun by what stood before it.
        ("    return x\n```\nThat was it.", ["    return x"]),
        // Cut short.
        ("Here:\n```py\nx = 1", ["x = 1"]), ("  ```\n  kept\n  ```", ["  kept"]),
    ])
    func blocks(text: String, blocks: [String]) {
        #expect(FencedText.blocks(text) == blocks)
    }
}
