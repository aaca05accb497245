import Laboratory

extension Cards {
    static let agents: [MethodCard] = [
        planned(
            "agent-survey", .agents, "Agent framework", [.survey],
            "One agent of four swappable parts (profile, memory, planning, action), to be assembled, described and ablated in the same words.",
            Paper(
                "A Survey on Large Language Model based Autonomous Agents", "Wang et al.", 2024, arXiv: "2308.11432")),
        planned(
            "agentgen", .agents, "AgentGen", [.data, .training],
            "Has a model invent planning worlds and tasks of graded difficulty, solves them with a planner, and tunes on the solutions.",
            Paper(
                "AgentGen: Enhancing Planning Abilities for Large Language Model based Agent via Environment and Task Generation",
                "Hu et al.", 2024, arXiv: "2408.00764"), needs: [.completion, .trainable]),
        planned(
            "agenttuning", .agents, "AgentTuning", [.training, .data],
            "Mixes a few reward-filtered agent trajectories with general instructions, so that agent skill comes without forgetting.",
            Paper(
                "AgentTuning: Enabling Generalized Agent Abilities for LLMs", "Zeng et al.", 2023, arXiv: "2310.12823"),
            needs: [.completion, .trainable]),
        planned(
            "alpha-umi", .agents, "α-UMi", [.training],
            "Splits a tool agent into planner, caller and summariser and tunes them from the whole task to the parts.",
            Paper(
                "Small LLMs Are Weak Tool Learners: A Multi-LLM Agent", "Shen et al.", 2024, arXiv: "2401.07324"),
            needs: [.completion, .trainable]),
        planned(
            "chain-of-tools", .agents, "Chain of Tools", [.inference],
            "Writes one program that chains many tools, repairs it by blaming a single tool, and learns undocumented tools by probing.",
            Paper(
                "Chain of Tools: Large Language Model is an Automatic Multi-tool Learner", "Shi et al.", 2024,
                arXiv: "2405.16533")),
        planned(
            "codeact", .agents, "CodeAct", [.inference, .data, .training, .evaluation],
            "Lets an agent act by code in a lasting interpreter where tools are functions, instead of one call a turn.",
            Paper("Executable Code Actions Elicit Better LLM Agents", "Wang et al.", 2024, arXiv: "2402.01030")),
        planned(
            "craft", .agents, "CRAFT", [.data, .inference],
            "Turns solved problems into a checked library of general functions and retrieves a few for each new problem.",
            Paper(
                "CRAFT: Customizing LLMs by Creating and Retrieving from Specialized Toolsets", "Yuan et al.", 2023,
                arXiv: "2309.17428")),
        planned(
            "envgen", .agents, "EnvGen", [.training],
            "Asks a model a few times for simulator settings that teach a small learner the skills it lacks.",
            Paper(
                "EnvGen: Generating and Adapting Environments via LLMs for Training Embodied Agents", "Zala et al.",
                2024, arXiv: "2403.12014")),
        planned(
            "mag-v", .agents, "MAG-V", [.data, .evaluation],
            "Grows test questions from seeds and judges an agent's tool calls by asking again in reverse-engineered forms, without a judge model.",
            Paper(
                "MAG-V: A Multi-Agent Framework for Synthetic Data Generation and Verification", "Sengupta et al.",
                2024, arXiv: "2412.04494")),
        planned(
            "mllm-tool", .agents, "MLLM-Tool", [.training, .data, .evaluation],
            "Teaches a text model to choose a tool when image, video or sound decides, through one projected soft token.",
            Paper(
                "MLLM-Tool: A Multimodal Large Language Model For Tool Agent Learning", "Wang et al.", 2024,
                arXiv: "2401.10727"), needs: [.completion, .open, .trainable]),
        planned(
            "multi-branch-agents", .agents, "TMBR", [.training, .inference],
            "Tunes a small agent on made role-play data and runs it with decomposition and backtracking, so that short paths suffice.",
            Paper(
                "Enhancing the General Agent Capabilities of Low-Parameter LLMs through Tuning and Multi-Branch Reasoning",
                "Zhou et al.", 2024, arXiv: "2403.19962"), needs: [.completion, .trainable]),
        planned(
            "ste", .agents, "STE", [.data, .training],
            "Imagines queries for each tool, tries them on the real tool and learns from what comes back, also as tools keep arriving.",
            Paper(
                "LLMs in the Imaginarium: Tool Learning through Simulated Trial and Error", "Wang et al.", 2024,
                arXiv: "2403.04746"), needs: [.completion, .trainable]),
        planned(
            "synatra", .agents, "Synatra", [.data, .training],
            "Makes next-action demonstrations for a web agent out of how-to articles and stray pages.",
            Paper(
                "Synatra: Turning Indirect Knowledge into Direct Demonstrations for Digital Agents at Scale",
                "Ou et al.", 2024, arXiv: "2409.15637"), needs: [.completion, .trainable]),
        planned(
            "tl-training", .agents, "TL-Training", [.training],
            "Drops turns that tool feedback proves wrong, weighs the tokens that decide the tool, then rewards by kind of error.",
            Paper(
                "TL-Training: A Task-Feature-Based Framework for Training Large Language Models in Tool Use",
                "Ye et al.", 2024, arXiv: "2412.15495"), needs: [.completion, .scoring, .trainable]),
        planned(
            "toolbench", .agents, "ToolBench", [.evaluation, .training],
            "Scores eight real tools by execution and gives a cheap recipe that makes a small open model usable on a tool of one's own.",
            Paper(
                "On the Tool Manipulation Capability of Open-source Large Language Models", "Xu et al.", 2023,
                arXiv: "2305.16504"), needs: [.completion, .trainable]),
    ]
}
