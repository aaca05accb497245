import ArgumentParser

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure speed and memory beside other engines.",
        discussion: """
            The peers (llama.cpp, OpenVINO GenAI, HF tokenizers) are set up and run by
            the project's Makefile, so that all figures come from one machine in one
            run:

              make bench
            """)

    func run() async throws {
        Output.line("The benchmark runs from the project's folder: make bench")
        Output.line("It sets up the peers, measures both sides, and writes Benchmarks/results.json.")
    }
}
