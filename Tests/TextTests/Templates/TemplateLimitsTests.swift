import Foundation
import Testing
import Text

/// What hostile templates may cost.
@Suite struct TemplateLimitsTests {
    private func error(_ source: String, limits: TemplateLimits = .init()) -> TemplateError? {
        do {
            _ = try ChatTemplate(source: source, limits: limits).render(messages: [.user("hi")])
            return nil
        } catch {
            return error as? TemplateError
        }
    }

    @Test(arguments: [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ 'a' * 9223372036854775807 }}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s | replace('b', ns.s) %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(90) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(90) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(90) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
        "{{ '%1000000000d' % 1 }}", "{{ '%*d' % (1000000000, 1) }}", "{{ '{:1000000000}'.format(1) }}",
        "{{ 'a'.center(1000000000) }}", "{{ 'a' | indent(1000000000, true) }}", "{{ 'a'.ljust(10000000000) }}",
        "{{ [1] | tojson(indent=1000000000) }}", "{{ [1] | batch(1000000000, 0) | list }}",
        "{{ [1] | slice(1000000000) | list }}", "{{ range(1000000000) }}", "{{ 9223372036854775807 + 1 }}",
        "{{ 9223372036854775807 * 2 }}", "{{ -9223372036854775807 - 2 }}", "{{ 2 ** 64 }}",

        "{{ (-9223372036854775807 - 1) // -1 }}", "{{ (-9223372036854775807 - 1) | abs }}", "{{ 1e300 | int }}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(1000) %}{% set ns.g = ns.g | map('string') %}{% endfor %}",
        "{{ strftime_now('%c' * 100000000) }}", "{{ range(0, 9223372036854775807, 1) }}",
        "{{ range(-9223372036854775807, 9223372036854775807) }}",
    ])
    func costsAreBounded(source: String) throws {
        let clock = ContinuousClock()
        var found: TemplateError?
        let time = clock.measure { found = error(source) }
        #expect(found?.kind == .limit)
        #expect(time < .seconds(20))
    }

    @Test(arguments: ["(", "[", "{{ ", "not ", "-", "{'a':", "a[", "f(", "{% if true %}", "1 if ", "a|d("])
    func deepNestingIsRefused(opening: String) throws {
        let isTag = opening.hasPrefix("{% ") || opening == "{{ "
        let source = (isTag ? "" : "{{ ") + String(repeating: opening, count: 50_000)
        let found = try #require(error(source))
        #expect(found.kind == .limit || found.kind == .syntax)
    }

    @Test(arguments: ["a.b", "+ 1", "~ 1", "| d", "and 1", "or 1", "** 1", "[0]", "()", "if 1 else 1"])
    func longChainsAreRefusedOrRendered(link: String) throws {
        let source = "{{ x " + String(repeating: " " + link.replacing("a.b", with: ".b"), count: 20_000) + " }}"
        if let found = error(source) { #expect(found.kind != .raised) }
    }

    @Test func theDeepestNestingAllowedFitsASmallStack() throws {
        let deep = TemplateStack.deepestTemplates
        for source in deep {
            let done = TemplateStack.run(stackSize: TemplateStack.smallStack) {
                _ = try? ChatTemplate(source: source).render(messages: [.user("hi")])
            }
            #expect(done)
        }
    }

    @Test func cyclesAreReleased() throws {
        // A namespace that holds itself and a macro that its own scope holds, in a rendering that ends in an error.
        let source = """
            {% set ns = namespace() %}{% set ns.me = ns %}{% for i in [1] %}{% macro m() %}{{ m }}{% endmacro %}\
            {% set ns.m = m %}{% endfor %}{{ nothing.x }}
            """
        #expect(error(source)?.kind == .undefined)
        // Namespaces in a chain longer than the stack could release.
        let chain =
            "{% set ns = namespace() %}{% for i in range(90000) %}{% set ns.n = namespace(n=ns.n) %}{% endfor %}done"
        #expect(try ChatTemplate(source: chain).render(messages: []) == "done")
    }

    @Test func longTemplatesAreRefused() {
        var limits = TemplateLimits()
        limits.sourceBytes = 10
        #expect(error("12345678901", limits: limits)?.kind == .limit)
        #expect(error("1234567890", limits: limits) == nil)
    }
}

/// Runs code on a thread with a stack of a given size.
enum TemplateStack {
    private final class Work: @unchecked Sendable {
        // Written by the thread before it signals, read after the wait: never at once.
        let body: () -> Void
        let done = DispatchSemaphore(value: 0)
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// What a secondary thread has on macOS; code that is not optimised needs more.
    #if DEBUG
        static let smallStack = 16 << 20
    #else
        static let smallStack = 512 << 10
    #endif

    static func run(stackSize: Int, _ body: @escaping () -> Void) -> Bool {
        let work = Work(body)
        let thread = Thread {
            work.body()
            work.done.signal()
        }
        thread.stackSize = stackSize
        thread.start()
        return work.done.wait(timeout: .now() + 60) == .success
    }

    /// Templates that recurse in different ways until a limit stops them.
    static let deepestTemplates: [String] = [61, 150].flatMap { levels in
        func nested(_ open: String, _ middle: String, _ close: String) -> String {
            "{{ " + String(repeating: open, count: levels) + middle + String(repeating: close, count: levels) + " }}"
        }
        return [
            nested("[", "1", "]"), nested("(1,", "1", ")"), nested("{1: ", "1", "}"), nested("-", "1", ""),
            nested("dict(a=", "1", ")"), nested("", "x", "|d(1)"), nested("1 ~ (", "1", ")"), nested("1 + (", "1", ")"),
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% macro m(n) %}{% for i in [1] %}{% if true %}{{ [m(n)] | join }}{% endif %}{% endfor %}{% endmacro %}{{ m(1) }}",
            "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{{ caller() }}{% endmacro %}{% call m() %}{% endcall %}",
            "{% macro m() %}{% filter upper %}{{ 'x' | default(m()) ~ m() }}{% endfilter %}{% endmacro %}{{ m() }}",
            "{% macro m() %}{% set a %}{{ dict(x=m())['x'].strip() }}{% endset %}{% endmacro %}{{ m() }}",
            "{% for i in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
            "{% set ns = namespace(g=[1]) %}{% for i in range(98) %}{% set ns.g = ns.g | map('string') %}{% endfor %}{{ ns.g | list }}",
            String(repeating: "{% if true %}", count: levels) + String(repeating: "{% endif %}", count: levels),
            String(repeating: "{% for i in [1] %}", count: levels) + "{{ 1 }}"
                + String(repeating: "{% endfor %}", count: levels),
        ]
    }
}
