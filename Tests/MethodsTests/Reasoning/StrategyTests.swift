import Catalogue
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct StrategyTests {
    private let questions = (1...6).map {
        Question(id: "\($0)", "Item \($0)?", kind: .number, golds: ["\($0)"])
    }

    /// Says the item's own number when asked to reason first, else 1.
    private let model = ScriptedModel { request, _ in
        let prompt = request.prompt.plainText
        let number = prompt.split(separator: " ").first { $0.contains("?") }?.prefix { $0 != "?" } ?? ""
        if prompt.contains("Therefore") { return " \(number)." }
        return prompt.contains("think") ? " It is \(number)." : " 1"
    }

    @Test func aComparisonCountsWhatWasAskedAndTestsPairs() async throws {
        let lab = Lab(slug: "compare", subject: model)
        let comparison = try await StrategyComparison(
            [DirectStrategy(), try Catalogue.standard.strategy("zero-shot-cot")], on: questions, asking: model, in: lab)
        #expect(model.requests.count == 6 + 12)
        #expect(try comparison.accuracy(0).value == 1.0 / 6)
        #expect(try comparison.accuracy(1).value == 1)
        // Five pairs disagree, all one way: 2 × 0.5⁵.
        #expect(abs(try comparison.difference(1).test.pValue - 2 / 32.0) < 1e-12)
        #expect(comparison.mean(1, \.cost.calls) == 2)
        #expect(comparison.dearest == 1)
        let table = try comparison.table()
        #expect(table.rows.map { $0[0] } == ["direct", "zero-shot-cot"])
        #expect(table.rows[1][1] == "100.0 %" && table.rows[1][4] == "0.063")
        #expect(comparison.samples().map(\.arms.count) == [2, 2, 2, 2, 2, 2])
        #expect(comparison.samples()[0].arms[1].steps.count == 4)
    }

    @Test func theEqualBudgetViewBuysVotes() async throws {
        let lab = Lab(slug: "compare", subject: model)
        let comparison = try await StrategyComparison(
            [DirectStrategy(), try Catalogue.standard.strategy("zero-shot-cot")], on: questions, asking: model, in: lab)
        // A scripted model's tokens are words: 1 for direct, 3 + 1 for the two calls.
        let votes = comparison.equalBudgetVotes(most: 40, temperature: 0.5)
        #expect(votes.map(\.samples) == [4])
        var report = try comparison.report("x")
        try await comparison.addEqualBudget(to: &report, asking: model, in: lab, most: 3, temperature: 0.5)
        #expect(report.metrics.map(\.name).contains("accuracy at equal budget, direct, vote of 3"))
    }

    @Test func votesAreSampledFromStreamsOfTheirOwn() async throws {
        let answers = ["7", "8", "7"]
        let model = ScriptedModel { _, index in answers[index % 3] }
        let vote = MajorityVote(of: DirectStrategy(), samples: 3, temperature: 0.9)
        let attempt = try await vote.attempt(questions[0], asking: model, seed: 5)
        #expect(attempt.solution.answer == "7")
        #expect(attempt.cost.calls == 3)
        #expect(model.requests.allSatisfy { $0.sampling.temperature == 0.9 })
        #expect(Set(model.requests.compactMap(\.sampling.seed)).count == 3)
        #expect(attempt.steps.map(\.name).first == "path 1, call: prompt")
        let again = try await vote.attempt(questions[0], asking: model, seed: 5)
        #expect(
            Set(model.requests.suffix(3).map(\.sampling.seed)) == Set(model.requests.prefix(3).map(\.sampling.seed)))
        #expect(again.solution.answer == "7")
    }

    @Test func strategiesAreFoundByTheirNames() throws {
        let names = Catalogue.standard.strategyNames
        #expect(names.first == "direct")
        #expect(names.contains("zero-shot-cot"))
        for name in names { #expect(try Catalogue.standard.strategy(name).name == name) }
        let unknown = #expect(throws: StrategyError.self) { try Catalogue.standard.strategy("dirct") }
        #expect(unknown?.description.contains("Strategies: direct,") == true)
        let outer = #expect(throws: StrategyError.self) { try Catalogue.standard.strategy("zero-shot-cot:direct") }
        #expect(outer?.description.contains("can't be put around direct") == true)
    }

    @Test func optionsStandInBrackets() async throws {
        let strategy = try Catalogue.standard.strategy("sec[k=2;on-failure=zero-shot]")
        #expect(strategy.name == "sec[k=2;on-failure=zero-shot]")
        let around = try Catalogue.standard.strategy("jekyll-hyde[k=1]:zero-shot-cot[max-length-cot=7]")
        #expect(around.name == "jekyll-hyde[k=1]:zero-shot-cot[max-length-cot=7]")
        for wrong in ["sec[k=2", "sec[]", "sec[k]", "sec[=2]"] {
            #expect(throws: StrategyError.badOptions(wrong)) { try Catalogue.standard.strategy(wrong) }
        }
        for wrong in ["sec[k=many]", "sec[kk=2]"] {
            #expect(throws: OptionError.self) { try Catalogue.standard.strategy(wrong) }
        }
        #expect(throws: StrategyError.self) { try Catalogue.standard.strategy("direct[k=1]") }
    }

    @Test func compareRunsLikeAnyMethod() async throws {
        let records: [JSONValue] = (1...4).map { ["question": .string("Item \($0)?"), "answer": .integer($0)] }
        let lab = Lab(slug: "compare", subject: model, dataSet: DataSet(name: "made", records: records))
        let report = try await CompareStrategies().run(.init { $0.equalBudget = true }, in: lab)
        #expect(report.summary.contains("direct answers 25.0 % of 4 questions right, zero-shot-cot 100.0 %"))
        #expect(throws: OptionError.self) { try CompareStrategies.Options { $0.strategies = [] } }
        #expect(throws: OptionError.self) { try CompareStrategies.Options { $0.strategies = ["direct", "direct"] } }
        let wrong = #expect(throws: OptionError.self) { try CompareStrategies.Options { $0.strategies = ["drect"] } }
        #expect(wrong?.description.contains("--strategies") == true)
    }

    @Test func aStrategyIsRefusedWhereTheModelCannot() async throws {
        struct Scored: ReasoningStrategy {
            let name = "scored"
            let needs: Capabilities = [.completion, .scoring]
            func solve(_ inquiry: Inquiry) async throws -> Solution { Solution(answer: "", text: "") }
        }
        await #expect(throws: CapabilityError.self) {
            try await StrategyComparison(
                [DirectStrategy(), Scored()], on: questions, asking: model, in: Lab(slug: "compare", subject: model))
        }
        #expect(model.requests.isEmpty)
        await #expect(throws: StatisticsError.self) {
            try await StrategyComparison([DirectStrategy()], on: [], asking: model, in: Lab(slug: "x", subject: model))
        }
    }

    @Test func theComparisonOfAStrategyWithItselfHolds() async throws {
        let demonstration = try await CompareStrategies().demo(in: Lab(slug: "compare", subject: model, limit: 5))
        #expect(demonstration.checks.count == 3)
        for check in demonstration.checks { #expect(check.holds, "\(check.name)") }
    }
}
