import Laboratory

extension Cards {
    static let reasoning: [MethodCard] = [
        planned(
            "ats", .reasoning, "ATS", [.inference, .training],
            "Has the model write a whole breadth- or depth-first search tree in one reply, so that a puzzle is searched without an outer program.",
            Paper("Autonomous Tree-search Ability of Large Language Models", "Zhang et al.", 2023, arXiv: "2310.10686")),
        planned(
            "cqot", .reasoning, "CQoT", [.inference],
            "Puts a draft plan through eight yes-or-no critical questions and answers only once enough of them pass.",
            Paper(
                "Critical-Questions-of-Thought: Steering LLM Reasoning with Argumentative Querying", "Castagna et al.",
                2024, arXiv: "2412.15177")),
        planned(
            "dots", .reasoning, "DOTS", [.training, .inference],
            "Searches which chain of reasoning actions suits each training question and teaches a planner to choose one for new questions.",
            Paper(
                "DOTS: Learning to Reason Dynamically in LLMs via Optimal Reasoning Trajectories Search", "Yue et al.",
                2024, arXiv: "2410.03864"), needs: [.completion, .trainable]),
        planned(
            "furepa", .reasoning, "FuRePA", [.inference, .training],
            "Answers multi-hop questions in rounds that each reason afresh from the documents, a trained assessor picking the next query.",
            Paper(
                "Furthest Reasoning with Plan Assessment: Stable Reasoning Path with Retrieval-Augmented LLMs",
                "Zhu et al.", 2023, arXiv: "2309.12767")),
        planned(
            "jekyll-hyde", .reasoning, "Jekyll & Hyde", [.inference],
            "Answers with and without an expert persona and lets an order-proof judge pick, so that a wrong persona does no harm.",
            Paper(
                "Persona is a Double-edged Sword: Enhancing the Zero-shot Reasoning by Ensembling the Role-playing and Neutral Prompts",
                "Kim et al.", 2024, arXiv: "2408.08631")),
        planned(
            "promptd", .reasoning, "PRoMPTd", [.inference],
            "Rewrites each single question into a clearer and more complete prompt before it is answered.",
            Paper(
                "Instance Needs More Care: Rewriting Prompts for Instances Yields Better Zero-Shot Performance",
                "Srivastava et al.", 2023, arXiv: "2310.02107")),
        planned(
            "rci", .reasoning, "RCI", [.inference],
            "Lets the model criticise and improve its own output in a loop, for questions and for actions on web pages.",
            Paper("Language Models can Solve Computer Tasks", "Kim et al.", 2023, arXiv: "2303.17491")),
        planned(
            "sec", .reasoning, "SEC", [.inference],
            "Writes its own demonstrations for a question first and then answers with them as few-shot examples.",
            Paper(
                "Are Human-generated Demonstrations Necessary for In-context Learning?", "Li et al.", 2023,
                arXiv: "2309.14681")),
        planned(
            "tactic-programs", .reasoning, "Tiger", [.data, .training, .evaluation],
            "Picks a tactic (maths, logic, graph, general program), writes and repairs programs under it, and trains a router and a solver on the traces.",
            Paper("Can LLMs Reason in the Wild with Programs?", "Yang et al.", 2024, arXiv: "2406.13764"),
            needs: [.completion, .trainable]),
        planned(
            "vml", .reasoning, "VML", [.training],
            "Fits a regression or classification whose parameters are a text: one model predicts from it, another rewrites it after each batch.",
            Paper(
                "Verbalized Machine Learning: Revisiting Machine Learning with Language Models", "Xiao et al.", 2024,
                arXiv: "2406.04344")),
        planned(
            "wilt", .reasoning, "WILT", [.evaluation],
            "Plays the 2-4-6 game: the model tests triples and must name the hidden rule in one guess.",
            Paper(
                "WILT: A Multi-Turn, Memorization-Robust Inductive Logic Benchmark for LLMs", "Banatt et al.", 2024,
                arXiv: "2410.10998")),
        planned(
            "zero-shot-cot", .reasoning, "Zero-shot-CoT", [.inference],
            "Asks twice: a trigger phrase draws out the reasoning, a second prompt draws the answer out of it.",
            Paper("Large Language Models are Zero-Shot Reasoners", "Kojima et al.", 2022, arXiv: "2205.11916"),
            needs: [.completion, .rawText]),
    ]
}
