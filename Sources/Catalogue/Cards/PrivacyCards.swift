import Laboratory

extension Cards {
    static let privacy: [MethodCard] = [
        planned(
            "document-mia", .privacy, "Document-level MIA", [.attack, .evaluation],
            "Decides from token probabilities whether a whole document was in the training set, by a classifier on normalised features.",
            Paper(
                "Did the Neurons Read your Book? Document-level Membership Inference for Large Language Models",
                "Meeus et al.", 2023, arXiv: "2310.15007"), needs: .scoring),
        planned(
            "ew-tune", .privacy, "EW-Tune", [.training, .defence],
            "Fine-tunes with differential privacy whose noise an Edgeworth accountant sets tightly for few steps.",
            Paper(
                "EW-Tune: A Framework for Privately Fine-Tuning Large Language Models with Differential Privacy",
                "Behnia et al.", 2022, arXiv: "2210.15042"), needs: [.completion, .trainable]),
        planned(
            "pandora", .privacy, "Pandora", [.attack, .evaluation],
            "Measures what a checkpoint leaks: membership inference and extraction from losses, gradients and weights.",
            Paper(
                "Pandora's White-Box: Precise Training Data Detection and Extraction in Large Language Models",
                "Wang et al.", 2024, arXiv: "2402.17012"), needs: [.scoring, .open]),
    ]
}
