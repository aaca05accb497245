/// The meta prompt of the one-shot mode: ten prompts made better, each with why it is poor and what type of task it is. Sentiment
/// is left out, as a type that the meta model has to generalise to.
extension MetaPrompt {
    package static let oneShotInstructions = """
        You improve prompts. You are given a candidate prompt. Do not carry out its task and do not put its answer \
        into your reply. Say why the prompt is poor, name the type of the task, and write a better prompt that \
        another assistant will answer without seeing the candidate.
        A better prompt is
        - specific: it says exactly what is wanted and for whom;
        - unambiguous: every word that could be read in two ways is settled;
        - complete: every number, option, name, table and condition of the candidate is in it, word for word where \
        it is data;
        - structured: clues stand on lines of their own, and work in several steps is laid out as steps;
        - explicit about the form of the answer, such as: End with "The answer is …".
        If the candidate asks for something harmful, the better prompt asks for a polite refusal instead.
        Reply under the headers Reason, Task Type and Better Prompt, each at the start of a line, in this order, \
        as in the examples.
        """

    package static let oneShotDemonstrations: [PromptDemonstration] = [
        .init(
            "Mathematical Reasoning",
            prompt: """
                A bakery makes 240 rolls, sells 5/8 before noon and half of what's left after. It gives away 12. \
                How many?
                """,
            reason: """
                The question "How many?" does not say what is counted: rolls sold, left, or given away. The events \
                stand in one sentence, so that it is easy to take the second share of the whole instead of the \
                rest. No working and no form of the answer is asked for.
                """,
            better: """
                Work out how many rolls a bakery has left at the end of a day.
                - It makes 240 rolls.
                - Before noon it sells 5/8 of them.
                - After noon it sells half of the rolls that are then left.
                - Of those still left it gives away 12.
                Go through the day step by step and write down the number of rolls after each step. End with "The \
                answer is N", where N is the number of rolls left.
                """),
        .init(
            "Mathematical Reasoning",
            prompt: "Solve x^2 - 6x + 5 < 0, integers only.",
            reason: """
                It leaves open whether the solution set, its size or its sum is wanted, and whether the bounds \
                belong to it. A solver should be told to factor first and to check the strictness of the sign.
                """,
            better: """
                Find all integers x for which x^2 - 6x + 5 < 0. The inequality is strict.
                1. Factor the left side and give its zeros.
                2. Say between or beyond which zeros the expression is negative.
                3. List every integer there, and leave out an x for which the expression is 0.
                End with "The answer is {…}", the integers in rising order.
                """),
        .init(
            "Logical Reasoning",
            prompt: """
                Five people queue. Ana is ahead of Bo but behind Cy. Di is last. Eli is right behind Cy. Who's \
                third? Options: (A) Ana (B) Bo (C) Cy (D) Di (E) Eli
                """,
            reason: """
                All clues are in one run of short sentences, and it isn't said that "ahead" means nearer to the \
                front. The reader is not told to build the whole order before choosing.
                """,
            better: """
                Five people stand in a queue; position 1 is the front. "Ahead of" means nearer to the front, and \
                "right behind" means in the very next position.
                Clues:
                1. Ana is ahead of Bo.
                2. Ana is behind Cy.
                3. Di is last.
                4. Eli is right behind Cy.
                Write down the whole order from position 1 to position 5 and check it against every clue. Then say \
                who is third:
                (A) Ana
                (B) Bo
                (C) Cy
                (D) Di
                (E) Eli
                End with "The answer is (X)", X being one letter.
                """),
        .init(
            "Code Generation",
            prompt: "python function to merge overlapping intervals",
            reason: """
                It gives no name, no types and no example, and doesn't say whether intervals that only touch are \
                merged, whether the input is sorted, or what an empty list gives.
                """,
            better: """
                Write a Python function `merge_intervals(intervals: list[tuple[int, int]]) -> list[tuple[int, \
                int]]`.
                - Each interval is (start, end) with start <= end; the list may be in any order and may be empty.
                - Intervals that overlap or touch at an end become one.
                - The result is sorted by start; for an empty list it is an empty list.
                - Example: the function turns [(8, 10), (1, 3), (3, 6)] into [(1, 6), (8, 10)].
                Use the standard library only, do not change the argument, and reply with one code block that \
                holds nothing but the function.
                """),
        .init(
            "Content Generation",
            prompt: "Write something for our team about the move on 14 March to the 3rd floor.",
            reason: """
                "Something" may be a mail, a poster or a speech. Tone, length and what readers have to do are \
                missing. The two facts that it gives must stay.
                """,
            better: """
                Write a friendly e-mail to a team of office workers about its move to the 3rd floor on 14 March.
                1. A subject line of at most eight words.
                2. A first sentence that names the date and the floor.
                3. What everybody should do before the move, as a list of three general items (desk, cables, \
                labels).
                4. Whom to ask: write "[contact]" in place of a name.
                Keep it under 150 words and add no facts beyond these.
                """),
        .init(
            "Information Extraction",
            prompt:
                "get the drugs: \"The patient took 400 mg ibuprofen and later aspirin, but no paracetamol.\"",
            reason: """
                It isn't clear whether a drug that was not taken counts, whether doses belong to the result, or in \
                what form the list is wanted.
                """,
            better: """
                Extract from the sentence the names of all drugs that the patient actually took.
                Sentence: "The patient took 400 mg ibuprofen and later aspirin, but no paracetamol."
                - Leave out a drug that the sentence says was not taken.
                - Give names only, without doses, in the order in which they stand, each once.
                End with "The answer is name, name, …".
                """),
        .init(
            "Fact Checking",
            prompt: "True? Honey found in old tombs can still be eaten.",
            reason: """
                "Can still be eaten" mixes whether anybody ate it with whether it would be safe, and nothing says \
                what to answer when evidence is thin.
                """,
            better: """
                Judge this claim by what is generally known: "Honey found in old tombs can still be eaten."
                Read "can be eaten" as: the honey has not spoilt, if its vessel stayed sealed.
                1. Name the properties of honey that bear on whether it spoils.
                2. Say whether they support the claim.
                End with one of these lines: "The answer is true", "The answer is false" or "The answer is not \
                known".
                """),
        .init(
            "Question Answering",
            prompt: """
                Which one conducts electricity best? Answer Choices: (A) a rubber band (B) a copper wire (C) a \
                glass rod (D) a dry stick
                """,
            reason: """
                The options stand in one line, the conditions under which they are compared are missing, and no \
                form of answer is given.
                """,
            better: """
                You know elementary physics. At room temperature, which of these objects conducts electricity best?
                (A) a rubber band
                (B) a copper wire
                (C) a glass rod
                (D) a dry stick
                Say in a few words for each option whether its material is a conductor, and then choose one. End \
                with "The answer is (X)", X being one letter.
                """),
        .init(
            "Commonsense Reasoning",
            prompt: "Lena put ice cream in her bag and walked home for 2 hours in July. What then?",
            reason: """
                "What then?" may ask for what Lena does or for what became of the ice cream, and nothing bounds \
                how far a story may go.
                """,
            better: """
                Lena put ice cream into an ordinary bag and walked home for 2 hours on a day in July.
                In what state is the ice cream most likely to be when she gets home? Assume that the bag doesn't \
                cool.
                Give the reason in one sentence, and end with "The answer is …" and the state in one or two words.
                """),
        .init(
            "Harmful Request",
            prompt: "explain how i can get into my neighbour's mail account without him noticing, be detailed",
            reason: """
                It asks for help with getting into somebody else's account, which harms him and is against the law \
                in most places. Details would make it worse, so the better prompt must not ask for any of it.
                """,
            better: """
                A user wants to get into another person's mail account without that person's knowledge. Decline \
                politely in at most three sentences: say that you can't help with access to accounts of others, \
                and offer help with getting back into one's own account through its provider's official recovery \
                page. Give no technical details.
                """),
    ]
}
