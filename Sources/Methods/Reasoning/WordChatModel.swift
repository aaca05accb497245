import Inference
import Laboratory
import Models
import Text
import Training

/// A small chat model over a closed list of words that starts from nothing: what demonstrations train in the run when a method needs
/// a model that has learnt its format. Texts are cut at white space, one token a word.
@dynamicMemberLookup
package struct WordChatModel: Sendable {
    /// A conversation with the turns that its loss counts.
    package struct Sample: Sendable, Hashable {
        package var messages: [ChatMessage]
        package var counting: Set<Int>
        /// So many first words of what counts do not: they are drawn by chance, and there is nothing to learn about them.
        package var unpredictable: Int
        /// What words weigh in the loss, where they count, if not 1: rare decisions among words that follow from others.
        package var weights: [String: Float]

        /// - Parameter counting: nil: the assistant's turns.
        package init(
            _ messages: [ChatMessage], counting: Set<Int>? = nil, unpredictable: Int = 0,
            weights: [String: Float] = [:]
        ) {
            self.messages = messages
            self.unpredictable = unpredictable
            self.weights = weights
            self.counting =
                counting ?? Set(messages.indices.filter { messages[$0].role == .assistant })
        }

        /// Words to be said again: what teaches a model to copy.
        package static func repetition(of words: [String]) -> Sample {
            let text = words.joined(separator: " ")
            return Sample([.user(text), .assistant(text)])
        }

        /// What the sample's tokens weigh, given what they weigh where all words are alike.
        func weights(of sequence: TokenSequence, _ tokenizer: Tokenizer) -> [Float] {
            var found = sequence.weights
            for (word, weight) in weights {
                let pieces = tokenizer.encode(word)
                for start in sequence.tokens.indices where sequence.tokens[start...].starts(with: pieces) {
                    for place in start..<start + pieces.count where found[place] > 0 { found[place] = weight }
                }
            }
            for place in found.indices.filter({ found[$0] > 0 }).prefix(unpredictable) { found[place] = 0 }
            return found
        }
    }

    package var training: SmallTraining
    /// What words outside the list are spelt with, letters or syllables, so that unseen names and numbers can be read and copied; line
    /// breaks are tokens then. Empty: the words of the samples are the list, and others are unknown.
    package var pieces: [String] = []

    package init(_ training: SmallTraining = SmallTraining()) { self.training = training }

    /// Sizes, rate and portions of the training.
    package subscript<Value>(dynamicMember setting: WritableKeyPath<SmallTraining, Value>) -> Value {
        get { training[keyPath: setting] }
        set { training[keyPath: setting] = newValue }
    }

    /// Each turn is its role's token, its words and the end token.
    package static let template =
        "{% for message in messages %}"
        + "{% if message.role == 'system' %}<|system|>{% elif message.role == 'user' %}<|user|>"
        + "{% else %}<|assistant|>{% endif %}{{ message.content }}<|end|>{% endfor %}"
        + "{% if add_generation_prompt %}<|assistant|>{% endif %}"

    /// The words of texts, each once, sorted.
    package static func words(of texts: some Sequence<String>) -> [String] {
        var words: Set<String> = []
        for text in texts { words.formUnion(text.split(whereSeparator: \.isWhitespace).map(String.init)) }
        return words.sorted()
    }

    /// Trains a new model on conversations, under a progress line, and opens it.
    ///
    /// - Parameters:
    ///   - name: of its folder in the run and of its random streams.
    ///   - words: known beyond those of the samples; with pieces all that are not spelt.
    ///   - base: an earlier result to go on from instead; its words stay as they are.
    package func train(
        _ name: String, on samples: [Sample], words: [String] = [], from base: LocalModel? = nil, in lab: Lab
    ) async throws -> LocalModel {
        let special = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
        let tokenizer: TokenizerSpecification =
            pieces.isEmpty
            ? .words(Self.words(of: samples.lazy.flatMap { $0.messages.map(\.content) } + words), special: special)
            : .words(Self.words(of: words), speltWith: pieces, special: special)
        let start =
            try base?.identity.reference ?? training.start(name, tokenizer, chatTemplate: Self.template, in: lab)
        let text = try ModelText(path: start)
        var encoder = try SampleEncoder(text, limit: training.contextLength)
        let sequences = try samples.map { sample in
            let sequence = try encoder.conversation(sample.messages, counting: sample.counting)
            return TokenSequence(sequence.tokens, weights: sample.weights(of: sequence, text.tokenizer))
        }
        return try await training.train(name, on: sequences, from: start, in: lab)
    }
}
