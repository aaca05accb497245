import Laboratory

extension Cards {
    static let alignment: [MethodCard] = [
        planned(
            "clear", .alignment, "CLEAR", [.data],
            "Drops the training pairs that a model distrusts and later lets the tuned model replace targets it can beat.",
            Paper(
                "Automated Data Curation for Robust Language Model Fine-Tuning", "Chen and Mueller", 2024,
                arXiv: "2403.12776"), needs: [.completion, .trainable]),
        planned(
            "coachlm", .alignment, "CoachLM", [.data, .training],
            "Trains a reviser on a few hundred expert edits and rewrites an instruction set with it instead of pruning.",
            Paper(
                "CoachLM: Automatic Instruction Revisions Improve the Data Quality in LLM Instruction Tuning",
                "Liu et al.", 2023, arXiv: "2311.13246"), needs: [.completion, .trainable]),
        planned(
            "health-classification", .alignment, "Health text classification", [.evaluation, .data],
            "Tells by experiment whether a model should classify, label or augment the data of a short-text task.",
            Paper(
                "Evaluating Large Language Models for Health-Related Text Classification Tasks with Public Social Media Data",
                "Guo et al.", 2024, arXiv: "2403.19031"), needs: [.completion, .trainable]),
        planned(
            "i-sheep", .alignment, "I-SHEEP", [.training, .data],
            "Aligns a base model from seed tasks alone: it writes, answers, grades and keeps its own data, round after round.",
            Paper(
                "I-SHEEP: Self-Alignment of LLM from Scratch through an Iterative Self-Enhancement Paradigm",
                "Liang et al.", 2024, arXiv: "2408.08072"), needs: [.completion, .trainable]),
        planned(
            "janus", .alignment, "Janus", [.training, .data, .evaluation],
            "Trains one model to follow any values written in the system message, from several value sets for every instruction.",
            Paper(
                "Aligning to Thousands of Preferences via System Message Generalization", "Lee et al.", 2024,
                arXiv: "2405.17977"), needs: [.completion, .trainable]),
        planned(
            "judge-ability", .alignment, "RISE-Judge", [.training],
            "Makes a model a reasoning pairwise judge: tuned on checked verdicts, then on its own right and wrong ones.",
            Paper(
                "Improve LLM-as-a-Judge Ability as a General Ability", "Yu et al.", 2025, arXiv: "2502.11689"),
            needs: [.completion, .trainable]),
        planned(
            "llm2llm", .alignment, "LLM2LLM", [.data, .training],
            "Grows a tiny labelled set by having a teacher write new examples around what the student still gets wrong.",
            Paper(
                "LLM2LLM: Boosting LLMs with Novel Iterative Data Enhancement", "Lee et al.", 2024, arXiv: "2403.15042"
            ), needs: [.completion, .trainable]),
        planned(
            "oocr", .alignment, "OOCR", [.evaluation, .training],
            "Tunes on documents that each hold a crumb of a hidden fact and asks for the fact itself, without examples.",
            Paper(
                "Connecting the Dots: LLMs can Infer and Verbalize Latent Structure from Disparate Training Data",
                "Treutlein et al.", 2024, arXiv: "2406.14546"), needs: [.completion, .scoring, .trainable]),
        planned(
            "sami", .alignment, "SAMI", [.training],
            "Teaches a base model written principles without labels, by raising what ties an answer to its constitution.",
            Paper(
                "Self-Supervised Alignment with Mutual Information: Learning to Follow Principles without Preference Labels",
                "Fränken et al.", 2024, arXiv: "2404.14313"), needs: [.completion, .scoring, .trainable]),
        planned(
            "self-guide", .alignment, "SELF-GUIDE", [.training, .data],
            "Turns an instruction and a few examples into a task expert of the same model, from data it writes itself.",
            Paper(
                "SELF-GUIDE: Better Task-Specific Instruction Following via Self-Synthetic Finetuning", "Zhao et al.",
                2024, arXiv: "2407.12874"), needs: [.completion, .trainable]),
        planned(
            "self-judge", .alignment, "Self-Judge", [.training, .inference],
            "Trains a judge that scores a model's answers without a reference, to refuse poor ones or pick the best.",
            Paper(
                "Self-Judge: Selective Instruction Following with Alignment Self-Evaluation", "Ye and Ng", 2024,
                arXiv: "2409.00935"), needs: [.completion, .scoring, .trainable]),
        planned(
            "self-lengthen", .alignment, "Self-Lengthen", [.training, .data],
            "Teaches a model to write several times longer from its own outputs: one copy writes, the other extends, both retrain.",
            Paper(
                "Language Models Can Self-Lengthen to Generate Long Texts", "Quan et al.", 2024, arXiv: "2410.23933"),
            needs: [.completion, .trainable]),
        planned(
            "tailored-learning", .alignment, "Tailored Learning", [.training],
            "Distils reasoning over rounds: the student sits an exam, the teacher corrects it, and wrong reasoning is pushed away.",
            Paper(
                "Democratizing Reasoning Ability: Tailored Learning from Large Language Model", "Wang et al.", 2023,
                arXiv: "2310.13332"), needs: [.completion, .trainable]),
        planned(
            "tick", .alignment, "TICK", [.evaluation, .inference],
            "Judges an answer by a checklist of yes-or-no questions made for its instruction, and refines or picks answers by it.",
            Paper(
                "TICKing All the Boxes: Generated Checklists Improve LLM Evaluation and Generation", "Cook et al.",
                2024, arXiv: "2410.03608")),
    ]
}
