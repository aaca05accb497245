import Laboratory
import Reasoning
import Testing

@Suite struct AnswerExtractionTests {
    @Test(arguments: [
        (" 42", "42"),
        (" 42.", "42"),
        (" $1,234.50 in total.", "1234.50"),
        ("The answer is -7 degrees.", "-7"),
        ("12.0", "12.0"),
        ("12..", "12"),
        ("about 3, maybe 4", "3"),
        ("1,2", "12"),
        ("5-3 = 2", "5"),
        ("--5", "-5"),
        (".5", "5"),
        ("1.2.3", "1.2"),
        ("x=3y", "3"),
        ("no digits at all", ""),
        ("", ""),
        ("-", ""),
        ("- 8", "8"),
        ("٣", ""),
        ("007", "007"),
        ("1e5", "1"),
        ("100%", "100"),
        ("\n\n 6\nTherefore 9", "6"),
    ])
    func firstNumber(text: String, expected: String) {
        #expect(AnswerExtractor(.number).answer(in: text) == expected)
    }

    @Test(arguments: [
        (" (B).", "B"),
        ("B", "B"),
        (" A cat sat, so C", "A"),
        ("the answer is D because", "D"),
        ("BECAUSE", "B"),
        ("(E)", "E"),
        ("F", ""),
        ("b", ""),
        ("", ""),
        ("none of these", ""),
        ("1. C\n2. D", "C"),
        ("option  E  or A", "E"),
        ("Ärger D", "D"),
        ("ZEBRA", "E"),
        ("I think it's (A) 5", "A"),
        (" Among these, C", "A"),
        ("\nC", "C"),
        ("answer: D.", "D"),
        ("?", ""),
        ("xAy", "A"),
        ("G H I J", ""),
    ])
    func firstLetter(text: String, expected: String) {
        #expect(AnswerExtractor(.options(5)).answer(in: text) == expected)
    }

    @Test(arguments: [
        (" A cat sat, so C", "C"),
        ("BECAUSE", ""),
        (" (B).", "B"),
        ("A", "A"),
        ("A.", "A"),
        ("A) 12", "A"),
        ("A 12", "A"),
        ("It's A", "A"),
        ("xAy D", "D"),
        ("A's choice is B", "B"),
        (" Among these, C", "C"),
        ("AB C", "C"),
        ("E1 D", "D"),
        ("**C**", "C"),
        ("a b c", ""),
        ("", ""),
        ("A or B", "B"),
        ("(A) the first", "A"),
        ("D,E", "D"),
        ("É E", "E"),
    ])
    func standaloneLetter(text: String, expected: String) {
        #expect(AnswerExtractor(.options(5), letters: .standalone).answer(in: text) == expected)
    }

    @Test(arguments: [
        (" yes.", "yes"),
        ("Yes", "yes"),
        ("NO", "no"),
        ("No, because", "no"),
        ("the answer: no", "no"),
        ("\"yes\"", "yes"),
        ("'No'", "no"),
        ("nobody knows", ""),
        ("yes/no", ""),
        ("yes!", ""),
        ("(yes)", ""),
        ("not sure. yes", "yes"),
        ("no yes", "no"),
        ("", ""),
        ("maybe", ""),
        ("yes\nno", "yes"),
        ("\tno\t", "no"),
        ("it is:yes", "yes"),
        ("heads.no", "no"),
        ("yesterday", ""),
        ("Y", ""),
    ])
    func firstYesOrNo(text: String, expected: String) {
        #expect(AnswerExtractor(.yesNo).answer(in: text) == expected)
    }

    @Test(arguments: [
        (" \"nkdr\".", "nkdr"),
        ("n k d r", "nkdr"),
        ("'abc'", "abc"),
        ("abc.", "abc"),
        ("a.b.c", "abc"),
        ("\nabc\n", "abc"),
        ("", ""),
        (" . ", ""),
        ("ABC", "ABC"),
        ("a-b", "a-b"),
        ("a,b", "a,b"),
        ("the answer", "theanswer"),
        ("\t x\u{00A0}y", "xy"),
        ("\"\"", ""),
        ("...", ""),
        ("é", "é"),
        ("a\u{1C}b", "ab"),
        ("“q”", "“q”"),
        ("12.5", "125"),
        ("a:b", "a:b"),
    ])
    func wholeString(text: String, expected: String) {
        #expect(AnswerExtractor(.text).answer(in: text) == expected)
    }

    @Test func lastNumber() {
        #expect(AnswerExtractor(.number).answer(in: "3 + 4 = 7.", taking: .last) == "7")
        #expect(AnswerExtractor(.number).answer(in: "5-3", taking: .last) == "-3")
    }

    @Test func fewShotAnswersStandAfterTheLastPhrase() {
        let numbers = AnswerExtractor(.number)
        #expect(numbers.answer(inFewShot: "3 + 4 = 7. The answer is 7. Or 8.") == "7")
        #expect(numbers.answer(inFewShot: "The answer is 1. The answer is 2.") == "2")
        #expect(numbers.answer(inFewShot: "First 3, then 4.") == "4")
        #expect(numbers.answer(inFewShot: "12 eggs. The answer is unknown") == "")
        #expect(AnswerExtractor(.options(3)).answer(inFewShot: "A or B") == "B")
    }

    @Test func goldAnswersAreNormalised() {
        let number = AnswerExtractor(.number)
        #expect(number.gold("12.0") == "12")
        #expect(number.gold("12.50") == "12.50")
        #expect(number.gold("$1,200") == "1200")
        #expect(number.gold("6 + 6 = 12\n#### 12") == "12")
        #expect(number.gold("twelve") == nil)
        #expect(number.gold("12 apples") == nil)
        #expect(AnswerExtractor(.yesNo).gold("True") == "yes")
        #expect(AnswerExtractor(.yesNo).gold(" No. ") == "no")
        #expect(AnswerExtractor(.yesNo).gold("heads") == nil)
        #expect(AnswerExtractor(.options(3)).gold("(c)") == "C")
        #expect(AnswerExtractor(.options(3)).gold("D") == nil)
        #expect(AnswerExtractor(.text).gold("n k") == "nk")
        #expect(AnswerExtractor(.text).gold(" ") == nil)
    }

    @Test func noAnswerIsWrongAndNumbersAreStringsUnlessAsked() {
        let number = AnswerExtractor(.number)
        #expect(!number.isRight("", gold: ""))
        #expect(number.isRight("12", gold: "12"))
        #expect(!number.isRight("12.00", gold: "12"))
        #expect(number.isRight("12.00", gold: "12", numerically: true))
        #expect(!AnswerExtractor(.text).isRight("12.00", gold: "12", numerically: true))
    }
}
