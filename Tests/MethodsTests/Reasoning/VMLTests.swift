import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct VMLTests {
    private let number = VerbalTask(.numbers(1), sentence: "S.")

    static let predictions: [(reply: String, value: Double?)] = [
        ("Explanations: 3 times 2.\nOutput: 6", 6), ("Output: [7.25]", 7.25), ("**Output:** $-3$", -3),
        ("Output: \\boxed{1,200}", 1200), ("Output: −4.5 units, not 9", -4.5), ("Output:\n\n0.10\n(1)", 0.1),
        ("Output: [your output]\nOutput: 2", 2), ("The answer is 6", nil), ("Output: none", nil), ("", nil),
    ]

    @Test(arguments: predictions) func theFirstNumberBehindTheLastMarkerIsThePrediction(reply: String, value: Double?) {
        let found = VerbalReply.prediction(in: reply, marker: "Output:", .numbers(1))
        #expect(found == value.map { .numbers([$0]) })
    }

    @Test func shapesMustFit() {
        let two = VerbalTask.Target.numbers(2)
        #expect(VerbalReply.prediction(in: "Output: [1.5, -2]", marker: "Output:", two) == .numbers([1.5, -2]))
        #expect(VerbalReply.prediction(in: "Output: 1.5", marker: "Output:", two) == nil)
        #expect(VerbalReply.prediction(in: "Output: [1, 2, 3]", marker: "Output:", two) == nil)
        let labels = VerbalTask.Target.labels(["red", "red wine", "blue"])
        #expect(VerbalReply.prediction(in: "Output: \"Red wine\"", marker: "Output:", labels) == .text("red wine"))
        #expect(VerbalReply.prediction(in: "output: red.", marker: "Output:", labels) == .text("red"))
        #expect(VerbalReply.prediction(in: "Output: green", marker: "Output:", labels) == nil)
    }

    static let updates: [(reply: String, text: String?)] = [
        ("Reasoning: r\nNew Pattern Descriptions: y = 2x", "y = 2x"),
        ("**New Pattern Descriptions:** y is twice x.\n```\ncode\n```\nDone", "y is twice x."),
        ("New Pattern Descriptions:\n```text\ny = 2x\n+ 1\n```\nI hope this helps.", "y = 2x\n+ 1"),
        ("New pattern descriptions: `a`", "a"),
        ("New Pattern Descriptions: a\nNew Pattern Descriptions: b", "b"), ("New Pattern Descriptions: ```\n```", nil),
        ("New Pattern Descriptions: …", nil), ("y = 2x", nil),
    ]

    @Test(arguments: updates) func descriptionsAreStripped(reply: String, text: String?) {
        #expect(VerbalReply.descriptions(in: reply, marker: "New Pattern Descriptions:") == text)
    }

    @Test func fillingInIsDoneOnce() {
        #expect(VerbalWording.fill("{a} {b} {c} {", ["a": "{b}", "b": "2"]) == "{b} 2 {c} {")
    }

    @Test func theLoopKeepsItsRules() async throws {
        #expect(try await VML.rules() == 1)
    }

    /// Two batches with exact prompts: what the optimizer sees, and θ₀ + " " + θ in the next step.
    @Test func promptsHoldTheBatchAndTheParameters() async throws {
        let model = ScriptedModel { request, _ in
            request.prompt.plainText.contains("Inference") ? "Output: 5" : "Reasoning: why\nNew Pattern Descriptions: T"
        }
        let task = VerbalTask(.numbers(1), sentence: "S.", prior: "P.", decimals: 1)
        let calls = VerbalCalls(model)
        var training = VerbalTraining(
            learner: VerbalLearner(task, calls: calls),
            optimizer: VerbalOptimizer(task, calls: calls, instruction: "No symbols."))
        training.batchSize = 2
        training.epochs = 1
        let data = VerbalData(train: [(1, 2), (2, 4.04), (3, 6)].map { VerbalPoint($0.0, $0.1) }, test: [])
        let history = try await training.run(on: data)
        let prompts = model.requests.map { $0.prompt.plainText }
        let updates = prompts.filter { $0.contains("Optimization") }
        #expect(prompts.count == 3 + 2 && updates.count == 2)
        #expect(
            updates[0].contains("[1.0, 2.0]") && updates[0].contains("[5.0, 5.0]") && updates[0].contains("[2.0, 4.0]"))
        #expect(updates[0].contains("\nS. P.\n") && updates[0].contains("found. No symbols."))
        #expect(prompts.contains { $0.contains("Inference") && $0.contains("\nS. P. T\n") })
        #expect(history.steps[1].reasoning.contains("why"))
        // (5 − 2)² and (5 − 4.04)²: losses are of the data, not of their rounded text.
        let loss = try #require(history.steps[1].trainLoss).value
        #expect(abs(loss - 4.9608) < 1e-9)
    }

    @Test func unreadableRepliesAreAskedForAgainAndNoMore() async throws {
        let model = ScriptedModel { _, index in index < 2 ? "hm" : "Output: 1" }
        let learner = VerbalLearner(number, calls: VerbalCalls(model, retries: 2))
        let found = try await learner.predict(.numbers([1]), parameters: "S.", as: "p")
        #expect(found.value == .numbers([1]) && found.failures == 2)
        // Asked again means sampled: greedy would say the same once more.
        #expect(model.requests.map { $0.sampling.temperature > 0 } == [false, true, true])
        let mute = ScriptedModel { _, _ in "hm" }
        let none = try await VerbalLearner(number, calls: VerbalCalls(mute, retries: 5))
            .predict(.numbers([1]), parameters: "S.", as: "p")
        #expect(none.value == nil && mute.requests.count == 6)
    }

    @Test func theBestStepIsChosenByValidationAlone() async throws {
        // Step 1 predicts validation well and the test badly, step 2 the other way round.
        let model = ScriptedModel { request, _ in
            let text = request.prompt.plainText
            if text.contains("Optimization") {
                return "New Pattern Descriptions: " + (text.contains("first") ? "second" : "first")
            }
            return text.contains("S. first") ? "Output: 1" : "Output: 9"
        }
        let calls = VerbalCalls(model)
        var training = VerbalTraining(
            learner: VerbalLearner(number, calls: calls), optimizer: VerbalOptimizer(number, calls: calls))
        training.batchSize = 1
        training.epochs = 1
        training.kept = .best
        let data = VerbalData(
            train: [VerbalPoint(0, 0), VerbalPoint(1, 1)], validation: [VerbalPoint(5, 1)], test: [VerbalPoint(5, 9)])
        let history = try await training.run(on: data)
        #expect(history.descriptions == "first" && history.chosen == 1)
        training.kept = .last
        #expect(try await training.run(on: data).descriptions == "second")
    }

    @Test func longDescriptionsAreCut() async throws {
        let model = ScriptedModel { _, _ in "New Pattern Descriptions: abcdefgh" }
        let update = try await VerbalOptimizer(number, calls: VerbalCalls(model), longest: 3)
            .update([VerbalPoint(1, 1)], predictions: [nil], parameters: "S.", memory: [], as: "u")
        #expect(update.descriptions == "abc" && update.wasCut)
        #expect(update.turn.user.contains("[?]"))
    }

    @Test func testLossesAreSplitByTheTrainingRange() throws {
        let data = VerbalData(
            train: [VerbalPoint(0, 0), VerbalPoint(2, 2)],
            test: [VerbalPoint(1, 1), VerbalPoint(2, 2), VerbalPoint(3, 3)])
        let test = VerbalTraining.test([.numbers([1]), nil, .numbers([5])], data, number)
        #expect(test.inRange.value == 0 && test.inRange.count == 2 && test.inRange.unread == 1)
        #expect(test.outOfRange.value == 4 && test.all.value == 2)
    }

    @Test func badDataAreRefused() {
        func check(_ points: [VerbalPoint], batch: Int = 1) -> VerbalError? {
            do { try VerbalData(train: points, test: []).check(batchSize: batch) } catch { return error }
            return nil
        }
        #expect(check([VerbalPoint(1, .nan)]) == .notFinite(point: 1))
        #expect(check([VerbalPoint(1, 2), VerbalPoint(1, 3)]) == .constantFeature(1))
        #expect(check([VerbalPoint(1, 2)], batch: 2) == .batchTooLarge(batch: 2, points: 1))
        #expect(check([]) == .noPoints("training"))
        #expect(
            check([VerbalPoint(1, 2), VerbalPoint(.text("a"), .numbers([2]))])
                == .mixedShapes(point: 2, expected: "a number and, to be predicted, a number"))
        #expect(check([VerbalPoint(1, 2), VerbalPoint(2, 2)]) == nil)
    }

    @Test func cardsSurviveTheirFile() async throws {
        let card = VerbalModelCard(
            VerbalTask(.labels(["a", "b"]), prior: "P \"q\"", decimals: 3), descriptions: "two\nlines # here")
        #expect(try VerbalModelCard(parsing: card.text(), path: "f") == card)
        let model = ScriptedModel { request, _ in
            request.prompt.plainText.contains("two\nlines") ? "Output: b" : ""
        }
        #expect(try await card.predict([.text("x")], calls: VerbalCalls(model)) == [.text("b")])
        for bad in ["", "hello", "# Verbal model 1\n\n## Descriptions\n\nx"] {
            #expect(throws: VerbalError.self) { try VerbalModelCard(parsing: bad, path: "f") }
        }
    }

    @Test func leastSquaresFitQuadraticsAndCircles() throws {
        let points = (-5...5).map { (x: Int) -> VerbalPoint in
            let y = 3 * x * x + x + 2
            return VerbalPoint(Double(x), Double(y))
        }
        let quadratic = VerbalData(train: points, test: [VerbalPoint(10, 312)])
        let found = LeastSquares.predictions(quadratic, .numbers(1))
        guard case .numbers(let values)? = found[0], let value = values.first else {
            Issue.record("no number")
            return
        }
        #expect(abs(value - 312) < 1e-3)
        let (task, circles) = ReferenceTask.circles.data(using: SeededGenerator(seed: 1))
        let predicted = LeastSquares.predictions(circles, task.target)
        #expect(VerbalLoss(predicted, of: circles.test, task).value == 0)
    }

    @Test func referenceTasksReachBeyondTheTrainingRange() {
        let (_, data) = ReferenceTask.linear.data(using: SeededGenerator(seed: 1))
        #expect(data.train.count == 100 && data.test.count == 40)
        #expect(data.test.first?.input == .numbers([-1]) && data.test.last?.input == .numbers([3]))
        #expect(data.test.last?.target == .numbers([13]))
    }

    @Test func aSolutionIsRewrittenUntilNothingIsWrong() async throws {
        let model = ScriptedModel([
            "The answer is 3.", "2 + 2 is not 3.", "no marker", "Still 3.", "New Solution: The answer is 4.",
            "No errors.",
        ])
        let question = Question(id: "1", "What is 2 + 2?", kind: .number, golds: ["4"])
        let attempt = try await InstanceVML().attempt(question, asking: model, seed: 1)
        #expect(attempt.isRight && attempt.cost.calls == 6 && attempt.solution.outcome == "no errors after 2")
        // The reply without the marker left the solution as it was.
        #expect(model.requests[3].prompt.plainText.contains("** Current Solution **\nThe answer is 3."))
        let twice = ScriptedModel { _, index in index.isMultiple(of: 2) ? "New Solution: x" : "wrong" }
        #expect(try await InstanceVML(steps: 2).attempt(question, asking: twice, seed: 1).cost.calls == 5)
    }

    @Test func aRunLeavesACardAndComparesWithItsBaselines() async throws {
        let model = ScriptedModel { request, _ in
            let text = request.prompt.plainText
            if text.contains("Optimization") { return "New Pattern Descriptions: y is x" }
            guard text.contains("y is x"), let at = text.range(of: "** Input **\n") else { return "Output: 0" }
            return "Output: " + (text[at.upperBound...].split(separator: "\n").first ?? "")
        }
        let records = DataSet(
            name: "line", records: (1...12).map { ["x": .integer($0), "y": .integer($0)] })
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vml-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = Lab(slug: "vml", subject: model, dataSet: records, outputFolder: folder)
        let options = try VML.Options {
            $0.batchSize = 5
            $0.epochs = 1
            $0.testShare = 0.25
        }
        let report = try await VML().run(options, in: lab)
        let card = try VerbalModelCard(path: folder.appendingPathComponent("model-card.md").path)
        #expect(card.descriptions == "y is x")
        #expect(report.metrics.first { $0.name == "mean squared error, test" }?.estimate.value == 0)
        #expect(report.metrics.contains { $0.name.contains("in-context") })
        // 9 training points in batches of 5 and 4 with an update each, 3 test points three times (start, end, in-context).
        #expect(model.requests.count == 20)
        #expect(throws: OptionError.self) { try VML.Options { $0.memory = 3 } }
        await #expect(throws: VerbalError.self) {
            _ = try await VML().run(try VML.Options { $0.batchSize = 50 }, in: lab)
        }
    }
}
