import Foundation
import Inference
import Laboratory
import Models
import Testing
import Text
import Training
import Unlearning

@Suite struct NPOTests {
    @Test func miniTOFU() {
        var generator = SeededGenerator(seed: 1)
        let facts = MiniTOFU(using: &generator)
        #expect(facts.facts.count == 480 && facts.forget.count == 48 && facts.retain.count == 432)
        let words = Set(MiniTOFU.words)
        #expect(words.count == MiniTOFU.words.count && (140...160).contains(words.count))
        for fact in facts.facts {
            #expect((fact.question + " " + fact.answer).split(separator: " ").allSatisfy { words.contains(String($0)) })
            #expect(fact.wrongAnswers.count == 5 && !fact.wrongAnswers.contains(fact.answer))
            #expect(Set(fact.wrongAnswers).count == 5)
        }
        #expect(Set(facts.facts.map(\.question)).count == 480)
        #expect((200_000...300_000).contains(MiniTOFU.model.parameterCount))
    }

    func findings(_ probability: Double, _ rouge: Double, _ ratio: Double?) -> AnswerFindings {
        AnswerFindings(probability: probability, rouge: rouge, isExact: rouge == 1, ratio: ratio, reply: "")
    }

    /// R of 2 and 1/2: min(R, 1/R) is 1/2 for both, max(0, 1 - 1/R) 1/2 and 0.
    @Test func measures() throws {
        let set = AuditFindings([findings(0.5, 1, 2), findings(0.25, 0.5, 0.5)])
        #expect(set.forgetTruthRatio == 0.5 && set.retainTruthRatio == 0.25)
        #expect(set.probability == 0.375 && set.rouge == 0.75 && set.exactMatch == 0.5)
        #expect(abs(ForgetGrade.utility([set]) - 3 / (1 / 0.375 + 1 / 0.75 + 1 / 0.25)) < 1e-12)
        #expect(ForgetGrade.utility([set, AuditFindings([findings(0, 1, 2)])]) == 0)
        #expect(AuditFindings([findings(1, 1, nil)]).forgetTruthRatio == nil)
        #expect(abs(AnswerAudit.ratio(-1, [-2, -4]) - exp(2)) < 1e-12)
        #expect(AnswerAudit.ratio(0, [-1e9]).isFinite)
    }

    @Test func optionsAreChecked() throws {
        #expect(throws: OptionError.self) { try NPO.Options { $0.klWeight = 1 } }
        #expect(throws: OptionError.self) { try NPO.Options { $0.beta = 0 } }
        #expect(throws: OptionError.self) {
            try NPO.Options {
                $0.retainModel = Path("a")
                $0.retainValues = Path("b")
            }
        }
        let short = try #require(NPO.warning(NPO.Options(), lengths: [3, 3]))
        #expect(short.contains("0.3") && short.contains("--beta"))
        #expect(NPO.warning(NPO.Options(), lengths: [60]) == nil)
        #expect(NPO.warning(try NPO.Options { $0.loss = .ga }, lengths: [3]) == nil)
    }
}

/// On a model that learns a few facts in seconds.
@Suite struct NPOEndToEndTests {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lyceum-npo-\(UUID().uuidString)")

    func lab(_ model: LocalModel?, _ data: DataSet?) -> Lab {
        Lab(slug: "npo", subject: model, dataSet: data, outputFolder: folder) { reference in
            try LocalModel(path: reference.localPath(), reference: reference.description)
        }
    }

    func data(_ facts: [MiniTOFU.Fact]) -> [JSONValue] {
        facts.map {
            [
                "question": .string($0.question), "answer": .string($0.answer),
                "perturbed_answer": .array($0.wrongAnswers.map { .string($0) }),
            ]
        }
    }

    func write(_ records: [JSONValue], _ name: String) throws -> Path {
        let file = folder.appendingPathComponent(name)
        try Data(records.map { $0.text() }.joined(separator: "\n").utf8).write(to: file)
        return Path(file.path)
    }

