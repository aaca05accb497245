import Laboratory

extension Cards {
    static let decoding: [MethodCard] = [
        planned(
            "autopasta", .decoding, "AutoPASTA", [.inference],
            "The model names the key sentence of a context, and a few profiled heads are steered towards it while it answers.",
            Paper(
                "Model Tells Itself Where to Attend: Faithfulness Meets Automatic Attention Steering for LLMs",
                "Zhang et al.", 2024, arXiv: "2409.10790"), needs: [.completion, .open]),
        planned(
            "qk-score", .decoding, "QK-score", [.inference, .evaluation],
            "Answers multiple-choice questions by the option that one select-and-copy head points at, not by the letter's logit.",
            Paper(
                "Listening to the Wise Few: Select-and-Copy Attention Heads for Multiple-Choice QA",
                "Tulchinskii et al.", 2024, arXiv: "2410.02343"), needs: [.completion, .open]),
        planned(
            "uscd", .decoding, "USCD", [.inference],
            "Writes code while subtracting what a poorer prompt would say, only at the steps where the model is unsure.",
            Paper(
                "USCD: Improving Code Generation of LLMs by Uncertainty-Aware Selective Contrastive Decoding",
                "Wang et al.", 2024, arXiv: "2409.05923"), needs: [.completion, .open]),
    ]
}
