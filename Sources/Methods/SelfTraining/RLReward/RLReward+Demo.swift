import Laboratory

extension RLReward {
    /// A model of 0.8 million numbers that half knows how to add three digits, from traces with a harmless filler line here and there,
    /// learns on by PPO from right or wrong, with the scores of a process reward model as they are, and with Clip and Delta: from the
    /// same start, on the same questions.
    public func demo(in lab: Lab) async throws -> Demonstration {
        try await demonstration(TotalsPlan(), in: lab)
    }

    /// The demo at a size of one's own.
    package func demonstration(_ plan: TotalsPlan, in lab: Lab) async throws -> Demonstration {
        let stage = try await TotalsStage(plan, in: lab)
        let start = stage.start
        let success = try await stage.policy(.success)
        let process = try await stage.policy(.process)
        let both = try await stage.policy(.clipDelta)
        let policies = [success, process, both]
        var generator = lab.random("scores")
        let exact = StepRewardExactness(using: &generator)

        let (first, one, raw, bounded) = (
            start.figure("steps"), success.examination, process.examination, both.examination
        )
        let percent = NumberStyle.percent
        let two = NumberStyle.decimals(2)
        var report = Report(
            "Sums of three digits, a line a step",
            summary:
                "Greedy accuracy \(percent.text(start.greedyAccuracy)) at the start; \(percent.text(one.greedyAccuracy)) from right or wrong alone, "
                + "\(percent.text(raw.greedyAccuracy)) with the process reward as it is (\(two.text(raw.figure("steps"))) steps instead of "
                + "\(two.text(first))), \(percent.text(bounded.greedyAccuracy)) with Clip and Delta "
                + "(\(two.text(bounded.figure("steps"))) steps).")
        let findings = RewardReport(
            start: start, policies: policies, threshold: stage.judge.threshold,
            questions: stage.learning.examined.questions)
        try findings.add(to: &report, emphasised: .clipDelta)
        report.note(
            "α is \(stage.judge.weight), large on purpose; η \(NumberStyle.decimals(3).text(stage.judge.threshold)). "
                + "\(plan.rounds) rounds of \(plan.questionsPerRound * plan.samples) responses, at most \(plan.longest) bytes each: "
                + "\(plan.longest / 3) filler lines."
        )
        try await findings.writeFiles(in: lab)
        return Demonstration(
            report,
            checks: [
                Check("accuracy at the start", start.greedyAccuracy, .between(0.5, 0.7)),
                Check("mean score of harmless filler lines", stage.fillerScore, .atLeast(0.8)),
                Check("steps with the process reward, over the start's", raw.figure("steps") / first, .atLeast(1.5)),
                Check(
                    "accuracy from right or wrong minus with the process reward",
                    one.greedyAccuracy - raw.greedyAccuracy,
                    .atLeast(0.1)),
                Check("steps with Clip-Delta, over the start's", bounded.figure("steps") / first, .between(0.6, 1.25)),
                Check(
                    "accuracy with Clip-Delta minus from right or wrong", bounded.greedyAccuracy - one.greedyAccuracy,
                    .atLeast(-0.02)),
                Check(
                    "accuracy with Clip-Delta minus at the start", bounded.greedyAccuracy - start.greedyAccuracy,
                    .atLeast(0.08)),
                Check(
                    "Delta's returns against the scores, error", exact.telescopeError, .atMost(1e-12), role: .mechanism),
                Check("largest reward of Clip", exact.largestClip, .atMost(0), role: .mechanism),
                Check(
                    "what a filler step brings under Clip and Delta", exact.fillerError, .atMost(1e-12),
                    role: .mechanism),
                Check(
                    "what it brings under the process reward, least", exact.leastProcessGain, .atLeast(1e-12),
                    role: .mechanism),
                Check(
                    "texts where Delta of Clip isn't Clip of Delta", exact.orderMatters, .atLeast(0.5), role: .mechanism
                ),
            ],
            controls: [
                .init("steps at the start", first), .init("sampled accuracy at the start", start.sampledAccuracy),
                .init("sampled accuracy of the completer", stage.completerAccuracy),
                .init("η", stage.judge.threshold), .init("score of filler anywhere", stage.anyFillerScore),
                .init("score of right lines", stage.rightScore), .init("score of wrong lines", stage.wrongScore),
            ]
                + policies.flatMap { policy -> [Demonstration.Control] in
                    let name = policy.mode.rawValue
                    return [
                        .init("greedy accuracy, \(name)", policy.examination.greedyAccuracy),
                        .init("sampled accuracy, \(name)", policy.examination.sampledAccuracy),
                        .init("empty steps, \(name)", policy.examination.figure("empty steps")),
                    ]
                })
    }
}
