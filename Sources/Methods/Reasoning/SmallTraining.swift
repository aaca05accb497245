import Inference
import Laboratory
import Models
import Text
import Training

/// How a demonstration trains a small model of its own: sizes, rate and portions. What is the same for all of them stands in `train`: every
/// weight trains in f32, with AdamW under a cosine.
package struct SmallTraining: Sendable, Hashable {
    package var layers: Int
    package var hiddenSize: Int
    package var heads: Int
    /// In tokens.
    package var contextLength: Int
    /// The full learning rate.
    package var rate: Double
    package var samplesPerStep: Int
    /// Of one forward pass.
    package var tokensPerPass: Int
    package var epochs: Double
    /// Instead of epochs.
    package var steps: Int?

    package init(
        layers: Int = 3, hiddenSize: Int = 128, heads: Int = 4, contextLength: Int = 512, rate: Double = 2e-3,
        samplesPerStep: Int = 32, tokensPerPass: Int = 4096, epochs: Double = 1, steps: Int? = nil
    ) {
        self.layers = layers
        self.hiddenSize = hiddenSize
        self.heads = heads
        self.contextLength = contextLength
        self.rate = rate
        self.samplesPerStep = samplesPerStep
        self.tokensPerPass = tokensPerPass
        self.epochs = epochs
        self.steps = steps
    }

    /// A model of these sizes that has learnt nothing.
    ///
    /// - Parameter name: of the model that it is to become; of its random stream, too.
    /// - Returns: its folder in the run.
    package func start(
        _ name: String, _ tokenizer: TokenizerSpecification, chatTemplate: String? = nil, in lab: Lab
    ) throws -> String {
        try lab.newModel(
            "\(name)-start",
            NewModel(
                .llama(layers: layers, hiddenSize: hiddenSize, heads: heads, contextLength: contextLength),
                tokenizer: tokenizer, chatTemplate: chatTemplate))
    }

    /// Trains a model on texts, under a progress line, and opens the result.
    ///
    /// - Parameters:
    ///   - name: of the result's folder in the run and of the order's random stream.
    ///   - start: the folder of the model to go on from.
    package func train(
        _ name: String, on samples: [TokenSequence], from start: String, in lab: Lab
    ) async throws -> LocalModel {
        let run = TrainingRun(
            model: start, objective: Supervised(), parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(
                AdamW(beta2: 0.99), rate: rate, schedule: .init(.cosine(end: 0.02), warmUp: 30), decay: 0.01),
            samples: samples, output: try lab.modelFolder(name))
        try await follow(run, name, in: lab)
        return try lab.open(run.output)
    }

    /// Runs a training of any objective in these portions, in f32, under a progress line.
    ///
    /// - Parameter name: of the progress and of the order's random stream.
    package func follow<Training: Objective>(
        _ run: TrainingRun<Training>, _ name: String, in lab: Lab
    ) async throws {
        var run = run
        run.settings.samplesPerStep = samplesPerStep
        run.settings.tokensPerPass = tokensPerPass
        run.settings.epochs = epochs
        run.settings.steps = steps
        run.settings.seed = lab.seed("\(name): order")
        run.format = .f32
        run.precision = .f32
        try await lab.train(name, run)
    }
}

extension TokenSequence {
    /// A text in parts, some of which are to be learnt. Parts begin and end where the tokenizer cuts anyway, so that they are the tokens
    /// of the whole text.
    ///
    /// - Parameter isWhole: whether the token that ends a text follows, and counts as the last part does.
    package init(parts: [(text: String, counts: Bool)], _ tokenizer: Tokenizer, isWhole: Bool = false) {
        var tokens: [TokenID] = []
        var weights: [Float] = []
        for part in parts {
            let own = tokenizer.encode(part.text)
            tokens += own
            weights += own.map { _ in part.counts ? 1 : 0 }
        }
        if isWhole, let end = tokenizer.eos {
            tokens.append(end)
            weights.append(weights.last ?? 1)
        }
        self.init(tokens, weights: weights)
    }
}
