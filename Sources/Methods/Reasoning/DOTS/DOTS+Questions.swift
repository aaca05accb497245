import Laboratory

extension DOTS {
    /// What a run asks and what it searches.
    package struct Asked: Sendable {
        package var tested: [Question]
        /// The difficulty of those that have one.
        package var levels: [String: String] = [:]
        /// Nil where none were given.
        package var training: [Question]?
    }

    /// Generated games, or the records of the files. No training question is among those that are reported on.
    package static func asked(_ options: Options, in lab: Lab) throws -> Asked {
        if options.task == .game24 {
            return Asked(
                tested: GameOf24.games(.validation).prefix(lab.limit ?? options.items).map(\.question),
                training: options.planner == nil
                    ? GameOf24.games(.training).prefix(options.trainItems).map(\.question) : nil)
        }
        let data = try lab.data()
        var asked = Asked(tested: try questions(data))
        for (record, question) in zip(data.records, asked.tested) {
            asked.levels[question.id] =
                try record.stringIfPresent("level") ?? record.stringIfPresent("difficulty")
        }
        asked.training = try options.trainQuestions.map { path in
            try unasked(questions(DataSet(path: path.expanded)), in: asked.tested)
        }
        return asked
    }

    /// The records' questions. Those with `task` and `instance` are puzzles, which bring their checkers: `game-24` with `4 9 10 13`, or one
    /// of ATS's.
    package static func questions(_ data: DataSet) throws -> [Question] {
        var shuffle: SeededGenerator?
        return try data.records.map { record in
            guard let instance = try record.stringIfPresent("instance") else {
                return try Question(record, shuffle: &shuffle)
            }
            guard try record.string("task") == Options.Task.game24.rawValue else {
                return try SearchExample.puzzle(record).1.question
            }
            do throws(GameOf24Error) {
                return try GameOf24(instance).question
            } catch {
                throw DataError.malformed(record.place, error.description)
            }
        }
    }
}
