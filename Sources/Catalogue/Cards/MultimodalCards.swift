import Laboratory

extension Cards {
    static let multimodal: [MethodCard] = [
        planned(
            "llm-cxr", .multimodal, "LLM-CXR", [.training, .inference],
            "Adds image tokens to a text model's vocabulary and tunes it to read images, answer about them and draw them.",
            Paper(
                "LLM-CXR: Instruction-Finetuned LLM for CXR Image Understanding and Generation", "Lee et al.", 2023,
                arXiv: "2305.11490"), needs: [.completion, .trainable]),
        planned(
            "ola-vlm", .multimodal, "OLA-VLM", [.training, .evaluation],
            "Makes middle layers predict expert vision features while a vision encoder is aligned with a language model.",
            Paper(
                "OLA-VLM: Elevating Visual Perception in Multimodal LLMs with Auxiliary Embedding Distillation",
                "Jain et al.", 2024, arXiv: "2412.09585"), needs: [.completion, .open, .trainable]),
    ]
}
