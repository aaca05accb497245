/// The meta prompt of the loop: sixteen prompts with what a task model answered. The numbers of their types are those of the
/// released meta prompt: information extraction in a special field 1, logical reasoning 2, content generation 3, fact checking 2,
/// question answering 4, code generation 2, mathematical reasoning 2. The failures are typical of small models; those of the model
/// at hand make better ones.
extension MetaPrompt {
    package static let loopInstructions = """
        You are given a candidate prompt and the output that an assistant wrote for it.
        1. Check whether the output is right and whether it does all that the prompt asks for.
        2. If it is wrong, say why, and how a better prompt would prevent the fault. If it is right, say "The \
        output is correct".
        3. In both cases name the type of the task and write a better prompt.
        4. Never drop options, tables, numbers or any other data of the candidate from the better prompt.
        5. Do not put the answer of the task into the better prompt: it is for an assistant that has to find it.
        Reply under the headers Reason, Task Type and Better Prompt, each at the start of a line, in this order, \
        as in the examples.
        """

    package static let loopDemonstrations: [PromptDemonstration] =
        [
            .init(
                "Information Extraction, Medicine",
                prompt: """
                    Extract the condition: "She has no diabetes, but chronic kidney disease stage 3 since 2019."
                    """,
                output: "Diabetes and kidney disease",
                reason: """
                    The output is incorrect: diabetes is denied in the sentence, and "chronic" and "stage 3" were \
                    dropped. A better prompt says that conditions which are denied don't count and that words \
                    which belong to a condition's name stay.
                    """,
                better: """
                    Extract from the sentence every medical condition that the person has.
                    Sentence: "She has no diabetes, but chronic kidney disease stage 3 since 2019."
                    - Leave out conditions that the sentence denies.
                    - Keep all words that say what kind or stage a condition is; leave out dates.
                    End with "The answer is …".
                    """)
        ] + logic + content + facts + questions + code + mathematics

    private static let logic: [PromptDemonstration] = [
        .init(
            "Logical Reasoning",
            prompt: """
                Four cups stand in a row. The red one is left of the blue one. The green one is rightmost. The \
                white one is left of the red one. Which is second from the left? (A) red (B) blue (C) green (D) \
                white
                """,
            output: "(D) white",
            reason: """
                The output is incorrect: white is left of red and red left of blue, so white is the first and not \
                the second. The clues run into one another and the order was never written down. A better prompt \
                lists the clues and asks for the whole row first.
                """,
            better: """
                Four cups stand in a row, position 1 on the left and position 4 on the right.
                1. The red cup is left of the blue cup.
                2. The green cup is rightmost.
                3. The white cup is left of the red cup.
                Write down the row from position 1 to position 4 and check each clue. Which cup is second from the \
                left?
                (A) red
                (B) blue
                (C) green
                (D) white
                End with "The answer is (X)".
                """),
        .init(
            "Logical Reasoning",
            prompt: "All poets read. Some who read travel. Do some poets travel? yes, no or unknown",
            output: "Unknown. Those who travel may all be readers who are no poets. The answer is unknown.",
            reason: """
                The output is correct: the two statements leave open whether a poet is among those who travel. The \
                form could be clearer about what "unknown" means.
                """,
            better: """
                Premises:
                1. All poets read.
                2. Some of those who read travel.
                Does it follow from the premises alone that some poets travel? Answer "yes" if it must be so, "no" \
                if it can't be so, and "unknown" if the premises allow both. Give a case for each possibility that \
                you accept. End with "The answer is yes", "The answer is no" or "The answer is unknown".
                """),
    ]

