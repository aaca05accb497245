import Laboratory

extension Cards {
    static let evaluation: [MethodCard] = [
        planned(
            "code-llm-eval", .evaluation, "Code-LLM evaluation", [.evaluation],
            "Scores models on understanding and writing code, zero-shot, few-shot and tuned, and says which at what cost.",
            Paper(
                "Evaluating Instruction-Tuned Large Language Models on Code Comprehension and Generation",
                "Yuan et al.",
                2023, arXiv: "2308.01240"), needs: [.completion, .trainable])
    ]
}
