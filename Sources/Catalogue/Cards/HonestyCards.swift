import Laboratory

extension Cards {
    static let honesty: [MethodCard] = [
        planned(
            "abstain-qa", .honesty, "Abstain-QA", [.evaluation],
            "Gives multiple-choice questions an \"I don't know\" option and measures whether the model uses it when it should.",
            Paper(
                "Do LLMs Know When to NOT Answer? Investigating Abstention Abilities of Large Language Models",
                "Madhusudhan et al.", 2024, arXiv: "2407.16221")),
        planned(
            "honeset", .honesty, "HonestLLM", [.evaluation, .inference, .training],
            "Tempts a model to overclaim, scores honesty and help, and mends both by prompts or by two rounds of preferences.",
            Paper(
                "The Best of Both Worlds: Toward an Honest and Helpful Large Language Model", "Gao et al.", 2024,
                arXiv: "2406.00380"), needs: [.completion, .trainable]),
        planned(
            "r-tuning", .honesty, "R-Tuning", [.data, .training],
            "Asks a model its own training questions, marks what it knew, and tunes it to state a certainty that can be used.",
            Paper(
                "R-Tuning: Instructing Large Language Models to Say \"I Don't Know\"", "Zhang et al.", 2023,
                arXiv: "2311.09677"), needs: [.completion, .scoring, .trainable]),
        planned(
            "uncertainty-sensitive-tuning", .honesty, "US-Tuning", [.training, .evaluation],
            "Teaches a model to see that a context doesn't answer, then restores plain answering by checking its sentences.",
            Paper(
                "Know the Unknown: An Uncertainty-Sensitive Method for LLM Instruction Tuning", "Li et al.", 2024,
                arXiv: "2406.10099"), needs: [.completion, .trainable]),
    ]
}