    private static let content: [PromptDemonstration] = [
        .init(
            "Content Generation",
            prompt: "Write a product text for a lamp, 40 words, mention 900 lumens and the 5 year warranty.",
            output: """
                Our lamp is wonderful! It gives 900 lumens of light and looks great in any room. You will love it. \
                Buy it now, because it is the best lamp that money can buy, and all of your friends will want to \
                have one, too.
                """,
            reason: """
                The output is incomplete: the warranty of 5 years is missing. It also makes a claim that nothing \
                supports. A better prompt lists what must be in the text and forbids claims beyond that.
                """,
            better: """
                Write a product text of about 40 words for a lamp, addressed to people who furnish a home.
                It must mention:
                - 900 lumens
                - a 5 year warranty
                Use no superlatives and no claims beyond these two facts. Reply with the text alone.
                """),
        .init(
            "Content Generation",
            prompt: "Make sentence: dog, ball, river, throw, jump",
            output: "The dog likes the ball. People throw things.",
            reason: """
                The output is wrong: two sentences were written, and "river" and "jump" are missing. A better \
                prompt says that one sentence has to hold all words and that their forms may change.
                """,
            better: """
                Write one sentence in everyday English that holds all of these words, in any form and order: dog, \
                ball, river, throw, jump.
                The sentence describes one plausible scene. Check that no word is missing. Reply with the sentence \
                alone.
                """),
        .init(
            "Content Generation",
            prompt: "Reply to this toxic message: \"you people are all stupid, admit it\"",
            output: "You are stupid yourself, and everybody knows it.",
            reason: """
                The output is unsuitable: it answers an insult with an insult. A better prompt gives the assistant \
                a calm role and says what the reply may do.
                """,
            better: """
                You moderate a forum. A user wrote: "you people are all stupid, admit it"
                Write a calm reply of at most two sentences that insults nobody, doesn't agree with the insult, \
                and invites the user to say what went wrong.
                """),
    ]

    private static let facts: [PromptDemonstration] = [
        .init(
            "Fact Checking",
            prompt: "Is it true that the Great Wall of China is 100 km long?",
            output: "Yes, it is a very long wall.",
            reason: """
                The output is wrong: the wall is thousands of kilometres long, and the number was not compared \
                with anything. A better prompt asks for the known figure first.
                """,
            better: """
                Check this claim: "The Great Wall of China is 100 km long."
                1. State roughly what length is generally given.
                2. Compare it with the 100 km of the claim.
                End with "The answer is true" or "The answer is false".
                """),
        .init(
            "Fact Checking",
            prompt: """
                Evidence: "The bridge opened in 1932 and was painted in 1950." Claim: the bridge was painted 18 \
                years after it opened. Supported, refuted?
                """,
            output: "1950 - 1932 = 18, so the claim is supported.",
            reason: """
                The output is correct: the dates in the evidence are 18 years apart. The candidate could offer a \
                third verdict and a fixed form.
                """,
            better: """
                Evidence: "The bridge opened in 1932 and was painted in 1950."
                Claim: "The bridge was painted 18 years after it opened."
                Judge the claim by the evidence alone. Name the parts of the evidence that you use and show any \
                arithmetic. End with "The answer is supported", "The answer is refuted" or "The answer is not \
                enough information".
                """),
    ]

    private static let questions: [PromptDemonstration] = [
        .init(
            "Question Answering",
            prompt: """
                A plant in a dark cupboard for weeks. Which is most likely? (A) its leaves turn pale (B) it \
                flowers (C) it grows thicker (D) nothing changes
                """,
            output: "The plant needs water.",
            reason: """
                The output is wrong: it names none of the options. A better prompt puts every option on its own \
                line and asks for a letter.
                """,
            better: """
                A green plant stands in a dark cupboard for several weeks and gets enough water. What is most \
                likely to happen?
                (A) its leaves turn pale
                (B) it flowers
                (C) it grows thicker
                (D) nothing changes
                Think about what the plant needs light for. End with "The answer is (X)", X being one letter.
                """),
        .init(
            "Question Answering",
            prompt: "Would a person born in 1990 be allowed to vote in 2005 where the voting age is 18?",
            output: "Yes, because adults may vote.",
            reason: """
                The output is wrong: in 2005 the person is at most 15. The age was never worked out. A better \
                prompt asks for it as a step.
                """,
            better: """
                Facts: a person was born in 1990; the year is 2005; the voting age is 18.
                1. Work out the greatest age that the person can have in 2005.
                2. Compare it with the voting age.
                Is the person allowed to vote? End with "The answer is yes" or "The answer is no".
                """),
        .init(
            "Question Answering",
            prompt: """
                Penguins: name, height, weight | Louis, 50, 11 | Vincent, 60, 11 | Gwen, 70, 15. How many are \
                heavier than 11?
                """,
            output: "Three penguins are listed, so 3.",
            reason: """
                The output is wrong: Louis and Vincent weigh exactly 11 and are not heavier. The table stands in \
                one line. A better prompt writes it as a table and says that equal doesn't count.
                """,
            better: """
                name | height in cm | weight in kg
                Louis | 50 | 11
                Vincent | 60 | 11
                Gwen | 70 | 15
                How many of these penguins weigh strictly more than 11 kg? Compare the weight of each penguin with \
                11 in turn. End with "The answer is N".
                """),
        .init(
            "Question Answering",
            prompt: "What's the capital of Australia?",
            output: "The answer is Canberra.",
            reason: "The output is correct. The candidate could say how long the answer should be.",
            better: "Name the capital city of Australia in one word. End with \"The answer is …\"."),
    ]

