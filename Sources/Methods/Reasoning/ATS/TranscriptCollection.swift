import Foundation
import Laboratory
import Text

/// A transcript that the checker has accepted.
package struct SearchExample: Sendable, Hashable, DataRecord {
    package var kind: PuzzleKind
    package var instance: String
    package var group: SearchGroup
    package var question: String
    package var answer: String

    package init(_ puzzle: any Puzzle, kind: PuzzleKind, group: SearchGroup, answer: String) {
        self.kind = kind
        instance = puzzle.id.split(separator: " ").dropFirst().joined(separator: " ")
        self.group = group
        question = puzzle.task
        self.answer = answer
    }

    /// Reads `task`, `instance`, `group` and `answer`; the question is that of the instance.
    package init(_ record: Record) throws(DataError) {
        let (kind, puzzle) = try Self.puzzle(record)
        guard let group = try SearchGroup(rawValue: record.string("group")) else {
            throw .wrongField(
                record.place, field: "group", expected: SearchGroup.expectation, found: "another text")
        }
        self.init(puzzle, kind: kind, group: group, answer: try record.string("answer"))
    }

    /// The puzzle that a record of `task` and `instance` names.
    package static func puzzle(_ record: Record) throws(DataError) -> (PuzzleKind, any Puzzle) {
        let name = try record.string("task")
        guard let kind = PuzzleKind(rawValue: name) else {
            throw .wrongField(
                record.place, field: "task", expected: PuzzleKind.expectation,
                found: String(name.prefix(60)).debugDescription)
        }
        do {
            return (kind, try kind.puzzle(try record.string("instance")))
        } catch let error as PuzzleError {
            throw .malformed(record.place, error.description)
        } catch let error as DataError {
            throw error
        } catch {
            throw .malformed(record.place, "\(error)")
        }
    }

    package var json: JSONValue {
        .object([
            .init("task", .string(kind.rawValue)), .init("instance", .string(instance)),
            .init("group", .string(group.rawValue)), .init("question", .string(question)),
            .init("answer", .string(answer)),
        ])
    }
}

/// Collects transcripts by rejection sampling.
package struct TranscriptCollection: Sendable {
    package let options: ATS.Options
    package let kind: PuzzleKind

    package init(_ kind: PuzzleKind, _ options: ATS.Options) {
        self.kind = kind
        self.options = options
    }

    /// The first sample of each puzzle that the checker accepts; none where all fail. A program's transcripts are all accepted.
    package func examples(
        _ group: SearchGroup, of puzzles: [any Puzzle], in lab: Lab
    ) async throws -> [SearchExample] {
        guard options.teacher == .model else {
            return puzzles.map {
                SearchExample($0, kind: kind, group: group, answer: SearchTranscript($0).text(group.transcript))
            }
        }
        let model = try lab.languageModel()
        let strategy = try ATS.strategy(group, options)
        let found = try await lab.forEach("Transcripts of \(strategy.name)", puzzles) { puzzle -> SearchExample? in
            let question = puzzle.question
            let attempt = try await strategy.attempt(question, asking: model, seed: lab.seed)
            let texts = group == .tot ? [attempt.solution.text] : SearchSamples.texts(of: attempt)
            let accepted = texts.first { question.accepts(AnswerLine.answer(in: $0, to: question)) }
            return accepted.map { SearchExample(puzzle, kind: kind, group: group, answer: $0) }
        }
        return found.compactMap { $0 }
    }

    /// Writes examples as JSONL that supervised fine-tuning reads, too.
    package static func write(_ examples: [SearchExample], to file: URL) throws {
        let lines = examples.map { $0.json.text() + "\n" }.joined()
        try Data(lines.utf8).write(to: file, options: .atomic)
    }
}
