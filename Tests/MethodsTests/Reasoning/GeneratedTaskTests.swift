import Laboratory
import Reasoning
import Testing

@Suite struct GeneratedTaskTests {
    private func items(_ task: GeneratedTask, _ count: Int = 300, people: Int = 4) -> [ReasoningItem] {
        var generator = SeededGenerator(seed: 1, stream: task.rawValue)
        return task.items(count, people: people, using: &generator)
    }

    @Test func coinsAreHeadsUpAfterAnEvenNumberOfFlips() {
        let items = items(.coinFlip)
        for item in items {
            let flips = item.question.ranges(of: " flips the coin.").count
            #expect(flips + item.question.ranges(of: " does not flip the coin.").count == 4)
            #expect(item.gold == (flips % 2 == 0 ? "yes" : "no"))
        }
        let heads = items.count { $0.gold == "yes" }
        #expect((120...180).contains(heads))
    }

    @Test func lastLettersAreThoseOfTheNames() throws {
        for item in items(.lastLetters) {
            let quoted = item.question.split(separator: "\"")[1]
            #expect(item.gold == String(quoted.split(separator: " ").compactMap(\.last)))
            #expect(item.gold.count == 4)
        }
        #expect(Set(GeneratedTask.names).count == GeneratedTask.names.count)
        #expect(Set(GeneratedTask.names.compactMap(\.last)).count >= 15)
    }

    @Test func wordProblemsHaveTheAnswerOfTheirNumbers() throws {
        for item in items(.arithmetic) {
            let numbers = AnswerExtractor(.number).candidates(in: item.question).compactMap {
                Int($0.filter(\.isNumber))
            }
            let expected: Int
            if item.question.contains("gives away") {
                expected = numbers[0] * numbers[1] - numbers[2]
            } else if item.question.contains("shared the rest") {
                expected = (numbers[0] - numbers[1]) / numbers[2]
                #expect((numbers[0] - numbers[1]) % numbers[2] == 0)
            } else {
                expected = numbers[0] * numbers[1] + numbers[2]
            }
            #expect(item.gold == "\(expected)", "\(item.question)")
        }
    }

    @Test func aSeedGivesTheSameItems() {
        for task in GeneratedTask.allCases { #expect(items(task, 20) == items(task, 20)) }
    }

    @Test func shownExamplesAreRight() {
        for example in WorkedExample.arithmetic {
            let last = AnswerExtractor(.number).answer(in: String(example.rationale.split(separator: "=").last ?? ""))
            #expect(last == example.answer, "\(example.question)")
        }
        #expect(WorkedExample.arithmetic.count == 8)
    }
}
