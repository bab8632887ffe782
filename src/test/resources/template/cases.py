"""Writes cases.json: what Jinja2, set as Hugging Face's transformers sets it, makes of templates.

    python3 cases.py > cases.json        (jinja2 3.1.6)
"""
import json
from pathlib import Path

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.Scope(body).set_lineno(line)


class Raised(Exception):
    pass


def raise_exception(message):
    raise Raised(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception

here = Path(__file__).parent
gemma2 = (here / "gemma-2.jinja").read_text()
gemma3 = (here / "gemma-3.jinja").read_text()


def said(*contents, system=None):
    messages = [] if system is None else [{"role": "system", "content": system}]
    return messages + [
        {"role": "user" if i % 2 == 0 else "assistant", "content": content} for i, content in enumerate(contents)]


hello = said("  Why is the sky blue?\n")
several = said("Hi ", " Hello!\n\n", "\u00a0And\tat dusk?\u2003", "", "x")
image = said([{"type": "image"}, {"type": "text", "text": " What is\nthis? "}], [{"type": "text", "text": "A cat."}],
             [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "audio"}, {"type": "text", "text": " b"}])
system = said("Hi", "Hello", "Bye", system=" Be brief. ")
system_list = said("Hi", system=[{"type": "text", "text": "Be brief."}])
twice = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
model_first = [{"role": "assistant", "content": "a"}]
odd_role = [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]

cases = []
for name, template in (("gemma-2", gemma2), ("gemma-3", gemma3)):
    for messages in (hello, several, image, system, system_list, twice, model_first, odd_role,
                     [{"role": "user", "content": 5}], [{"role": "user"}]):
        if name == "gemma-2" and messages is image:
            continue  # it would print a list as Python shows it
        for prompt in (True, False):
            cases.append((name, template, {"messages": messages, "add_generation_prompt": prompt}))
cases.append(("gemma-3", gemma3, {"messages": []}))

chatml = """{% for message in messages %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\\n' }}
{% endif %}
"""
tools = """{%- macro render(tool, depth=1) -%}
{{ tool.name }}({% for k, v in tool.parameters.items() %}{{ k }}: {{ v.type | upper }}{{ ", " if not loop.last }}{% endfor %})
{%- if tool.next is defined and depth < 5 %} -> {{ render(tool.next, depth=depth + 1) }}{% endif -%}
{%- endmacro -%}
{%- set ns = namespace(count=0, last='') -%}
{%- for message in messages if message.role != 'system' -%}
  {%- set ns.count = ns.count + 1 -%}
  {%- set ns.last = message.content if message.content is string else message.content | map(attribute='text') | join('|') -%}
{%- else -%}nobody{%- endfor -%}
{{ ns.count }} {{ ns.last }}
{% for tool in tools or [] %}
  {# a comment #}
  - {{ render(tool) }} {{ tool | tojson }}
{% endfor %}
{{ tools | tojson(indent=2) }}"""
tool = {"name": "add", "parameters": {"a": {"type": "int"}, "b": {"type": "float"}}}
for messages in (hello, several, system):
    cases.append(("chatml", chatml, {"messages": messages, "add_generation_prompt": True}))
    cases.append(("tools", tools, {"messages": messages, "tools": [tool, {**tool, "name": "\u00fc\"\\\n\u0001", "next": tool}]}))
    cases.append(("tools", tools, {"messages": messages, "tools": None}))
    cases.append(("tools", tools, {"messages": [], "tools": []}))

v = {"s": " a<B>c\u00e9 ", "n": 7, "f": 2.5, "l": [3, 1, 2], "e": [], "d": {"x": 1, "y": {"z": "w"}}, "t": True,
     "none": None, "words": "the quick  brown\tfox", "m": hello + system}
