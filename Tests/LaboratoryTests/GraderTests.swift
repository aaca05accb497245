import Laboratory
import Testing
import Text

@Suite struct GraderTests {
    @Test(arguments: [
        ("1,200", "1200", true), ("1200.0", "1,200", true), ("-3.50", "-3.5", true), ("3/4", "0.75", true),
        ("1 1/2", "1.5", true), ("6/8", "3/4", true), ("50 %", "0.5", true), ("50%", "50", true), ("50%", "5%", false),
        ("$7", "7", true), ("-$5", "-5", true), ("2.5e3", "2500", true), ("12 km", "12000 m", true),
        ("12 km", "12 m", false), ("12 km", "12", true), ("90 minutes", "1.5 hours", true), ("3 kg", "3 km", false),
        ("12 apples", "12", true), ("$1.50", "150 cents", true), ("#### 72", "72", true), ("", "0", false),
        ("0.1", "1/10", true), ("0.333", "1/3", false), ("7.", "7", true), ("5", "6", false), ("many", "3", false),
        ("99999999999999999999", "99999999999999999999", false),
    ])
    func numbersByTheirValue(answer: String, gold: String, isRight: Bool) {
        #expect(Grader(.number).isRight(answer, golds: [gold]) == isRight)
    }

    @Test(arguments: [
        ("First 12 + 3 = 15. The answer is 15 apples.", "15"), ("so x = 4, hence 9", "9"), ("Answer: 3/4", "3/4"),
        ("The answer is unclear, 7 or so", "7"), ("The answer is 1,250.50.", "1,250.50"), ("nothing", ""),
        ("10-3", "3"), ("room H2 has 5", "5"), ("THE ANSWER IS -8", "-8"), ("It costs $3.20 in all", "$3.20"),
        ("on 03/05/2021", "03"),
    ])
    func theAnswerOfAReply(reply: String, answer: String) {
        #expect(Grader(.number).answer(in: reply) == answer)
    }

    @Test func optionsStandAlone() {
        let grader = Grader(.options(4))
        #expect(grader.answer(in: "A train leaves. The answer is (C).") == "C")
        #expect(grader.answer(in: "Because of that, B") == "B")
        #expect(grader.answer(in: "E") == "")
        #expect(grader.isRight("(c)", golds: ["C"]))
        #expect(!grader.isRight("", golds: ["C"]))
    }

    @Test func otherKinds() {
        #expect(Grader(.yesNo).answer(in: "No wait. The answer is yes.") == "yes")
        #expect(Grader(.yesNo).isRight("yes", golds: ["True"]))
        #expect(Grader(.text).answer(in: "Thinking.\nThe answer is \"The Rhine\".") == "The Rhine")
        #expect(Grader(.text).isRight("the rhine", golds: ["Rhine"]))
        #expect(Grader(.text).isRight("nyel", golds: ["n y e l"]))
        #expect(!Grader(.text).isRight("Rhone", golds: ["Rhine", "Elbe"]))
        #expect(Grader(.expression).answer(in: "Thus \\boxed{\\frac{1}{2}}.") == "\\frac{1}{2}")
    }

    @Test(arguments: [
        ("2021-03-05", true), ("03/05/2021", true), ("March 5, 2021", true), ("5th of March 2021", true),
        ("Mar. 5th 2021", true), ("05/03/2021", false), ("2021-02-30", false), ("March 2021", false),
    ])
    func datesByTheirDay(answer: String, isRight: Bool) {
        #expect(Grader(.date).isRight(answer, golds: ["2021-03-05"]) == isRight)
    }

    @Test(arguments: [
        ("\\frac{3}{4}", "0.75", true), ("2(x+1)", "2x + 2", true), ("x^2-1", "(x-1)(x+1)", true),
        ("\\frac{x^2-1}{x-1}", "x+1", true), ("x^2", "x^3", false), ("-2^2", "-4", true), ("2^{-1}", "1/2", true),
        ("$12$", "12.", true), ("1,000", "1000", true), ("x/y", "y/x", false), ("\\sqrt{2}", "\\sqrt{2}", true),
        ("\\sqrt{2}", "\\sqrt{3}", false), ("1/0", "1/0", true), ("1/0", "2/0", false), ("\\frac34", "3/4", true),
    ])
    func expressionsByTheirValue(answer: String, gold: String, isRight: Bool) {
        #expect(Grader(.expression).isRight(answer, golds: [gold]) == isRight)
    }

    @Test func deepAndLongExpressionsAreNotRead() {
        #expect(MathematicalExpression(String(repeating: "(", count: 100)) == nil)
        #expect(MathematicalExpression(String(repeating: "1+", count: 300) + "1") == nil)
        #expect(MathematicalExpression("2^99")?.value() == nil)
        #expect(MathematicalExpression("x")?.value() == nil)
    }

    @Test func theMajorityCountsMeaningsAndSkipsSilence() {
        #expect(Grader(.number).majority(["", "3", "1/2", "0.5", "", ""]) == "1/2")
        #expect(Grader(.number).majority(["4", "5"]) == "4")
        #expect(Grader(.number).majority(["", ""]) == "")
    }

    @Test func questionsAreReadWithTheirKinds() throws {
        func question(_ record: JSONValue) throws -> Question {
            var shuffle: SeededGenerator?
            return try Question(
                Record(record, at: RecordPlace(source: "q.jsonl", line: 2)), shuffle: &shuffle)
        }
        #expect(try question(["question": "x", "answer": "3/4"]).kind == .number)
        #expect(try question(["question": "x", "answer": "May 4, 2020"]).kind == .date)
        #expect(try question(["question": "x", "answer": "2x", "answer_type": "expression"]).kind == .expression)
        let choice = try question(["question": "x", "options": ["a", "b"], "answer": "b", "subject": "letters"])
        #expect(choice.golds == ["B"])
        #expect(choice.prompt == "x Answer Choices: (A) a (B) b")
        #expect(choice.subject == "letters")
        let error = #expect(throws: DataError.self) {
            try question(["question": "x", "answer": "soon", "answer_type": "date"])
        }
        #expect(error?.description.contains("q.jsonl:2") == true)
        #expect(error?.description.contains("a date") == true)
    }
}
