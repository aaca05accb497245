import GRDB

/// The tables of the run store. A change of shape is a new migration; old ones stay as they are.
enum RunStoreSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 runs and what they yield") { database in
            try database.create(table: "run") { table in
                table.primaryKey("id", .text)
                table.column("slug", .text).notNull().indexed()
                table.column("kind", .text).notNull()
                table.column("model", .text).notNull()
                table.column("modelReference", .text).notNull()
                table.column("fingerprint", .text).notNull()
                table.column("options", .text).notNull()
                table.column("data", .text)
                table.column("dataHash", .text)
                table.column("seed", .text).notNull()
                table.column("version", .text).notNull()
                table.column("status", .text).notNull()
                table.column("started", .double).notNull().indexed()
                table.column("ended", .double)
                table.column("error", .text)
                // The process that runs it, so that a run whose process is gone can be told from one that goes on.
                table.column("process", .integer).notNull()
                table.column("report", .text)
                table.column("verdict", .text)
            }
            try database.create(table: "sample") { table in
                table.column("runID", .text).notNull().references("run", onDelete: .cascade)
                table.column("position", .integer).notNull()
                table.column("content", .text).notNull()
                table.primaryKey(["runID", "position"])
            }
            try database.create(table: "metric") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("runID", .text).notNull().indexed().references("run", onDelete: .cascade)
                table.column("name", .text).notNull()
                table.column("value", .double)
                table.column("low", .double)
                table.column("high", .double)
                table.column("count", .integer).notNull()
                table.column("content", .text).notNull()
            }
            try database.create(table: "timing") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("runID", .text).notNull().indexed().references("run", onDelete: .cascade)
                table.column("phase", .text).notNull()
                table.column("seconds", .double).notNull()
            }
            try database.create(table: "artifact") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("runID", .text).notNull().indexed().references("run", onDelete: .cascade)
                table.column("kind", .text).notNull()
                table.column("path", .text).notNull()
            }
        }
        return migrator
    }
}
