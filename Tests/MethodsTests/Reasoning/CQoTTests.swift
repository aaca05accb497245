import Foundation
import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct CQoTTests {
    private let question = Question(id: "1", "What is 2 + 2?", kind: .number, golds: ["4"])

    /// Alternates plans with probes that say "Yes" this often; what comes after is the answer.
    private func model(_ yes: [Int]) -> ScriptedModel {
        ScriptedModel { _, index in
            if index == 2 * yes.count { return "The answer is 4." }
            return index.isMultiple(of: 2)
                ? "plan \(index / 2 + 1)" : Array(repeating: "Yes", count: yes[index / 2]).joined(separator: " ")
        }
    }

    private func turns(_ request: CompletionRequest?) -> [ChatMessage] {
        if case .chat(let messages, _)? = request?.prompt { messages } else { [] }
    }

    static let sequences: [(yes: [Int], outcome: String)] = [
        ([8], "strict, draft 1"),
        ([7], "strict, draft 1"),
        ([6, 6, 8], "strict, draft 3"),
        // The fourth retry is still strict: five don't suffice and a sixth draft is made.
        ([6, 6, 6, 6, 5, 7], "strict, draft 6"),
        ([6, 6, 6, 6, 6, 5], "relaxed, draft 6"),
        ([0, 0, 0, 0, 0, 4, 5], "relaxed, draft 7"),
        (Array(repeating: 0, count: 11), "exhausted, draft 11"),
        (Array(repeating: 4, count: 11), "exhausted, draft 11"),
    ]

    @Test(arguments: sequences)
    func theGateOpensAtTheRightDraft(yes: [Int], outcome: String) async throws {
        let model = model(yes)
        let attempt = try await PlannedAnswering(.init()).attempt(question, asking: model, seed: 1)
        #expect(attempt.solution.outcome == outcome)
        #expect(attempt.cost.calls == 2 * yes.count + 1)
        #expect(attempt.isRight)
        #expect(turns(model.requests.last)[1] == .assistant("plan \(yes.count)"))
    }

    @Test func callsHaveTheirRolesAndSampling() async throws {
        let model = model([8])
        _ = try await PlannedAnswering(.init()).attempt(question, asking: model, seed: 1)
        #expect(
            model.requests.map { turns($0).map(\.role) } == [
                [.system, .user], [.system, .assistant, .user], [.system, .assistant, .user],
            ])
        #expect(model.requests.map(\.sampling.temperature) == [0.8, 0.2, 0.2])
        #expect(model.requests.allSatisfy { $0.sampling.topP == 0.95 && $0.stop.maxTokens == 2000 })
        #expect(turns(model.requests[1])[2].content.hasPrefix("What is 2 + 2?"))
        for critical in CriticalQuestions.toulmin { #expect(turns(model.requests[1])[0].content.contains(critical)) }
        #expect(turns(model.requests[2])[2] == .user("What is 2 + 2?"))
    }

    @Test func aRejectedPlanLeavesNoTraceUnlessAskedFor() async throws {
        let plain = model([0, 8])
        _ = try await PlannedAnswering(.init()).attempt(question, asking: plain, seed: 1)
        #expect(turns(plain.requests[0]) == turns(plain.requests[2]))
        #expect(plain.requests[0].sampling.seed != plain.requests[2].sampling.seed)
        let refined = model([0, 8])
        _ = try await PlannedAnswering(.init { $0.feedback = true }).attempt(question, asking: refined, seed: 1)
        #expect(refined.requests[2].prompt.plainText.contains("plan 1"))
    }

    @Test func withoutProbesThereAreTwoCalls() async throws {
        let model = ScriptedModel(["plan", "The answer is 5."])
        let attempt = try await PlannedAnswering(.init(), isProbed: false).attempt(question, asking: model, seed: 1)
        #expect(attempt.cost.calls == 2 && !attempt.isRight)
    }

    @Test(arguments: [
        ("1. Yes\n2. No\n3. yes", 1, 2), ("Yes, Yes: Yes", 3, 0), ("1) YES\n2) Yes\n2) No", 1, 2), ("", 0, 0),
        ("Question 8: Yes, since Yes", 2, 1), ("9. Yes", 1, 0), ("Yes\nno\nyes", 1, 2), ("1. Yesterday", 1, 0),
    ])
    func yesIsCountedByMode(reply: String, literal: Int, perQuestion: Int) {
        #expect(CriticalQuestions(mode: .literal).verdicts(in: reply).yes == literal)
        let verdicts = CriticalQuestions(mode: .perQuestion).verdicts(in: reply)
        #expect(verdicts.yes == perQuestion)
        #expect(verdicts.each.count == 8)
    }

    private struct TurnsRefused: Error {}

    @Test func aRefusedTurnIsQuoted() async throws {
        let model = ScriptedModel { request, index in
            if case .chat(let messages, _) = request.prompt, messages[1].role == .assistant { throw TurnsRefused() }
            return index == 0 ? "my plan" : "Yes Yes Yes Yes Yes Yes Yes. The answer is 4."
        }
        let attempt = try await PlannedAnswering(.init()).attempt(question, asking: model, seed: 1)
        #expect(attempt.isRight)
        #expect(attempt.steps.map(\.name).filter { $0 == "plan quoted" }.count == 2)
        #expect(turns(model.requests.last)[1].content.contains("my plan"))
        await #expect(throws: TurnsRefused.self) {
            try await PlannedAnswering(.init { $0.planTurn = .assistant }).attempt(question, asking: model, seed: 1)
        }
    }

    @Test func aRunHasFourArms() async throws {
        let model = ScriptedModel { _, _ in "Yes Yes Yes Yes Yes Yes Yes 4. The answer is 4" }
        let records: [JSONValue] = [["question": "What is 2 + 2?", "answer": 4]]
        let lab = Lab(slug: "cqot", subject: model, dataSet: DataSet(name: "made", records: records))
        let report = try await CQoT().run(.init(), in: lab)
        let names = report.metrics.map(\.name)
        for arm in ["direct", "zero-shot-cot", "plan-only", "cqot"] { #expect(names.contains("accuracy, \(arm)")) }
    }

    @Test func wrongOptionsAreRefused() {
        #expect(throws: OptionError.self) { try CQoT.Options { $0.acceptMin = 9 } }
        #expect(throws: OptionError.self) { try CQoT.Options { $0.relaxedMin = 8 } }
        #expect(throws: OptionError.self) { try CQoT.Options { $0.questions = [] } }
        #expect(throws: OptionError.self) { try CQoT.Options { $0.planTopP = 0 } }
        let error = #expect(throws: OptionError.self) { try CQoT.Options { $0.planTemperature = 0 } }
        #expect(error?.description.contains("--max-retries 0") == true)
    }
}

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: ModelReference.embeddedFile.path),
        "the embedded model is not in the cache; make demo fetches it"))
struct CQoTEndToEndTests {
    @Test(.timeLimit(.minutes(5))) func theDemoOnAFewItems() async throws {
        let model = try LocalModel(path: ModelReference.embeddedFile.path, reference: "embedded")
        let demonstration = try await CQoT().demo(in: Lab(slug: "cqot", subject: model, limit: 2))
        for check in demonstration.checks where check.role == .mechanism {
            #expect(check.holds, "\(check.name): \(check.measured)")
        }
        #expect(!demonstration.isExpectedAtThisSize)
    }
}
