"""The twenty texts whose logits are golden values, and the five that are continued greedily.

A text marked special has its control tokens recognised; in the others they are plain characters.
"""

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def chat(*turns, system=SYSTEM):
    """Turns alternate user and assistant; an odd number leaves the assistant to speak."""
    text = f"<|im_start|>system\n{system}<|im_end|>\n"
    for index, turn in enumerate(turns):
        role = "user" if index % 2 == 0 else "assistant"
        text += f"<|im_start|>{role}\n{turn}<|im_end|>\n"
    return text + ("<|im_start|>assistant\n" if len(turns) % 2 else "")


PROSE = """The lighthouse had been built on the only rock that stayed dry at spring tide, and for forty years
the same family kept it. Each evening the keeper wound the clockwork, trimmed the lamp and wrote one line in
the log: the hour, the wind, the ships that passed. Nothing else was thought worth the ink. When the younger
daughter took over the log she began to add things. A seal with a scar. A crate of oranges broken on the
ledge, and the whole landing bright with them for a day. The inspector who came in the autumn read these
lines twice, and asked her what purpose they served. She said that the wind and the hour were there for
anyone who needed them, and that the rest was there in case somebody one day wanted to know what it had been
like. He had no rule against it, so he signed the page. Years later, after the lamp was made electric and
the family had moved inland, a historian found the volumes in a harbour office, stacked under a table with a
short leg. The weather in them agreed with the records of three other stations. The oranges were nowhere
else, and it was for the oranges that he wrote his book, although he gave the wind a chapter too, out of a
sense of fairness and because his editor had asked for some science."""

PYTHON = '''import heapq


def shortest_paths(graph, source):
    """Distances from source to every reachable node, by Dijkstra's algorithm."""
    distance = {source: 0}
    queue = [(0, source)]
    while queue:
        d, node = heapq.heappop(queue)
        if d > distance[node]:
            continue
        for neighbour, weight in graph[node].items():
            candidate = d + weight
            if candidate < distance.get(neighbour, float("inf")):
                distance[neighbour] = candidate
                heapq.heappush(queue, (candidate, neighbour))
    return distance


class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
        if not self.items:
            raise IndexError("pop from an empty stack")
        return self.items.pop()
'''

SWIFT = """struct Matrix {
    let rows: Int, columns: Int
    var values: [Double]

    subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    func multiplied(by other: Matrix) -> Matrix {
        precondition(columns == other.rows)
        var result = Matrix(rows: rows, columns: other.columns, values: [])
"""

PROMPTS = [
    ("one-token", False, "The"),
    ("two-tokens", False, "Once upon"),
    ("capital", False, "The capital of France is Paris. The capital of Italy is Rome. The capital of Japan is"),
    ("prose-long", False, PROSE),
    ("science", False, "Photosynthesis is the process by which green plants turn light into chemical energy. In the "
     "leaf, chlorophyll absorbs mostly red and blue light, and the energy splits water into hydrogen and oxygen. "
     "The oxygen leaves through the stomata, while the hydrogen helps to build sugar out of carbon dioxide."),
    ("dialogue", False, "\"Where were you last night?\" she asked.\n\n\"At the library,\" he said, \"until they closed "
     "it. Then I walked home along the river.\"\n\n\"In the rain?\"\n\n\"It wasn't raining by then.\""),
    ("python", False, PYTHON),
    ("swift", False, SWIFT),
    ("json", False, '{"name": "lamp", "price": 19.95, "tags": ["home", "light"], "stock": {"berlin": 4, "oslo": 0},\n'
     ' "reviews": [{"stars": 5, "text": "Bright and quiet."}, {"stars": 2, "text": "The cable is short."}]}'),
    ("html", False, "<!DOCTYPE html>\n<html>\n  <head><title>Menu</title></head>\n  <body>\n    <ul>\n"
     "      <li>Soup of the day</li>\n      <li>Bread &amp; butter</li>\n    </ul>\n  </body>\n</html>\n"),
    ("arithmetic", False, "12 + 30 = 42\n7 * 8 = 56\n100 - 1 = 99\n144 / 12 = 12\n2024 - 1999 = 25\n15 * 15 ="),
    ("russian", False, "Москва — столица России. В городе живёт более двенадцати миллионов человек, "
     "а метро открылось в 1935 году."),
    ("chinese", False, "北京是中国的首都。长城是世界上最著名的建筑之一,每年有很多游客来参观。"),
    ("german-french", False, "Der schnelle braune Fuchs springt über den faulen Hund. "
     "Le cœur a ses raisons que la raison ne connaît point. Año nuevo, vida nueva."),
    ("emoji", False, "Good morning ☀️! The team 👩‍🔬👨🏽‍🚀 is ready 🎉🎉 — let's go 🇪🇺 →"),
    ("spaces", False, "a  b   c    d\t\te\n\n\n    indented\r\n        twice   \n" + " " * 40 + "far"),
    ("repetition", False, "one two three four " * 30),
    ("chat-question", True, chat("What is the tallest mountain in the world, and how tall is it?")),
    ("chat-turns", True, chat(
        "Name three primary colours.",
        "The three primary colours are red, blue and yellow.",
        "Which two of them make green?",
        "Blue and yellow make green.",
        "And orange?")),
    ("chat-code", True, chat("Write a Python function that reverses a string, with a short explanation.",
                             "def reverse(text):\n    return text[::-1]\n\nThe slice walks backwards.",
                             system="You answer with code first.")),
]

GREEDY = ["capital", "science", "python", "chat-question", "chat-turns"]
