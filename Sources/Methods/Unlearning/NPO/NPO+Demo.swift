import Inference
import Laboratory
import Models
import Tensors
import Training

extension NPO {
    /// MiniTOFU: a model of a quarter million numbers learns 480 facts about 60 made-up authors and is to forget six of them. Measured: how far gradient ascent and
    /// NPO drive it from what it was on facts that it should keep, and what remains of both kinds of facts when a retain loss helps.
    public func demo(in lab: Lab) async throws -> Demonstration {
        var generator = lab.random("facts")
        let facts = MiniTOFU(using: &generator)
        let start = try lab.newModel("untaught", MiniTOFU.model)
        let format = QuestionFormat(try ModelText(path: start), limit: 64)
        let taught = try await MiniTOFU.train("all facts", from: start, on: facts.facts, format: format, in: lab)
        let never = try await MiniTOFU.train("retain facts", from: start, on: facts.retain, format: format, in: lab)
        let stage = try await ForgettingStage(facts, taught: taught, never: never, format: format, lab: lab)

        let ascent = try await stage.arm("GA", ForgetAndRetain(GradientAscent()))
        let npo = try await stage.arm("NPO", ForgetAndRetain(NegativePreference(beta: 1)))
        let difference = try await stage.arm("GA + RT", ForgetAndRetain(GradientAscent(), retainWeight: 1))
        let retained = try await stage.arm("NPO + RT", ForgetAndRetain(NegativePreference(beta: 1), retainWeight: 1))
        let kl = ForgetAndRetain.Divergence(reference: stage.start)
        let others = [
            try await stage.arm("GA + KL", ForgetAndRetain(GradientAscent(), divergence: kl)),
            try await stage.arm("NPO + KL", ForgetAndRetain(NegativePreference(beta: 1), divergence: kl)),
            try await stage.arm("IDK + RT", ForgetAndRetain(RefusalLearning(), retainWeight: 1)),
            try await stage.arm("DPO + RT", ForgetAndRetain(RefusalPreference(beta: 1), retainWeight: 1)),
            try await stage.arm("KTO + RT", ForgetAndRetain(UnwantedAnswer(beta: 1), retainWeight: 1)),
        ]
        let exact = try NPOExactness(
            ChosenWeights.all.load(openWeights(at: taught), precision: .f32, seed: 1),
            texts: stage.forget.prefix(8).map(\.text))
        return try Self.conclude(
            stage, [ascent, npo, difference, retained] + others, exact: exact, ascent, npo, difference, retained)
    }

    private static func conclude(
        _ stage: ForgettingStage, _ arms: [ForgettingArm], exact: NPOExactness, _ ascent: ForgettingArm,
        _ npo: ForgettingArm, _ difference: ForgettingArm, _ retained: ForgettingArm
    ) throws -> Demonstration {
        let two = NumberStyle.decimals(2)
        var report = Report(
            "MiniTOFU: forgetting six authors of sixty",
            summary:
                "After 24 epochs gradient ascent has moved the model \(two.text(ascent.drift(24))) nats from what it was on facts to keep, "
                + "NPO \(two.text(npo.drift(24))). With a retain loss NPO keeps \(NumberStyle.percent.text(retained.retain.exactMatch)) of them, "
                + "gradient difference \(NumberStyle.percent.text(difference.retain.exactMatch)).")
        report.add(
            Plot(
                "Distance from the start on facts to keep", x: "epoch", y: "mean KL(start ‖ now), nats a token",
                .lines(
                    arms.prefix(4).map { arm in
                        Plot.Series(arm.name, arm.drifts.map { Plot.Point(Double($0.epoch), $0.nats) })
                    })))
        report.add(stage.table(arms))
        report.note(
            "Forget quality compares R on the \(stage.forget.count) forgotten facts with a model that never learnt them, by a "
                + "Kolmogorov–Smirnov test. β × mean answer length is 3.")
        return Demonstration(
            report,
            checks: [
                Check("KL of GA over KL of NPO, epoch 24", ascent.drift(24) / max(1e-9, npo.drift(24)), .atLeast(3)),
                Check("growth of NPO's KL, epochs 16 to 24", npo.drift(24) - npo.drift(16), .atMost(0.4)),
                Check("growth of GA's KL, epochs 16 to 24", ascent.drift(24) - ascent.drift(16), .atLeast(1.5)),
                Check("NPO + RT, exact match on facts to keep", retained.retain.exactMatch, .atLeast(0.9)),
                Check("NPO + RT, exact match on forgotten facts", retained.forget.exactMatch, .atMost(0.05)),
                Check(
                    "NPO + RT over GA + RT, exact match on facts to keep",
                    retained.retain.exactMatch - difference.retain.exactMatch, .atLeast(0.1)),
                Check("first gradient against GA's, error", exact.firstStepError, .atMost(1e-5), role: .mechanism),
                Check("β = 1e-4 against GA, error", exact.limitError, .atMost(1e-3), role: .mechanism),
                Check("W against finite differences, error", exact.weightError, .atMost(1e-3), role: .mechanism),
            ],
            controls: [
                .init("exact match before, facts to keep", stage.before.retain.exactMatch),
                .init("exact match before, facts to forget", stage.before.forget.exactMatch),
                .init("exact match of the retain-only model, facts to forget", stage.never.exactMatch),
            ] + arms.map { .init("KL at epoch 24, \($0.name)", $0.drift(24)) }
                + arms.map { .init("forget quality, \($0.name)", $0.quality.test.pValue) })
    }
}