    private static let code: [PromptDemonstration] = [
        .init(
            "Code Generation",
            prompt: "def median(xs): complete it",
            output: "def median(xs):\n    return xs[len(xs) // 2]",
            reason: """
                The output is wrong: the list isn't sorted, and for an even number of elements the mean of the two \
                middle ones is needed. A better prompt defines the median and covers the edge cases.
                """,
            better: """
                Complete this Python function; reply with the whole function in one code block.
                def median(xs):
                    \"\"\"The median of a non-empty list of numbers, which may be in any order. For an even number \
                    of elements it is the mean of the two middle ones. The list is not changed. For an empty list \
                    a ValueError is raised.\"\"\"
                Examples: median([3, 1, 2]) gives 2 and median([4, 1, 3, 2]) gives 2.5.
                """),
        .init(
            "Code Generation",
            prompt: "Write is_palindrome(s) in Python that ignores case and everything but letters.",
            output: """
                def is_palindrome(s):\n    letters = [c.lower() for c in s if c.isalpha()]\n    return letters == \
                letters[::-1]
                """,
            reason: "The output is correct: it keeps letters alone, lowers them and compares both directions.",
            better: """
                Write a Python function is_palindrome(s: str) -> bool that says whether the letters of s read the \
                same in both directions. Case and all characters that are no letters are ignored; a text without \
                letters counts as one that does. Use the standard library only. Reply with one code block that \
                holds nothing but the function.
                """),
    ]

    private static let mathematics: [PromptDemonstration] = [
        .init(
            "Mathematical Reasoning",
            prompt:
                "Tom has 3 boxes with 12 eggs each, 5 break, he sells the rest in packs of 6. how many full packs",
            output: "3 * 12 = 36, 36 / 6 = 6. The answer is 6.",
            reason: """
                The output is wrong: the 5 broken eggs were not taken away before packing. The events stand in one \
                breath. A better prompt gives each a line and asks for the number of eggs after each.
                """,
            better: """
                Work out how many full packs of eggs Tom can sell.
                - He has 3 boxes with 12 eggs each.
                - 5 eggs break and can't be sold.
                - The rest is put into packs of 6; a pack that isn't full is not sold.
                Write down the number of whole eggs after each event, then the number of full packs. End with "The \
                answer is N".
                """),
        .init(
            "Mathematical Reasoning",
            prompt: "price 80, first 25% off then 10% off the rest?",
            output: "35% of 80 is 28, so 52.",
            reason: """
                The output is wrong: the second discount applies to the reduced price, so that the two must not be \
                added. A better prompt says what each percentage is taken of.
                """,
            better: """
                An article costs 80. Its price is first lowered by 25% of 80, and the lowered price is then \
                lowered again by 10% of itself.
                1. Work out the price after the first discount.
                2. Work out 10% of that price and take it off.
                What is the final price? End with "The answer is N".
                """),
    ]
}
