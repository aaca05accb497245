import Foundation
import Inference
import Laboratory
import Text
import Training

/// A question of the search with what came of it.
package struct SearchedQuestion: Sendable, Codable {
    package var id: String
    package var result: TrajectorySearch.Result
    package var lifts: [ImportanceRule.Lift]
    package var target: ReasoningTrajectory?
    package var lesson: PlannerLesson?
}

extension DOTS {
    /// The questions that aren't asked in the data that is reported on.
    package static func unasked(_ train: [Question], in tested: [Question]) throws -> [Question] {
        let asked = Set(tested.map { AnswerMatch.normalized($0.prompt) })
        let left = train.filter { !asked.contains(AnswerMatch.normalized($0.prompt)) }
        guard !left.isEmpty else { throw DOTSError.noTrainQuestions }
        return left
    }

    /// Searches each question. Samples that the archive has are taken from it.
    package static func search(
        _ questions: [Question], _ options: Options, _ runner: TrajectoryRunner, asking model: any LanguageModel,
        in lab: Lab
    ) async throws -> [SearchedQuestion] {
        for question in questions { try checkRejectsNothing(question) }
        var search = TrajectorySearch()
        search.catalogue = try options.catalogue
        search.samples = options.n
        search.keep = options.keep1
        search.keepLast = options.keep2
        search.dropsUninformative = options.dropsUninformative
        var runner = runner
        runner.temperature = options.searchTemperature
        let file = try options.archive?.expanded ?? lab.outputFile("rollouts.jsonl").path
        let archive = try LineArchive<TrajectoryRollout>(path: file)
        await lab.recorder.record(Artifact(kind: "rollouts", path: file))
        let settings = [model.identity.fingerprint, String(lab.seed), "\(runner.temperature)", "\(runner.maxTokens)"]
        let wording = "\(runner.wording)"
        let (settled, rule, sampler) = (search, options.importance, runner)
        return try await lab.forEach("Searching trajectories", questions, inFlight: 16) { question in
            let own = SHA256.hexadecimal(
                of: JSONValue.array(
                    (settings + [wording, question.id, question.prompt] + question.golds).map { .string($0) }
                )
                .utf8()
            ).prefix(24)
            let result = try await settled.search { trajectory, name in
                let key = "\(own)/\(question.id)/\(name)"
                if let known = await archive[key] { return known }
                let rollout = try await sample(
                    trajectory, question, sampler, asking: model, seed: SeededGenerator.derive(lab.seed, name))
                try await archive.keep(rollout, as: key)
                return rollout
            }
            let isKept = result.verdict == .kept
            let lesson = isKept ? rule.lesson(result.rollouts) : nil
            return SearchedQuestion(
                id: question.id, result: result, lifts: rule.lifts(result.rollouts),
                target: isKept ? rule.target(result.rollouts) : nil,
                lesson: lesson.map { rollout in
                    PlannerLesson(
                        id: question.id, query: question.prompt, source: question.subject ?? "",
                        trajectory: rollout.trajectory,
                        firstReply: rollout.turns.first { $0.role == ChatMessage.assistant("").role.name }?.text ?? "")
                })
        }
    }

    /// One sample of a trajectory, graded.
    package static func sample(
        _ trajectory: ReasoningTrajectory, _ question: Question, _ runner: TrajectoryRunner,
        asking model: any LanguageModel, seed: UInt64
    ) async throws -> TrajectoryRollout {
        let inquiry = Inquiry(question, asking: model, seed: seed)
        let run = try await runner.run(trajectory, inquiry)
        return TrajectoryRollout(
            trajectory, turns: run.turns, answer: run.answer,
            isRight: question.accepts(run.answer),
            programFailed: run.programFailed, calls: inquiry.cost.calls, tokens: inquiry.cost.tokens)
    }

    /// A checker that takes nothing for an answer would let every trajectory win.
    private static func checkRejectsNothing(_ question: Question) throws(DOTSError) {
        let hasNoAnswer = question.check == nil && question.golds.allSatisfy { $0.trimmingSpaces.isEmpty }
        if hasNoAnswer || question.accepts("") || question.accepts(" ") {
            throw .acceptsNothing(question: question.id)
        }
    }

    /// The lessons with a paragraph each of why, greedily, where there is somebody to ask.
    package static func explained(
        _ lessons: [PlannerLesson], by explainer: String?, in lab: Lab
    ) async throws -> [PlannerLesson] {
        guard let explainer else { return lessons }
        let model = try await lab.loadModel(explainer)
        return try await lab.forEach("Explaining", lessons) { lesson in
            try await explained(lesson, by: model)
        }
    }

    package static func explained(
        _ lesson: PlannerLesson, by model: any LanguageModel
    ) async throws -> PlannerLesson {
        let completion = try await model.complete(
            CompletionRequest(
                .chat(ExplanationPrompt().messages(lesson.query, lesson.trajectory)), sampling: .greedy,
                stop: StopRule(maxTokens: 256)))
        var lesson = lesson
        // One paragraph, which can't be taken for the plan behind it.
        lesson.explanation = completion.text.replacingOccurrences(of: PlannerWording.marker, with: "")
            .split(whereSeparator: \.isNewline).map { String($0).trimmingSpaces }.filter { !$0.isEmpty }
            .joined(separator: " ")
        return lesson
    }

    /// Keeps the choices with their tables of lifts, and the data of the fine-tuning.
    static func keep(
        _ searched: [SearchedQuestion], _ lessons: [PlannerLesson], _ options: Options, in lab: Lab
    ) async throws {
        var choices = searched
        // The rollouts are in the archive.
        for place in choices.indices {
            choices[place].result.probes = []
            choices[place].result.rollouts = []
        }
        let conversations = lessons.map { lesson -> JSONValue in
            let turns = lesson.conversation(options.plannerKind, PlannerWording())
            return [
                "messages": .array(
                    turns.map { ["role": .string($0.role.name), "content": .string($0.content)] })
            ]
        }
        for (name, lines) in [
            ("choices.jsonl", try choices.map { try JSONValueEncoder.encode($0) }), ("lessons.jsonl", conversations),
        ] {
            let file = try lab.outputFile(name)
            try Data(lines.map { $0.text() + "\n" }.joined().utf8).write(to: file, options: .atomic)
            await lab.recorder.record(Artifact(kind: name == "choices.jsonl" ? "choices" : "lessons", path: file.path))
        }
    }
}
