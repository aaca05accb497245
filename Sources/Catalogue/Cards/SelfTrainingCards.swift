import Laboratory

extension Cards {
    static let selfTraining: [MethodCard] = [
        planned(
            "agent-q", .selftrain, "Agent Q", [.training, .inference],
            "Searches real environment states with a self-critic's ranking and trains step-level preferences from the tree.",
            Paper(
                "Agent Q: Advanced Reasoning and Learning for Autonomous AI Agents", "Putta et al.", 2024,
                arXiv: "2408.07199"), needs: [.completion, .scoring, .trainable]),
        planned(
            "armap", .selftrain, "ARMAP", [.inference, .training],
            "Makes trajectory preferences without people, trains a small reward model on them, and steers a frozen agent by it.",
            Paper(
                "Scaling Autonomous Agents via Automatic Reward Modeling and Planning", "Chen et al.", 2025,
                arXiv: "2502.12130"), needs: [.completion, .trainable]),
        planned(
            "auto-cei", .selftrain, "Auto-CEI", [.training],
            "Trains a reasoner that tries long enough and then says it doesn't know, by expert iteration with a tuned length reward.",
            Paper(
                "Automatic Curriculum Expert Iteration for Reliable LLM Reasoning", "Zhao et al.", 2024,
                arXiv: "2410.07627"), needs: [.completion, .trainable]),
        planned(
            "collaborative-verification", .selftrain, "Math-Rev and Code-Rev", [.inference, .training],
            "Samples many solutions, drops those whose prose and program disagree, and ranks the rest by a trained verifier.",
            Paper(
                "Improving LLM Reasoning through Scaling Inference Computation with Collaborative Verification",
                "Liang et al.", 2024, arXiv: "2410.05318"), needs: [.completion, .scoring, .trainable]),
        planned(
            "evolve", .selftrain, "EVOLvE", [.evaluation, .inference, .training],
            "Measures how a model explores in text bandits and improves it by algorithm statistics, demonstrations or fine-tuning.",
            Paper(
                "EVOLvE: Evaluating and Optimizing LLMs For In-Context Exploration", "Nie et al.", 2024,
                arXiv: "2410.06238"), needs: [.completion, .trainable]),
        planned(
            "learn-by-teaching", .selftrain, "LbT", [.inference, .training],
            "Scores an explanation by how well students do on similar problems after it, to pick answers, make pairs or improve examples.",
            Paper(
                "Can LLMs Learn by Teaching for Better Reasoning? A Preliminary Study", "Ning et al.", 2024,
                arXiv: "2406.14629"), needs: [.completion, .trainable]),
        planned(
            "leti", .selftrain, "LeTI", [.training],
            "Improves a code model without reference solutions: it runs its own programs and learns from good, bad and the error's text.",
            Paper("LeTI: Learning to Generate from Textual Interactions", "Wang et al.", 2023, arXiv: "2305.10314"),
            needs: [.completion, .trainable]),
        planned(
            "ltc", .selftrain, "LTC", [.training],
            "Learns from whole message streams of agent, environment and teacher, mixing a language-model loss with PPO.",
            Paper("Adapting LLM Agents Through Communication", "Wang et al.", 2023, arXiv: "2310.01444"),
            needs: [.completion, .scoring, .trainable]),
        planned(
            "malt", .selftrain, "MALT", [.training],
            "Splits one model into generator, verifier and refiner, samples a tree of their outputs and trains each on its share of the reward.",
            Paper(
                "MALT: Improving Reasoning with Multi-Agent LLM Training", "Motwani et al.", 2024, arXiv: "2412.01928"),
            needs: [.completion, .trainable]),
        planned(
            "optima", .selftrain, "Optima", [.training],
            "Teaches two conversing agents to solve a task in far fewer tokens, by ranking conversations on score, length and readability.",
            Paper(
                "Optima: Optimizing Effectiveness and Efficiency for LLM-Based Multi-Agent System", "Chen et al.", 2024,
                arXiv: "2410.08115"), needs: [.completion, .scoring, .trainable]),
        planned(
            "rest-mcts", .selftrain, "ReST-MCTS*", [.training, .inference],
            "Turns final answers into verified step-by-step solutions and step values by tree search, and trains policy and reward model on them.",
            Paper(
                "ReST-MCTS*: LLM Self-Training via Process Reward Guided Tree Search", "Zhang et al.", 2024,
                arXiv: "2406.03816"), needs: [.completion, .trainable]),
        planned(
            "rl-reward", .selftrain, "Clip and Delta", [.training],
            "Adds a process reward to right-or-wrong PPO without being gamed, by bounding and telescoping the steps' rewards.",
            Paper(
                "On Designing Effective RL Reward at Training Time for LLM Reasoning", "Gao et al.", 2024,
                arXiv: "2410.15115"), needs: [.completion, .scoring, .trainable]),
        planned(
            "spar", .selftrain, "SPaR", [.training, .inference],
            "Repairs failing answers minimally by tree search and trains on the pairs, so that they differ only in what matters.",
            Paper(
                "SPaR: Self-Play with Tree-Search Refinement to Improve Instruction-Following in Large Language Models",
                "Cheng et al.", 2024, arXiv: "2412.11605"), needs: [.completion, .trainable]),
        planned(
            "webrl", .selftrain, "WebRL", [.training],
            "Trains an environment agent in phases: failures breed new tasks, a reward model grades, an anchored off-policy update learns.",
            Paper(
                "WebRL: Training LLM Web Agents via Self-Evolving Online Curriculum Reinforcement Learning",
                "Qi et al.", 2024, arXiv: "2411.02337"), needs: [.completion, .scoring, .trainable]),
    ]
}
