import Catalogue
import Foundation
import Laboratory
import Testing

@Suite struct CatalogueTests {
    private let catalogue = Catalogue.standard

    @Test func holdsAllMethodsSortedAndOnce() {
        let slugs = catalogue.cards.map(\.slug)
        #expect(slugs.count == 102)
        #expect(Set(slugs).count == 102)
        #expect(slugs == slugs.sorted())
    }

    @Test func familiesHaveTheirSizes() {
        let sizes = Dictionary(grouping: catalogue.cards, by: \.family).mapValues(\.count)
        #expect(
            sizes == [
                .reasoning: 12, .decoding: 3, .selftrain: 14, .agents: 15, .alignment: 14, .honesty: 4, .security: 10,
                .unlearning: 10, .privacy: 3, .efficiency: 10, .serving: 2, .multimodal: 2, .formal: 2, .evaluation: 1,
            ])
    }

    @Test func cardsAreWhole() {
        for card in catalogue.cards {
            #expect(card.slug.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }, "\(card.slug)")
            #expect(!card.kinds.isEmpty && !card.needs.isEmpty, "\(card.slug)")
            #expect(card.summary.hasSuffix(".") && card.summary.count < 170, "\(card.slug)")
            #expect((2022...2025).contains(card.paper.year), "\(card.slug)")
            let number = (card.paper.arXiv ?? "").split(separator: ".")
            #expect(number.count == 2 && number[0].count == 4 && number[1].count == 5, "\(card.slug)")
            #expect(card.status == .planned || !card.claim.isEmpty, "\(card.slug)")
        }
        let papers = catalogue.cards.compactMap(\.paper.arXiv)
        #expect(Set(papers).count == papers.count)
    }

    @Test func optionsOfBuiltMethodsAreWhole() {
        for method in catalogue.methods {
            let names = method.optionDescriptions.map(\.name)
            #expect(Set(names).count == names.count, "\(method.card.slug)")
            #expect(Set(names).isDisjoint(with: RunSettings.names), "\(method.card.slug)")
        }
    }

    @Test func aBuiltMethodTakesItsPlannedCardsPlace() throws {
        let extended = Catalogue(methods: [PoliteQuestion.self])
        #expect(extended.cards.count == 103)
        #expect(try extended.method("polite-question").card.status == .ready)
    }

    @Test func unknownAndPlannedMethodsSaySo() {
        let unknown = #expect(throws: CatalogueError.self) { try catalogue.method("autopsta") }
        #expect(unknown?.description.contains("Did you mean autopasta") == true)
        let planned = #expect(throws: CatalogueError.self) { try Catalogue(methods: []).method("npo") }
        #expect(planned?.description.contains("planned") == true)
        #expect(planned?.description.contains("\n") == false)
    }
}
