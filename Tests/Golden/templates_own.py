"""Chat templates of our own: whole ones in the styles models use (`chat-…`), and small ones for parts of the language."""

TEMPLATES = {}

TEMPLATES["chat-plain"] = """{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] | trim + eos_token + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"""

TEMPLATES["chat-alternating"] = """
{%- if messages and messages[0]['role'] == 'system' %}
    {%- set lead = messages[0]['content'] | trim + '\\n\\n' %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set lead = '' %}
    {%- set turns = messages %}
{%- endif %}
{{- bos_token }}
{%- for turn in turns %}
    {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Turns must alternate, but turn ' ~ loop.index ~ ' is of ' ~ turn.role ~ '.') }}
    {%- endif %}
    {%- if turn.role == 'user' %}
        {{- '[ASK] ' ~ (lead if loop.first else '') ~ turn['content'].strip() ~ ' [/ASK]' }}
    {%- elif turn.role == 'assistant' %}
        {{- ' ' ~ turn['content'].strip() ~ eos_token }}
    {%- else %}
        {{- raise_exception('No role ' ~ turn.role) }}
    {%- endif %}
{%- endfor %}
"""

TEMPLATES["chat-tools"] = """
{%- macro part(value) %}
    {%- if value is string %}{{ value | trim }}
    {%- elif value is iterable and value is not mapping %}
        {%- for piece in value if piece.type == 'text' %}{{ piece.text }}{% endfor %}
    {%- elif value is none or value is undefined %}
    {%- else %}{{ value | tojson }}
    {%- endif %}
{%- endmacro %}
{%- set ns = namespace(system='', first=true, pending=[], asked=0) %}
{%- for message in messages if message.role in ['system', 'developer'] %}
    {%- set ns.system = ns.system ~ ('' if ns.first else '\\n') ~ part(message.content) %}
    {%- set ns.first = false %}
{%- endfor %}
{%- if tools or ns.system %}
<|head|>
{{ ns.system }}
    {%- if tools %}

Tools:
        {%- for tool in tools %}
            {%- set function = tool.function if tool.function is defined else tool %}

- {{ function.name }}: {{ function.description | default('no word', true) }}
            {%- for name, schema in (function.parameters.properties | default({})).items() %}

  * {{ '%-14s' | format(name) }} {{ schema.type if schema.type is string else schema.type | join('|') }}
                {%- if name in function.parameters.required | default([]) %} (needed){% endif %}
                {%- if schema.enum is defined %} of {{ schema.enum | map('upper') | join(', ') }}{% endif %}
            {%- endfor %}

  {{ tool | tojson }}
  {{ function | tojson(indent=2) | indent(4) }}
        {%- endfor %}
    {%- endif %}
<|tail|>
{% endif %}
{%- for message in messages if message.role not in ['system', 'developer'] -%}
    {%- if message.role == 'assistant' and message.tool_calls is defined and message.tool_calls %}
<|assistant|>{{ part(message.content) }}
        {%- for call in message.tool_calls %}
            {%- set ns.asked = ns.asked + 1 %}
            {%- set function = call.function %}
<|call|>{"name": "{{ function.name }}", "arguments": {{ function.arguments if function.arguments is string else function.arguments | tojson }}, "id": {{ call.id[-3:] | tojson }}}<|end|>
        {%- endfor %}
    {%- elif message.role == 'tool' %}
        {%- if loop.previtem is not defined or loop.previtem.role != 'tool' %}
<|results|>
        {%- endif %}
{{ message.name | default(message.tool_call_id) }}={{ part(message.content) }};
        {%- if loop.last or loop.nextitem.role != 'tool' %}<|end|>{% endif %}
    {%- elif message.role in ('user', 'assistant') %}
<|{{ message.role }}|>{{ part(message.content) }}<|end|>
    {%- else %}
        {{- raise_exception('Unexpected role: ' + message.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
<|assistant|>{{ '<think></think>' if enable_thinking is defined and not enable_thinking }}
{%- endif %}
"""

