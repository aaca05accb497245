import Laboratory

extension Cards {
    static let serving: [MethodCard] = [
        planned(
            "parrot", .serving, "Parrot", [.serving],
            "Serves whole programs of calls: named variables let the server share prefixes and run dependent calls by itself.",
            Paper(
                "Parrot: Efficient Serving of LLM-based Applications with Semantic Variable", "Lin et al.", 2024,
                arXiv: "2405.19888")),
        planned(
            "peak-performance", .serving, "Efficiency checklist", [.survey, .evaluation],
            "Turns the field's techniques for speed and memory into switches and measures each on one's own model.",
            Paper(
                "Achieving Peak Performance for Large Language Models: A Systematic Review", "Rostam et al.", 2024,
                arXiv: "2409.04833")),
    ]
}
