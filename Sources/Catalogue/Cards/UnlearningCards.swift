import Laboratory

extension Cards {
    static let unlearning: [MethodCard] = [
        planned(
            "eco", .unlearning, "ECO", [.inference, .training],
            "Leaves the model alone: prompts about the forgotten topic are detected and their embeddings corrupted.",
            Paper(
                "Large Language Model Unlearning via Embedding-Corrupted Prompts", "Liu et al.", 2024,
                arXiv: "2406.07933"), needs: [.completion, .open]),
        planned(
            "flat", .unlearning, "FLAT", [.training],
            "Unlearns from forget pairs and template answers alone, by an f-divergence between the two, without a retain set.",
            Paper(
                "LLM Unlearning via Loss Adjustment with Only Forget Data", "Wang et al.", 2024, arXiv: "2410.11143"),
            needs: [.completion, .scoring, .trainable]),
        planned(
            "npo", .unlearning, "NPO", [.training, .evaluation],
            "Makes a model forget a set of answers by a preference loss that doesn't collapse as gradient ascent does.",
            Paper(
                "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning", "Zhang et al.",
                2024, arXiv: "2404.05868"), needs: [.completion, .scoring, .trainable]),
        planned(
            "o3", .unlearning, "O3", [.training, .inference],
            "Serves a stream of forget requests: one orthogonal adapter each, switched on by an out-of-distribution detector.",
            Paper(
                "On Large Language Model Continual Unlearning", "Gao et al.", 2024, arXiv: "2407.10223"),
            needs: [.completion, .open, .trainable]),
        planned(
            "rwku", .unlearning, "RWKU", [.evaluation, .data],
            "Grades the unlearning of a named entity that the model really knows, with probes, attacks, neighbours and utility.",
            Paper(
                "RWKU: Benchmarking Real-World Knowledge Unlearning for Large Language Models", "Jin et al.", 2024,
                arXiv: "2406.10890"), needs: [.completion, .scoring, .trainable]),
        planned(
            "uld", .unlearning, "ULD", [.training, .inference],
            "Trains a small assistant to know only what is to be forgotten and subtracts its logits while decoding.",
            Paper(
                "Reversing the Forget-Retain Objectives: An Efficient LLM Unlearning Framework from Logit Difference",
                "Ji et al.", 2024, arXiv: "2406.08607"), needs: [.completion, .open, .trainable]),
        planned(
            "unlearning-survey", .unlearning, "Unlearning survey", [.survey, .training],
            "Puts one method of each class of unlearning to the same request, so that they can be compared and chosen.",
            Paper(
                "Knowledge Unlearning for LLMs: Tasks, Methods, and Challenges", "Si et al.", 2023, arXiv: "2311.15766"
            ), needs: [.completion, .scoring, .trainable]),
        planned(
            "ununlearning", .unlearning, "UnUnlearning", [.evaluation],
            "Shows how much of a forgotten skill returns when the prompt supplies it, and what filters would have caught.",
            Paper(
                "UnUnlearning: Unlearning is Not Sufficient for Content Regulation in Advanced Generative AI",
                "Shumailov et al.", 2024, arXiv: "2407.00106"), needs: [.completion, .scoring]),
        planned(
            "uoe", .unlearning, "UOE", [.training],
            "In a mixture of experts, finds the one expert that the forget text calls most and unlearns only that.",
            Paper(
                "UOE: Unlearning One Expert Is Enough For Mixture-of-experts LLMs", "Zhuang et al.", 2024,
                arXiv: "2411.18797"), needs: [.completion, .open, .trainable]),
        planned(
            "wagle", .unlearning, "WAGLE", [.training],
            "Finds the weights that matter for forgetting and not for keeping, and lets any unlearning loss touch only them.",
            Paper(
                "WAGLE: Strategic Weight Attribution for Effective and Modular Unlearning in Large Language Models",
                "Jia et al.", 2024, arXiv: "2410.17509"), needs: [.completion, .scoring, .trainable]),
    ]
}