/// One objective's run on MiniTOFU.
private struct ForgettingArm: Sendable {
    var name: String
    var drifts: [(epoch: Int, nats: Double)]
    var forget: AuditFindings
    var retain: AuditFindings
    var quality: KolmogorovSmirnov

    func drift(_ epoch: Int) -> Double { drifts.first { $0.epoch == epoch }?.nats ?? .nan }
}

/// What all arms of the experiment share.
private struct ForgettingStage: Sendable {
    static let epochs = 24
    let taught: String
    let forget: [AuditQuestion]
    let retain: [AuditQuestion]
    let refusals: [TokenSequence]
    /// The taught model, which doesn't change.
    let start: DecoderModel
    let before: (forget: AuditFindings, retain: AuditFindings)
    /// The retain-only model on the facts to forget.
    let never: AuditFindings
    let lab: Lab

    init(_ facts: MiniTOFU, taught: String, never: String, format: QuestionFormat, lab: Lab) async throws {
        self.taught = taught
        self.lab = lab
        forget = try facts.forget.map { try AuditQuestion($0, format: format) }
        retain = try facts.retain.map { try AuditQuestion($0, format: format) }
        refusals = try facts.forget.map { try format.text(question: $0.question, answer: MiniTOFU.refusal) }
        start = try DecoderModel(openWeights(at: taught), precision: .f32)
        let audit = AnswerAudit(maxLength: 32)
        let model = try lab.open(taught)
        before = (
            try await audit(forget, of: model, label: "Before", in: lab),
            try await audit(retain, of: model, label: "Before", in: lab)
        )
        self.never = try await audit(forget, of: lab.open(never), label: "Retain only", in: lab)
    }

    func arm(_ name: String, _ objective: ForgetAndRetain) async throws -> ForgettingArm {
        var run = UnlearningRun(
            model: taught, objective: objective, output: try lab.modelFolder("arm-" + name.filter(\.isLetter)))
        run.rate = 5e-4
        run.batch = 16
        run.epochs = Self.epochs
        run.tokensPerPass = 1024
        run.precision = .f32
        run.format = .f32
        let audit = AnswerAudit(maxLength: 32)
        let watched = retain.prefix(200).map(\.text)
        var drifts: [(epoch: Int, nats: Double)] = []
        var found: (forget: AuditFindings, retain: AuditFindings)?
        try await run(
            Array(zip(forget.map(\.text), refusals)).map { ($0, $1) }, retain: retain.map(\.text), label: name, in: lab
        ) { epoch, view in
            if epoch % 4 == 0 {
                drifts.append((epoch, UnlearningMeasure.divergence(of: view.trained, from: start, on: watched)))
            }
            if epoch == Self.epochs {
                found = (
                    try await audit(forget, of: view.engine, label: name, in: lab),
                    try await audit(retain, of: view.engine, label: name, in: lab)
                )
            }
            return Double(epoch)
        }
        let last = found ?? before
        return ForgettingArm(
            name: name, drifts: drifts, forget: last.forget, retain: last.retain,
            quality: try ForgetGrade.quality(last.forget.ratios, retained: never.ratios))
    }

    func table(_ arms: [ForgettingArm]) -> Table {
        var table = Table(
            "After 24 epochs",
            columns: [.text("objective")]
                + [
                    "forget exact", "forget p", "truth ratio", "retain exact", "utility", "forget quality", "KS D",
                    "KL",
                ].map(Table.Column.number))
        let three = NumberStyle.decimals(3)
        func row(
            _ name: String, _ forget: AuditFindings, _ retain: AuditFindings?, _ quality: KolmogorovSmirnov?,
            _ drift: Double?
        ) {
            func text(_ value: Double?) -> String { value.map(three.text) ?? "–" }
            table.add(
                name, text(forget.exactMatch), text(forget.probability), text(forget.forgetTruthRatio),
                text(retain?.exactMatch), text(retain.map { ForgetGrade.utility([$0]) }), text(quality?.test.pValue),
                text(quality?.statistic), text(drift), emphasised: name == "NPO + RT")
        }
        row("before", before.forget, before.retain, nil, 0)
        row("never taught", never, nil, nil, nil)
        for arm in arms { row(arm.name, arm.forget, arm.retain, arm.quality, arm.drift(Self.epochs)) }
        return table
    }
}