TEMPLATES["chat-thinking"] = """
{%- set ns = namespace(last=messages|length - 1, seeking=true) %}
{%- for message in messages[::-1] %}
    {%- set index = messages|length - 1 - loop.index0 %}
    {%- if ns.seeking and message.role == 'user' and not (message.content is string and message.content.startswith('<reply>')) %}
        {%- set ns.seeking = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- set thought = '' %}
    {%- if message.reasoning_content is string %}
        {%- set thought = message.reasoning_content %}
    {%- elif '</think>' in content %}
        {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- if message.role == 'assistant' %}
        {%- generation %}
        {{- '<|im_start|>assistant\\n' }}
        {%- if loop.index0 > ns.last or loop.last and thought %}<think>{{ thought.strip('\\n') }}</think>{% endif %}
        {{- content ~ '<|im_end|>' }}
        {%- endgeneration %}
    {%- else %}
        {{- '<|im_start|>' ~ message.role ~ '\\n' ~ content ~ '<|im_end|>' }}
    {%- endif %}
{{ '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

TEMPLATES["whitespace"] = """
line
    {% if true %}
  kept
    {% endif %}
    {# a comment on its line #}
after comment {# inline #} text
    {%+ if true %}plus{% endif +%}

{%- for x in [1, 2] -%}
   {{ x }}
{%- endfor %}
\ttab {{- ' joined ' -}}   tail
{% raw %}
  {{ not }} {% this %} {# either #}
{% endraw %}
  {%- raw -%}   {{ x }}   {%- endraw -%}   end
{{ "a}}b" }}{{ {'a': {'b': 1}}['a']['b'] }}
{#- stripped -#}   z

"""

TEMPLATES["newlines"] = "a\r\nb\r{% if true %}\r\nc{% endif %}\n\n"

TEMPLATES["literals"] = """
{{- [1, 2.5, 'a', "b'c", 'd"e', 'f\\'"', none, true, False, [], (), (1,), (1, 2), {}, {'k': 1, 2: [3]}] }}
{{ 1_000 }} {{ 0x1f }} {{ 0b101 }} {{ 0o17 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1e16 }} {{ 123456789012345.6 }} {{ 1e22 }} {{ 0.1 + 0.2 }}
{{ 'tab\\tnew\\nline \\x41 \\u00e9 \\U0001F600 \\q \\\\' 'joined' }}
{{ ['tab\\t', 'line\\n', '\\x00', '\\x7f', 'é', '\\u200b', '😀', 'back\\\\'] }}
{{ 1, 2 }} {{ true }} {{ none }} {{ undefined_name }} {{ (1) }} {{ 100000000000000000 }} {{ -0.0 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }}"""

TEMPLATES["arithmetic"] = """
{{- 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 4 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }}
{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1 + 2 * 3 - 4 }} {{ (1 + 2) * 3 }} {{ -2 ** 2 }} {{ 'ab' * 3 }} {{ [1] * 2 + [3] }} {{ (1,) + (2,) }}
{{ 'a' ~ 1 ~ none ~ [1] ~ undefined_name ~ 2.0 }} {{ 1 ~ 2 * 3 }} {{ true + 1 }} {{ -5 | abs }} {{ 10 - -3 }} {{ +3 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'é' == 'e\\u0301' }}
{{ 'x' in 'xyz' }} {{ 2 in [1, 2] }} {{ 'k' in {'k': 1} }} {{ 'q' not in 'xyz' }} {{ not 1 in [1] }} {{ 3 in (1, 2) }} {{ undefined_name in [1] }}
{{ 1 and 0 or 'last' }} {{ '' or none }} {{ [] and 1 }} {{ not [] }} {{ 'yes' if 1 > 0 }} {{ 'yes' if 0 }}| {{ 'a' if 0 else 'b' if 0 else 'c' }}"""

TEMPLATES["slices"] = """
{%- set s = 'héllo wörld' %}{% set l = [0, 1, 2, 3, 4, 5] %}
{{- s[1:4] }}|{{ s[::-1] }}|{{ s[-5:] }}|{{ s[:-6] }}|{{ s[::2] }}|{{ s[8:2:-2] }}|{{ s[20:] }}|{{ s[0] }}{{ s[-1] }}|{{ s[50] }}
{{ l[1:4] }} {{ l[::-1] }} {{ l[::-2] }} {{ l[-2:] }} {{ l[:-2] }} {{ l[4:1:-1] }} {{ l[10:] }} {{ l[-100:2] }} {{ l[0:0] }} {{ (1, 2, 3)[1:] }} {{ l[none:2] }}
{{ l[7] is defined }} {{ l[-1] }} {{ {'a': 1}['b'] is defined }} {{ {1: 'x'}[1.0] }} {{ l.0 }}"""

TEMPLATES["loops"] = """
{%- for x in ['a', 'b', 'c'] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('odd', 'even') }}{{ loop.depth }};{% endfor %}
{% for x in [] %}never{% else %}empty{% endfor %} {% for x in undefined_name %}{% else %}undefined{% endfor %}
{% for x in range(10) if x % 2 %}{% if x == 5 %}{% continue %}{% endif %}{% if x > 8 %}{% break %}{% endif %}{{ x }}/{{ loop.index }} {% endfor %}
{% for k, v in {'a': 1, 'b': [2]}.items() %}{{ k }}={{ v }} {% endfor %}{% for k in {'x': 1, 'y': 2} %}{{ k }}{% endfor %} {% for c in 'héy' %}<{{ c }}>{% endfor %}
{% set x = 'outer' %}{% for i in [1, 2] %}{{ x }}{% set x = i %}{{ x }} {% endfor %}{{ x }}
{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for i in range(5, 0, -2) %}{{ i }}{% endfor %} {% for i in range(2, 5) %}{{ i }}{% endfor %}
{% for i in [1, 1, 2, 2, 1] %}{{ loop.changed(i) }} {% endfor %}
{% for i in [1, 2] %}{% for j in [1, 2] %}{{ loop.index }}{{ loop.depth0 }}{% endfor %}{{ loop.index }}{% endfor %}
{% for node in [{'n': 1, 'c': [{'n': 2, 'c': []}, {'n': 3, 'c': [{'n': 4, 'c': []}]}]}] recursive %}({{ node.n }}@{{ loop.depth }}{{ loop(node.c) }}){% endfor %}"""

TEMPLATES["sets"] = """
{%- set a, b = 1, [2] %}{{ a }}{{ b }}
{% set ns = namespace(n=0, names=[]) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% set ns.names = ns.names + [i] %}{% endfor %}{{ ns.n }} {{ ns.names }} {{ ns.missing is defined }}
{% set block %}
 inner {{ a }}
{% endset %}[{{ block }}]
{% set block | upper | trim %} up {% endset %}[{{ block }}]
{% with a = 5, c = a %}{{ a }}{{ c }}{% set d = 1 %}{% endwith %}{{ a }}{{ d is defined }}
{% filter upper | replace('B', '-') %}abc {{ a }}{% endfilter %}
{% if false %}{% set late = 1 %}{% endif %}{{ late is defined }}
{% set d = dict(x=1, **{'y': 2}) %}{{ d }} {{ dict([('k', 'v')]) }} {{ dict({'p': 1}, q=2) }}"""

TEMPLATES["macros"] = """
{%- macro one(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }};{% endmacro %}
{{- one(1) }} {{ one(1, 3) }} {{ one(1, c=9) }} {{ one(b=0, a=4) }} {{ one() }}
{% macro rest(x) %}{{ x }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ rest(1, 2, 3, k=4) }}
{% macro box(title) %}<{{ title }}>{{ caller('in') }}</{{ title }}>{% endmacro %}
{% call(word) box('b') %}{{ word }} body {{ outer | default('none') }}{% endcall %}
{% macro down(n) %}{{ n }}{% if n > 0 %}{{ down(n - 1) }}{% endif %}{% endmacro %}{{ down(3) }}
{% macro sees() %}{{ later }}{% endmacro %}{{ sees() }}{% set later = 'set later' %}{{ sees() }}
{{ one(*[7, 8], **{'c': 6}) }} {{ one.name }} {{ one is callable }}
{%- set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{% set j = joiner('; ') %}{% for i in 'xyz' %}{{ j() }}{{ i }}{% endfor %}"""

TEMPLATES["strings"] = """
{%- set s = '  Hello, Wörld ß  ' %}
[{{ s.strip() }}] [{{ s.lstrip() }}] [{{ s.rstrip() }}] [{{ 'xxabcxy'.strip('xy') }}] {{ s.upper() }} {{ s.lower() }} {{ 'hello wORLD it\\'s'.title() }} {{ 'éa B'.capitalize() }} {{ 'aBc'.swapcase() }}
{{ 'a,b,,c'.split(',') }} {{ ' a  b c '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b  c '.split(none, 1) }} {{ ' a b  c '.rsplit(none, 1) }} {{ 'a\\nb\\r\\nc\\n'.splitlines() }} {{ 'a\\nb'.splitlines(true) }}
{{ 'hello'.startswith('he') }} {{ 'hello'.endswith(('x', 'lo')) }} {{ 'hello'.startswith('l', 2) }} {{ 'aXbXc'.replace('X', '--') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'ab'.replace('', '.') }}
{{ 'héllo'.find('l') }} {{ 'héllo'.rfind('l') }} {{ 'hello'.find('z') }} {{ 'hello'.index('e') }} {{ 'banana'.count('an') }} {{ ', '.join(['a', 'b']) }} {{ '-'.join('abc') }}
{{ '12'.isdigit() }} {{ 'a1'.isalnum() }} {{ 'ab'.isalpha() }} {{ ' '.isspace() }} {{ ''.isdigit() }} {{ 'AB'.isupper() }} {{ 'ab1'.islower() }} {{ 'Ab Cd'.istitle() }} {{ '½'.isnumeric() }} {{ '²'.isdecimal() }}
{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.py'.removesuffix('.py') }} {{ '42'.zfill(5) }} {{ '-42'.zfill(5) }} [{{ 'a'.ljust(3) }}] [{{ 'a'.rjust(3, '*') }}] [{{ 'a'.center(4) }}] [{{ 'ab'.center(5, '.') }}]
{{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.partition('x') }} [{{ 'a\\tb'.expandtabs(4) }}]
{{ '{} {1} {x} {{}}'.format('a', 'b', x=3) if false }}{{ '{0} {1} {0}'.format('a', 'b') }} {{ '{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:.2f} {:05d} {:+d} {:,} {:x} {:e} {:.1%} {:g}'.format(3.14159, 42, 7, 1234567, 255, 12345.678, 0.256, 0.0001) }} {{ '{a[0]} {b.c} {!r:>5}'.format('z', a=[1], b={'c': 2}) }} {{ '{:{w}}'.format('q', w=4) }}|
{{ '%s is %d and %.2f %5s|%-5s|%05d %x %% %r %c' | format('a', 3, 2.5, 'r', 'l', 42, 255, 'q\\'s', 'z') }} {{ '%s-%s' % ('a', 'b') }} {{ 'v=%s' % 5 }} {{ '%(a)s/%(b)03d' % {'a': 1, 'b': 2} }} {{ '%e %g %G' % (12345.678, 1e-10, 1e20) }}"""

TEMPLATES["filters-text"] = """
{{- ' a ' | trim }}|{{ 'xax' | trim('x') }}|{{ 'hello world-wide (web) [x]' | title }}|{{ 'hELLO' | capitalize }}|{{ 'abc' | upper | lower }}|{{ 'a b c' | replace(' ', '_') }}|{{ 'aaa' | replace('a', 'b', 1) }}
{{ 'one\\ntwo\\n\\nthree' | indent }}|{{ 'one\\ntwo' | indent(2, true) }}|{{ 'one\\n\\ntwo' | indent('> ', blank=true) }}
{{ '<a href="x">&\\'</a>' | e }} {{ '<b>' | safe }} {{ '<b>' | safe + '<i>' }} {{ 'a&b' | escape | escape }} {{ '<x>' | string }}
{{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }} {{ 'foo bar baz qux' | truncate(11, leeway=0) }} {{ 'a b, c_d é' | wordcount }} [{{ 'x' | center(5) }}] {{ 'a b/c?d=é&' | urlencode }} {{ {'a b': 'c&d', 'e': 1} | urlencode }}
{{ 42 | string ~ 1 }} {{ 3.0 | string }} {{ none | string }} {{ [1, 'a'] | string | length }} {{ 'héllo' | length }} {{ 'abc' | first }} {{ 'abc' | last }} {{ 'abc' | reverse }} {{ 'abc' | list }}
{{ {'a': [1, 2.0, true, none, 'é"\\\\\\n\\x01</script>'], 'b': {}, 'c': []} | tojson }} {{ 'é😀\\x7f' | tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': [1, {'x': []}], 'c': {}, 'd': []} | tojson(indent=2) }} {{ {'b': 1, 'a': 2} | tojson(sort_keys=true, separators=(',', ':')) }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }} {{ [1e20, 1e-7, 0.1, 1e16, 123456.0] | tojson }} {{ (1, 2) | tojson(indent='\\t') }}"""

TEMPLATES["filters-lists"] = """
{%- set people = [{'name': 'Bo', 'age': 30, 'in': {'town': 'x'}}, {'name': 'al', 'age': 25, 'in': {'town': 'Y'}}, {'name': 'Cy', 'age': 30, 'in': {'town': 'x'}}] %}
{{- people | map(attribute='name') | join(', ') }} {{ people | map(attribute='in.town') | list }} {{ people | map(attribute='none', default='-') | join }} {{ ['a', 'b'] | map('upper') | join('+') }} {{ [1, 2] | map('string') | list }} {{ ['a-b', 'c-d'] | map('replace', '-', '/') | list }}
{{ people | selectattr('age', 'equalto', 30) | map(attribute='name') | list }} {{ people | rejectattr('age', 'gt', 26) | list | length }} {{ [0, 1, '', 'a', none] | select | list }} {{ [1, 2, 3, 4] | select('odd') | list }} {{ [1, 2, 3] | reject('divisibleby', 3) | list }} {{ people | selectattr('nothing') | list }} {{ people | selectattr('age', 'in', [25]) | map(attribute='name') | first }}
{{ 'generator' if people | selectattr('age', 'eq', 1) else 'none' }} {{ people | selectattr('age', '==', 99) | list | length }}
{{ [3, 1, 2] | sort }} {{ ['b', 'A', 'c'] | sort }} {{ ['b', 'A', 'c'] | sort(case_sensitive=true) }} {{ [1, 3, 2] | sort(reverse=true) }} {{ people | sort(attribute='age,name') | map(attribute='name') | list }} {{ people | sort(attribute='age', reverse=true) | map(attribute='name') | list }}
{{ {'b': 1, 'A': 3, 'c': 2} | dictsort }} {{ {'b': 1, 'A': 3} | dictsort(true) }} {{ {'b': 1, 'a': 3, 'c': 2} | dictsort(by='value', reverse=true) }} {{ {'a': 1} | items | list }}
{{ ['a', 'A', 'b', 'a'] | unique | list }} {{ people | unique(attribute='age') | map(attribute='name') | list }} {{ [1, 2, 3] | sum }} {{ people | sum(attribute='age') }} {{ [1.5, 2] | sum(start=10) }} {{ [3, 1, 2] | min }} {{ ['b', 'A'] | max }} {{ people | max(attribute='age') | items | list | first }} {{ [] | min is defined }}
{{ [1, 2, 3] | first }} {{ [1, 2, 3] | last }} {{ [] | first is defined }} {{ [1, 2, 3] | reverse | list }} {{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 0) | list }} {{ [1, 2, 3, 4, 5] | slice(2) | list }} {{ [1, 2, 3] | slice(2, 'x') | list }}
{% for age, group in people | groupby('age') %}{{ age }}:{{ group | map(attribute='name') | join(',') }} {% endfor %}{{ (people | groupby('in.town'))[0].grouper }} {{ (people | groupby('in.town'))[1].list | length }}
{{ none | default('d') }} {{ undefined_name | default('d') }} {{ '' | default('d', true) }} {{ undefined_name | d }}| {{ undefined_name | length }} {{ undefined_name | list }} {{ undefined_name | join(',') }}| {{ undefined_name | upper }}| {{ [[1, 2], [3]] | sum(start=[]) }}
{{ [1, 2] == [1, 2] }} {{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }} {{ [1, 2].index(2) }} {{ [1, 1].count(1) }} {{ {'a': 1}.get('b') }} {{ {'a': 1}.get('b', 5) }} {{ {'a': 1}.keys() | list }} {{ {'a': 1}.values() | list }} {{ {'items': 5}['items'] }} {{ {'a': 1}.copy() }}"""

TEMPLATES["filters-numbers"] = """
{{- '42' | int }} {{ '4.9' | int }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ 'ff' | int(base=16) }} {{ '0x1f' | int(0, 16) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ true | int }} {{ ' 12 ' | int }} {{ none | int(5) }} {{ '1_000' | int }}
{{ '1.5' | float }} {{ 'x' | float }} {{ 'x' | float(2.5) }} {{ 3 | float }} {{ '1e3' | float }} {{ 'inf' | float }} {{ '.5' | float }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 1234.5 | round(-2) }} {{ 2.1 | round(method='ceil') }} {{ 2.19 | round(1, 'floor') }} {{ 7 | round }} {{ 42.55 | round(1) }} {{ -2.5 | round }} {{ -5 | abs }} {{ -5.5 | abs }}"""

TEMPLATES["tests"] = """
{%- set n = none %}
{{- 1 is defined }} {{ x is defined }} {{ x is undefined }} {{ n is none }} {{ x is none }} {{ 'a' is string }} {{ 1 is string }} {{ 1 is number }} {{ true is number }} {{ 1.0 is number }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is float }} {{ true is boolean }} {{ 0 is boolean }}
{{ {} is mapping }} {{ [] is mapping }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ [] is sequence }} {{ 'a' is sequence }} {{ {} is sequence }} {{ 1 is sequence }} {{ range is callable }} {{ 'a'.upper is callable }} {{ 1 is callable }}
{{ true is true }} {{ 1 is true }} {{ false is false }} {{ none is sameas none }} {{ 1 is sameas true }} {{ 3 is odd }} {{ 3 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is eq 1 }} {{ 1 is equalto 2 }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is ge 2 }} {{ 1 is lt 1 }} {{ 1 is le 1 }} {{ 'a' is in 'abc' }} {{ 1 is in [2] }} {{ 1 is not in [2] }}
{{ 'abc' is lower }} {{ 'ABC' is upper }} {{ x is not defined }} {{ 1 is not none }} {{ not 1 is none }} {{ ('<' | e) is escaped }} {{ 'upper' is filter }} {{ 'nothing' is filter }} {{ 'even' is test }}
{{ messages is iterable and messages is not string and messages is not mapping }} {{ messages[0].content is string }} {{ messages[0].missing is defined }} {{ messages[0]['missing'] is not defined }} {{ messages[0].get('missing') is none }}"""

TEMPLATES["lazy"] = """
{%- set l = ['a', none, 'b'] %}{{ 'unused' if l | map('nosuchfilter') }} {{ l | map('upper') | first }} {{ none | map('upper') | list }} {{ 0 | selectattr('x') | list }} {{ none | rejectattr('x') | list }}
{%- set g = [1, 2, 3] | select %}{{ 2 in g }} {{ g | list }}"""

TEMPLATES["functions"] = """
{{- strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %p %I %y %a %w %U %W %e %% %-d %D') }} {{ range(3) | list }} {{ range(1, 7, 3) | list }} {{ range(0) | list }} {{ tools is none }} {{ documents is none }} {{ bos_token }}{{ eos_token }} {{ pad_token is defined }} {{ add_generation_prompt }}"""

for name, source in {
    "undefined-attribute": "{{ nothing.name }}",
    "undefined-call": "{{ nothing() }}",
    "undefined-sum": "{{ nothing + 'a' }}",
    "undefined-item": "{{ nothing['a'] }}",
    "undefined-second": "{{ messages[0].nothing.more }}",
    "text-and-number": "{{ 'a' + 1 }}",
    "order-of-types": "{{ 'a' < 1 }}",
    "division": "{{ 1 // 0 }}",
    "changes-list": "{% set l = [1] %}{{ l.append(2) }}",
    "changes-dictionary": "{% set d = {'a': 1} %}{{ d.update({'b': 2}) }}",
    "dunder": "{{ ''.__class__.__mro__ }}",
    "namespace-needed": "{% set d = {'a': 1} %}{% set d.a = 2 %}",
    "private-attribute": "{% set ns = namespace() %}{% set ns._a = 2 %}",
    "raises": "{{ raise_exception('not today') }}",
    "unknown-filter": "{{ 'a' | nosuchfilter }}",
    "unknown-test": "{{ 'a' is nosuchtest }}",
    "json-of-undefined": "{{ nothing | tojson }}",
    "slice-of-none": "{{ tools[1:] }}",
    "slice-of-dictionary": "{{ messages[0][1:] }}",
    "length-of-generator": "{{ [1] | map('string') | length }}",
    "iterating-number": "{% for x in 5 %}{% endfor %}",
    "large-range": "{{ range(100001) }}",
    "too-few-names": "{% set a, b = [1] %}",
    "macro-caller": "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "macro-varargs": "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "macro-extra": "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, b=2) }}",
    "format-too-few": "{{ '%s %s' % ('a',) }}",
    "join-of-numbers": "{{ ','.join([1]) }}",
    "list-as-key": "{{ {[1]: 2} }}",
    "open-tag": "{% if true %}a",
    "open-expression": "{{ 'a'",
    "open-string": "{{ 'a }}",
    "open-comment": "{# a",
    "open-raw": "{% raw %}a",
    "unknown-tag": "{% nosuchtag %}",
    "wrong-end": "{% if true %}{% endfor %}",
    "bad-brackets": "{{ (1] }}",
    "empty-expression": "{{ }}",
    "assign-to-literal": "{% set true = 1 %}",
    "break-outside": "{% break %}",
    "keyword-order": "{{ dict(a=1, 2) }}",
}.items():
    TEMPLATES["error-" + name] = source
