import Laboratory

extension Cards {
    static let formal: [MethodCard] = [
        planned(
            "leanagent", .formal, "LeanAgent", [.training, .inference],
            "Keeps one premise retriever learning over a growing list of libraries and proves open goals with it.",
            Paper(
                "LeanAgent: Lifelong Learning for Formal Theorem Proving", "Kumarappan et al.", 2024,
                arXiv: "2410.06209"), needs: [.completion, .trainable]),
        planned(
            "theoremllama", .formal, "TheoremLlama", [.training, .data, .inference],
            "Turns a formal library into pairs of prose and proof, tunes a chat model on them and feeds back what checks.",
            Paper(
                "TheoremLlama: Transforming General-Purpose LLMs into Lean4 Experts", "Wang et al.", 2024,
                arXiv: "2407.03203"), needs: [.completion, .trainable]),
    ]
}