    @Test(.timeLimit(.minutes(4))) func forgetsTheRecordsAndKeepsTheRest() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var generator = SeededGenerator(seed: 3)
        let facts = MiniTOFU(authors: 8, forgottenAuthors: 2, using: &generator)
        let start = try lab(nil, nil).newModel("untaught", MiniTOFU.model)
        let format = QuestionFormat(try ModelText(path: start), limit: 64)
        let taught = try await MiniTOFU.train(
            "taught", from: start, on: facts.facts, format: format, epochs: 60, in: lab(nil, nil))
        let records = data(facts.forget)
        let options = try NPO.Options {
            $0.beta = 1
            $0.rate = 2e-3
            $0.batch = 8
            $0.epochs = 6
            $0.warmUpEpochs = 0
        }
        let model = try LocalModel(path: taught, reference: taught)
        var full = options
        full.retainData = try write(data(facts.retain), "retain.jsonl")
        full.retainModel = Path(start)
        full.klWeight = 0.5
        let report = try await NPO().run(full, in: lab(model, DataSet(name: "forget", records: records)))
        let comparisons = report.blocks.compactMap { if case .comparison(let one) = $0 { one } else { nil } }
        #expect(comparisons.count == 2)
        #expect(comparisons[0].difference.baseline.value > 0.8 && comparisons[0].difference.method.value < 0.3)
        #expect(comparisons[1].difference.method.value > comparisons[0].difference.method.value + 0.3)
        let table = try #require(report.blocks.compactMap { if case .table(let one) = $0 { one } else { nil } }.first)
        #expect(table.rows.count == 7 && table.rows[0][0] == "before" && table.emphasised.count == 1)
        #expect(table.rows.allSatisfy { $0[6] != "–" })
        // What was written is a model that has forgotten, too; the model given is as it was.
        let written = try LocalModel(path: folder.path + "/unlearned", reference: "unlearned")
        let audit = AnswerAudit(maxLength: 32)
        let questions = try facts.forget.map { try AuditQuestion($0, format: format) }
        let after = try await audit(questions, of: written, label: "", in: lab(nil, nil))
        let before = try await audit(questions, of: model, label: "", in: lab(nil, nil))
        #expect(after.probability < 0.3 && after.exactMatch < 0.3 && before.exactMatch > 0.8)
        #expect(before.ratios.allSatisfy { $0 > 1 })

        // An adapter instead of all weights, without what forget quality needs.
        var adapter = options
        adapter.form = .lora
        adapter.loss = .dpo
        adapter.epochs = 1
        let other = try await NPO().run(adapter, in: lab(model, DataSet(name: "forget", records: records)))
        #expect(FileManager.default.fileExists(atPath: folder.path + "/unlearned/adapter_config.json"))
        let notes = other.blocks.compactMap { if case .note(let text) = $0 { text } else { nil } }
        #expect(notes.contains { $0.contains("can't stand for it") })

        // Bad input is named before any work.
        func fails(_ change: (inout NPO.Options) -> Void, _ records: [JSONValue], _ part: String) async {
            var bad = options
            change(&bad)
            await #expect {
                try await NPO().run(bad, in: lab(model, DataSet(name: "forget", records: records)))
            } throws: { "\($0)".contains(part) }
        }
        let same = try write(records, "same.jsonl")
        await fails({ $0.retainData = same }, records, "both to be forgotten and to be kept")
        await fails({ _ in }, [["question": "what", "answer": " "]], "is empty")
        await fails({ $0.maxLength = 5 }, records, "longer than 5 tokens")
        await fails({ _ in }, [["question": "what"]], "answer")
    }

    /// NPO's equations on an untaught model.
    @Test func exactness() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let start = try lab(nil, nil).newModel("untaught", MiniTOFU.model)
        var generator = SeededGenerator(seed: 3)
        let format = QuestionFormat(try ModelText(path: start), limit: 64)
        let texts = try MiniTOFU(using: &generator).forget.prefix(4).map {
            try format.text(question: $0.question, answer: $0.answer)
        }
        let exact = try NPOExactness(
            try ChosenWeights.all.load(openWeights(at: start), precision: .f32, seed: 1), texts: texts)
        #expect(exact.firstStepError < 1e-5 && exact.limitError < 1e-3 && exact.weightError < 1e-3)
    }
}
