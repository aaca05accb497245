import Catalogue
import Inference
import Laboratory
import Testing
import Training

/// The tasks of the claims on learning, and that the claims can be found.
@Suite struct LearningClaimsTests {
    @Test func claimsAreTheMethodsAndTheLearning() throws {
        let slugs = Catalogue.standard.claims.map(\.slug)
        #expect(slugs == slugs.sorted() && Set(slugs).count == slugs.count)
        for slug in ["learning-dpo", "learning-grpo", "learning-reward", "learning-sft", "npo"] {
            #expect(try Catalogue.standard.claim(slug).statement.hasSuffix("."))
        }
        let unknown = #expect(throws: CatalogueError.self) { try Catalogue.standard.claim("learning-sfd") }
        #expect(unknown?.description.contains("learning-sft") == true)
        let planned = #expect(throws: CatalogueError.self) { try Catalogue(methods: []).claim("npo") }
        #expect(planned?.description.contains("planned") == true)
    }

    @Test func aClaimNeedsALocalModel() async throws {
        let lab = Lab(slug: "learning-sft", subject: ScriptedModel([""]))
        await #expect(throws: (any Error).self) {
            try await Catalogue.standard.claim("learning-sft").experiment(lab)
        }
    }

    @Test func whatIsExaminedIsNotLearnt() {
        var generator = SeededGenerator(seed: 4)
        let learnt = Order.draw(500, heldOut: false, using: &generator)
        let heldOut = Order.draw(100, heldOut: true, using: &generator)
        #expect(Set(learnt).count == 500 && Set(heldOut).count == 100)
        #expect(Set(learnt.map { [$0.name, $0.item] }).isDisjoint(with: heldOut.map { [$0.name, $0.item] }))
        let order = Order(name: 0, item: 0, count: 7, day: 4)
        #expect(order.question == "Write this order as a ticket: Maria wants 7 lamps on Friday.")
        #expect(order.ticket == "FRI 7*lamp ~ Maria")
        for order in learnt {
            let other = order.mistaken(using: &generator)
            let differences = [
                order.name != other.name, order.item != other.item, order.count != other.count, order.day != other.day,
            ]
            #expect(differences.count { $0 } == 1 && (2..<20).contains(other.count) && other.ticket != order.ticket)
        }
    }

    @Test func remarksAreCheckedByWords() {
        func isKept(_ text: String, finished: Bool = true) -> Bool {
            RewardedLearning.isKept(
                WrittenText(promptIndex: 0, prompt: [1], text: text, completion: [2], isFinished: finished), "the sea")
        }
        #expect(isKept("The sea is deep and blue.") && isKept("Seas never sleep."))
        #expect(!isKept("The sea is deep.", finished: false))
        #expect(!isKept("It is deep and blue."))
        #expect(!isKept("The sea is so deep that nobody knows it."))
        #expect(!isKept("Sea"))
    }
}