expressions = """
s|trim . s|upper . s|lower . s|trim|capitalize . words|title . s|length . s|trim|first . s|trim|last . words|replace('quick', 'slow')
words|replace('o', '0', 1) . s.strip() . s.lstrip() . s.rstrip() . 'xxaxx'.strip('x') . words.split()|join('_') . words.split(' ', 1)|join('_')
words.split('o')|length . words.startswith('the') . words.endswith(('dog', 'fox')) . words.find('q') . words.find('?') . words.upper()
'a,b'.split(',')|join(' and ') . ','.join(['p', 'q']) . 'abcabc'.count('bc') . 'x\\ny'.splitlines()|join('+') . 'ab'.title() . "it's".capitalize()
n + 1 . n - 10 . n * 2 . n / 2 . n // 2 . n % 3 . -n // 2 . -n % 3 . f * 2 . 1 + f . n ~ f ~ t ~ none . - 2 + 3 . +n . 7 - -2
n == 7 . n == 7.0 . n != 7 . n < 8 <= 8 . 1 < n < 3 . 'a' < 'b' . t == 1 . none == none . zz == none . zz == zz . [1, 'a'] == [1, 'a'] . d == {'x': 1}
3 in l . 5 not in l . 'x' in d . 'ick' in words . not (3 in l) . not 3 in l . n is in [7] . 'q' in zz
t and n . none or 'or' . e or 'empty' . not e . t and not none . none and 1 or 2 . 'a' if n > 5 else 'b' . 'a' if n > 50 . ('a' if n > 50) is defined
l[0] . l[-1] . l[5] is defined . l[1:]|join . l[:-1]|join . l[::-1]|join . l[::2]|join . l[5:]|length . l[-2:1]|length . words[4:9] . words[-3:] . words[::-1] . words[2:1] . words[100:] . s[3]
d.x . d['y'].z . d.y['z'] . d.q is defined . d.get('x') . d.get('q') . d.get('q', 5) . d.keys()|join . d.items()|length . d.values()|list|length . d|length . d|list|join
m|selectattr('role', 'equalto', 'user')|list|length . m|rejectattr('role', 'equalto', 'user')|map(attribute='role')|join(',') . m|selectattr('content')|list|length
l|select('odd')|list|length . l|reject('gt', 1)|join . l|map('string')|join('-') . l|reverse|join . ['A', 'b']|map('upper')|join . m|map(attribute='zz', default='-')|join
zz|default('d') . none|default('d') . none|default('d', true) . ''|default('d', boolean=true) . zz|d(5) . zz . zz|length . (zz|default([]))|length
'5'|int + 1 . '5x'|int . '5x'|int(3) . '2.5'|float . f|int . t|int . -5|abs . (-5)|abs . n|string + '!' . n|float
s is string . n is number . t is boolean . t is number . l is iterable . d is mapping . d is iterable . s is iterable . n is iterable . zz is iterable . none is none . zz is none . zz is undefined . n is odd . n is even . n is divisibleby 7 . n is divisibleby(2) . f is float . n is integer . t is integer . t is true . l is sequence . d is sequence . n is sequence . 'ab' is lower . 'AB' is upper . n is not string . n is eq 7 . n is ne(7) . n is gt 5
[1, 'a', none, true, 2.5, {'k': [1]}]|tojson . s|tojson . []|tojson . {}|tojson(indent=2) . "</script>&'"|tojson . {'a': [], 'b': {}}|tojson(indent=4) . 1e0 is defined
range(3)|join . range(1, 4)|join . range(5, 0, -2)|join . range(0)|join . (1, 2)|join . ()|length . dict(a=1)|tojson . {'a': 1, 'b': 2}|dictsort|length . namespace(a=5).a
'a' 'b' . "q\\"q" . 'tab\\there' . '\\u00e9\\x41' . 'back\\\\slash' . 'unknown\\q' . true . False . None . 'a' ~ 1 ~ none
loop is defined . (s|trim).upper() . s.strip().upper()|lower|length . m[0].content.strip()[:3] . m[-1]['role'] . not none is none . (n, 'x')[1]
"""
for line in expressions.strip().split("\n"):
    for one in line.split(" . "):
        cases.append(("expression", "{{ " + one + " }}", v))

templates = [
    "a\n{% if t %}\n  b\n{% endif %}\nc\n", "a\n  {%- if t %}\n b\n  {%- endif -%}\n c", "  {% if t %}x{% endif %}  \n  y",
    "  {%+ if t %}x{%+ endif +%}\ny", "a {{- n -}} b", "a {{ n }}\n b\n", "{# c #}\nx {#- c -#}\n y", "  {# c #}\nx", "a\r\nb\rc\r\n",
    "{% if t %}\n{% endif %}\n\n", "{%- if t -%}\n\n x \n\n{%- endif -%}", "x\n\n", "{{ '\n' }}\n", "{{ '{%' }}{{ '}}' }}", "{{ {'a': {'b': 1}}.a.b }}",
    "{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}",
    "{% for i in e %}x{% else %}none{% endfor %}", "{% for i in l if i > 1 %}{{ loop.index }}:{{ i }} {% endfor %}", "{% for i in l if i > 9 %}x{% else %}no{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in 'h\u00e9y' %}{{ c }}.{% endfor %}", "{% for (a, b) in [(1, 2), (3, 4)] %}{{ a + b }}{% endfor %}",
    "{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "{% set x = 1 %}{% if t %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "{% set x %}<{{ n }}>{% endset %}{{ x }}{{ x|length }}",
    "{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "{% for i in l %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in l %}{% for j in l %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% macro f(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(b=4, a=5) }}{{ f() }}", "{% macro g(x) %}{{ x }}{% if x > 0 %}{{ g(x - 1) }}{% endif %}{% endmacro %}{{ g(3) }}",
    "{% macro h() %}{{ n }}{% set q = 1 %}{% endmacro %}{{ h() }}{{ q is defined }}", "{% if zz %}a{% elif n == 7 %}b{% else %}c{% endif %}", "{% if not zz %}a{% endif %}",
    "{% generation %}\nx\n{% endgeneration %}\ny", "{{ raise_exception('no: ' ~ n) }}", "{{ zz.a }}", "{{ zz() }}", "{{ zz + 'a' }}", "{{ n + 'a' }}", "{{ none.x }}", "{{ n.x is defined }}",
    "{{ n / 0 }}", "{% for i in 5 %}{% endfor %}", "{{ s.nothing() }}", "{{ l[0].x is defined }}", "{{ 'a' < 1 }}", "{{ 5|length }}",
]
for template in templates:
    cases.append(("statement", template, v))

written = []
for name, template, variables in cases:
    case = {"name": name}
    if name not in ("gemma-2", "gemma-3"):  # those are files
        case["template"] = template
    if variables is not v:
        case["variables"] = variables
    try:
        case["output"] = environment.from_string(template).render(
            **variables, bos_token="<bos>", eos_token="<eos>")
    except Raised as e:
        case["raised"] = str(e)
    except Exception as e:  # whatever it is in Python, here it is a failure
        case["failed"] = type(e).__name__
    written.append(case)
print('{"variables": %s, "cases": [' % json.dumps(v, ensure_ascii=False))
print(",\n".join(json.dumps(case, ensure_ascii=False) for case in written))
print("]}")
