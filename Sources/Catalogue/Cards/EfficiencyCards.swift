import Laboratory

extension Cards {
    static let efficiency: [MethodCard] = [
        planned(
            "causal-mask-removal", .efficiency, "Layer-wise causal mask removal", [.training],
            "Tunes a decoder as a token tagger while chosen groups of layers may look both ways.",
            Paper(
                "Do Not (Always) Look Right: Investigating the Capabilities of Decoder-Based Large Language Models for Sequence Labeling",
                "Dukić and Šnajder", 2024, arXiv: "2401.14556"), needs: [.open, .trainable]),
        planned(
            "cellm", .efficiency, "CELLM", [.training],
            "Trains adapters across clients while only their largest entries travel down and their largest changes travel up.",
            Paper(
                "CELLM: An Efficient Communication in Large Language Models Training for Federated Learning",
                "Vavekanand and Sam", 2024, arXiv: "2407.20557"), needs: [.completion, .trainable]),
        planned(
            "cpt-ift-balance", .efficiency, "Instruction residual", [.training, .evaluation],
            "Refreshes a chat model by continuing its base on new text and adding back the difference that instruction tuning made.",
            Paper(
                "Balancing Continuous Pre-Training and Instruction Fine-Tuning: Optimizing Instruction-Following in LLMs",
                "Jindal et al.", 2024, arXiv: "2410.10739"), needs: [.completion, .scoring, .trainable]),
        planned(
            "fira", .efficiency, "Fira", [.training],
            "Keeps optimiser state only for a low-rank projection of the gradient and still updates weights at full rank.",
            Paper(
                "Fira: Can We Achieve Full-rank Training of LLMs Under Low-rank Constraint?", "Chen et al.", 2024,
                arXiv: "2410.01623"), needs: .trainable),
        planned(
            "flm", .efficiency, "FLM-101B", [.training, .evaluation],
            "Trains small first and grows the network without changing its function, and tests models on what can't be memorised.",
            Paper(
                "FLM-101B: An Open LLM and How to Train It with $100K Budget", "Li et al.", 2023, arXiv: "2309.03852"),
            needs: [.completion, .trainable]),
        planned(
            "greentrainer", .efficiency, "GreenTrainer", [.training],
            "Fine-tunes within a budget of operations by choosing at intervals which tensors are worth their backward pass.",
            Paper(
                "Towards Green AI in Fine-tuning Large Language Models via Adaptive Backpropagation", "Huang et al.",
                2023, arXiv: "2309.13192"), needs: .trainable),
        planned(
            "lep", .efficiency, "LEP", [.training],
            "Gives an instruct model a better vocabulary for a language by training embeddings on its base and mapping them over.",
            Paper(
                "Facilitating Large Language Model Russian Adaptation with Learned Embedding Propagation",
                "Tikhomirov and Chernyshev", 2024, arXiv: "2412.21140"), needs: [.completion, .trainable]),
        planned(
            "sltrain", .efficiency, "SLTrain", [.training],
            "Pretrains with weights stored as low rank plus a fixed random sparse part, at half the memory.",
            Paper(
                "SLTrain: A Sparse Plus Low-Rank Approach for Parameter and Memory Efficient Pretraining", "Han et al.",
                2024, arXiv: "2406.02214"), needs: .trainable),
        planned(
            "small-lm-help", .efficiency, "SALT", [.training, .data],
            "Lets an existing small model teach a larger one at the start of its pretraining, and choose its first texts.",
            Paper(
                "A Little Help Goes a Long Way: Efficient LLM Training by Leveraging Small LMs", "Rawat et al.", 2024,
                arXiv: "2410.18779"), needs: [.scoring, .trainable]),
        planned(
            "stability-gap", .efficiency, "Stability gap", [.training, .evaluation],
            "Continues pretraining on the best part of a domain for several epochs with the old mixture, without the early dip.",
            Paper(
                "Efficient Continual Pre-training by Mitigating the Stability Gap", "Guo et al.", 2024,
                arXiv: "2406.14833"), needs: [.completion, .scoring, .trainable]),
    ]
}
