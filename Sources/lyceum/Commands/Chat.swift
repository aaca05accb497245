import ArgumentParser
import Foundation
import Inference
import Laboratory
import Text

struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Talk with a model in the terminal.",
        discussion: """
            Each line is a turn. /reset begins anew, /system TEXT changes what the model
            is told, /undo takes the last turn back, /quit (or Ctrl-D) ends. Ctrl-C
            stops an answer.

              lyceum chat
              lyceum chat --model ollama:llama3.2 --system "One sentence." --seed 3
            """)

    @OptionGroup var model: ModelArguments
    @OptionGroup var sampling: SamplingArguments

    @Option(help: "What the model is told before the conversation.")
    var system: String?

    func run() async throws {
        let reference = try model.reference()
        let model = try await Interrupts.cancelling { [settings = self.model.settings] in
            try await loadModel(reference, settings: settings)
        }
        let isTerminal = Terminal.standardOutput.isTerminal
        if isTerminal { Output.line("\(model.identity.name). /quit ends, /reset begins anew.") }
        var conversation = Conversation(system: system)
        while let line = Self.ask(isTerminal) {
            if line.allSatisfy(\.isWhitespace) { continue }
            if line.hasPrefix("/") {
                guard let answer = conversation.command(line) else { return }
                Output.line(answer)
                continue
            }
            conversation.messages.append(.user(line))
            let request = CompletionRequest(
                .chat(conversation.messages), sampling: sampling.sampling,
                stop: StopRule(maxTokens: sampling.maxTokens, strings: sampling.stop))
            do {
                let answer = try await Interrupts.cancelling { try await Streaming.print(model.stream(request)) }
                conversation.messages.append(.assistant(answer.text))
            } catch is CancellationError {
                Interrupts.forget()
                conversation.messages.removeLast()
                Output.line("\n(Stopped. The turn is taken back.)")
            }
        }
    }

    private static func ask(_ isTerminal: Bool) -> String? {
        if isTerminal { Output.write("> ") }
        return readLine()
    }

    private struct Conversation {
        var system: String?
        var messages: [ChatMessage]

        init(system: String?) {
            self.system = system
            messages = system.map { [.system($0)] } ?? []
        }

        /// Obeys a line that begins with a slash; nil ends the chat.
        mutating func command(_ line: String) -> String? {
            let words = line.split(separator: " ", maxSplits: 1)
            let rest = words.count > 1 ? String(words[1]) : ""
            switch words[0] {
            case "/quit", "/exit", "/bye": return nil
            case "/reset":
                self = Conversation(system: system)
                return "A new conversation."
            case "/system":
                self = Conversation(system: rest.isEmpty ? nil : rest)
                return "A new conversation\(rest.isEmpty ? "" : " under: \(rest)")"
            case "/undo":
                while messages.last?.role == .assistant { messages.removeLast() }
                if messages.last?.role == .user { messages.removeLast() }
                return "The last turn is gone."
            default:
                return "Commands: /reset, /system TEXT, /undo, /quit."
            }
        }
    }
}
