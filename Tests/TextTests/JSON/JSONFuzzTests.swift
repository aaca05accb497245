import Testing
import Text

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct JSONFuzzTests {
    /// As many damaged documents as `LYCEUM_FUZZ` says, or a short run.
    @Test func damagedDocumentsAreReadOrRefused() throws {
        let rounds = getenv("LYCEUM_FUZZ").flatMap { Int(String(cString: $0)) } ?? 500
        let original = Array(
            #"{"a":[1,-2.5e3,true,false,null,"x\n\u00e9\ud83d\ude00"],"model":{"vocab":{"Ġt":0,"é":1},"merges":["a b"]}}"#
                .utf8)
        var mutator = ByteMutator(seed: 1)
        var refused = 0
        for _ in 0..<rounds {
            let damaged = mutator.mutated(original)
            do {
                let value = try JSONValue(parsing: damaged)
                // What was read must survive being written.
                #expect(try JSONValue(parsing: value.utf8()) == value)
            } catch {
                refused += 1
                #expect(error.line >= 1 && error.column >= 1)
            }
        }
        #expect(refused > rounds / 2)
    }
}
