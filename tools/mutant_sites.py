"""Where core/ can be broken, and how: small mistakes made by a program, not by taste.

The syntax tree of clang says where expressions begin and end; what is written
there is replaced in the text. A site is one place and one operator, with one or
more variants, of which the seed picks one.
"""

import hashlib
import json
import os
import re
import subprocess

OPERATORS = {
    "negate": "a condition is negated, == and != are swapped",
    "bound": "a comparison is off by one",
    "logic": "&& and || are swapped",
    "call": "a call is removed",
    "assign": "an assignment or an initializer is removed",
    "swap": "two arguments of one type are swapped",
    "success": "success is returned, or an error that came back is taken for it",
    "constant": "a number is another one",
}

CLANG = ["clang", "-std=c11", "-I.", "-D_GNU_SOURCE", "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json"]
NUMBER = re.compile(r"^(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)$")
DEFINED_NUMBER = re.compile(r"^#define[ \t]+(\w+)[ \t]+((?:0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*)(?=[ \t]*(?:/\*|$))", re.M)
DESIGNATED = re.compile(r"\s*\.\w+\s*=")
ONE_OFF = {"<": ("<=", "- 1"), "<=": ("<", "+ 1"), ">": (">=", "+ 1"), ">=": (">", "- 1")}


def digest(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


class Site:
    """A place in a file, and the texts that it may get. Its id tells of the code, not of line numbers."""

    def __init__(self, file, function, operator, start, old, variants):
        self.file, self.function, self.operator = file, function, operator
        self.start, self.old, self.variants = start, old, variants
        self.id = ""

    def variant(self, seed):
        return self.variants[int(digest(seed, self.id, "variant")[:8], 16) % len(self.variants)]


def parse(file):
    """The tree of one file; clang names a file and a line only where they differ from those before, here they are filled in."""
    # A compiler cache may give the tree of a file with other names in it.
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    out = subprocess.run(CLANG + ["-include", "core/base/banned.h", file], capture_output=True, env=environment)
    if out.returncode != 0:
        raise SystemExit(f"clang cannot read {file}: {out.stderr.decode()[:400]}")
    last = [""]

    def fill(item):
        if "offset" in item:
            last[0] = item.setdefault("file", last[0])
        return item

    return json.loads(out.stdout, object_hook=fill)


def is_false(value):
    return value.strip() in ("0", "SYNC_OK", "false", "NULL")


class Walk:
    """Collects the sites of the functions of one syntax tree that stand in the files of core/."""

    def __init__(self, texts):
        self.texts, self.sites = texts, []
        self.file = self.function = self.returns = ""

    def tree(self, root):
        for node in root.get("inner", []):
            if node.get("kind") != "FunctionDecl":
                continue
            body = [child for child in node.get("inner", []) if child.get("kind") == "CompoundStmt"]
            file = node.get("range", {}).get("begin", {}).get("file", "").removeprefix("./")
            if body and file in self.texts:
                self.file, self.function = file, node["name"]
                self.returns = node["type"]["qualType"].split(" (")[0]
                self.visit(body[0], True)

    def span(self, node):
        """(start, end) in the file, or None for what a macro wrote."""
        ends = node.get("range", {})
        begin, end = ends.get("begin", {}), ends.get("end", {})
        for one in (begin, end):
            if "offset" not in one or one["file"].removeprefix("./") != self.file:
                return None
        return begin["offset"], end["offset"] + end["tokLen"]

    def text(self, node):
        span = self.span(node)
        return None if span is None else self.texts[self.file][span[0] : span[1]].decode()

    def add(self, operator, node, *variants):
        span = self.span(node)
        if span is not None:
            self.put(operator, span[0], self.text(node), *variants)

    def put(self, operator, start, old, *variants):
        # As many lines as before: what stands below keeps its number.
        variants = [new + "\n" * (old.count("\n") - new.count("\n")) for new in variants if new != old]
        if variants:
            self.sites.append(Site(self.file, self.function, operator, start, old, variants))

    def visit(self, node, statement=False):
        kind = node.get("kind")
        if kind is None:
            return
        handler = getattr(self, "at_" + kind, None)
        if handler:
            handler(node, statement)
        children = node.get("inner", [])
        for index, child in enumerate(children):
            self.visit(child, self.is_statement(node, index, statement))

    @staticmethod
    def is_statement(node, index, statement):
        kind = node["kind"]
        count = len(node["inner"])
        if kind in ("CompoundStmt", "DefaultStmt", "LabelStmt"):
            return True
        if kind == "IfStmt":
            return index > 0
        if kind in ("WhileStmt", "ForStmt", "CaseStmt", "SwitchStmt"):
            return index == count - 1
        if kind == "DoStmt":
            return index == 0
        return kind in ("CStyleCastExpr", "ParenExpr") and statement

    def condition(self, node):
        text = self.text(node) if node.get("kind") else None
        if text is not None:
            self.add("negate", node, f"!({text})")

    def at_IfStmt(self, node, _):
        self.condition(node["inner"][0])

    def at_WhileStmt(self, node, _):
        self.condition(node["inner"][0])

    def at_DoStmt(self, node, _):
        self.condition(node["inner"][1])

    def at_ForStmt(self, node, _):
        self.condition(node["inner"][2])

    def at_ConditionalOperator(self, node, _):
        self.condition(node["inner"][0])

    def at_BinaryOperator(self, node, statement):
        opcode = node["opcode"]
        left, right = map(self.text, node["inner"])
        if opcode == "=" and statement:
            self.add("assign", node, "(void)0")
        if left is None or right is None:
            return
        if opcode in ONE_OFF and "*" not in node["inner"][0]["type"]["qualType"]:
            other, shift = ONE_OFF[opcode]
            self.add("bound", node, f"{left} {other} {right}", f"{left} {opcode} ({right}) {shift}")
        elif opcode in ("==", "!="):
            self.add("negate", node, f"{left} {'!=' if opcode == '==' else '=='} {right}")
        elif opcode in ("&&", "||"):
            self.add("logic", node, f"(({left}) {'||' if opcode == '&&' else '&&'} ({right}))")

    def at_CompoundAssignOperator(self, node, statement):
        if statement:
            self.add("assign", node, "(void)0")

    def at_UnaryOperator(self, node, statement):
        if node["opcode"] in ("++", "--") and statement:
            self.add("assign", node, "(void)0")

    def at_CallExpr(self, node, statement):
        if statement:
            self.add("call", node, "(void)0")
        elif node["type"]["qualType"] == "int":
            self.add("success", node, f"((void){self.text(node)}, 0)")
        self.swaps(node)

    def swaps(self, node):
        span = self.span(node)
        arguments = [(self.span(one), self.text(one), one["type"]["qualType"]) for one in node["inner"][1:]]
        if span is None or any(one[0] is None for one in arguments):
            return
        variants = []
        for j, (second, second_text, second_type) in enumerate(arguments):
            for first, first_text, first_type in arguments[:j]:
                if first_type != second_type or first_text == second_text:
                    continue
                source = self.texts[self.file]
                variants.append(
                    source[span[0] : first[0]].decode() + second_text + source[first[1] : second[0]].decode()
                    + first_text + source[second[1] : span[1]].decode()
                )
        if variants:
            self.add("swap", node, *variants)

    def at_ReturnStmt(self, node, _):
        value = self.text(node["inner"][0]) if node.get("inner") else None
        if value is None:
            return
        if self.returns == "bool":
            self.add("success", node["inner"][0], *[new for new in ("true", "false") if new != value])
        elif self.returns == "int" and not is_false(value):
            self.add("success", node["inner"][0], "0")

    def at_InitListExpr(self, node, _):
        span, text = self.span(node), self.text(node)
        if span is None or not text.startswith("{"):
            return
        depth, start = 0, 1
        for at, letter in enumerate(text):
            depth += (letter in "{([") - (letter in "})]")
            if (letter == "," and depth == 1) or (letter == "}" and depth == 0):
                part = text[start : at + (letter == ",")]
                if DESIGNATED.match(part) and not is_false(part.rstrip(",").split("=", 1)[1]):
                    self.put("assign", span[0] + start, part, "")
                start = at + 1

    def at_IntegerLiteral(self, node, _):
        text = self.text(node)
        if text is not None and NUMBER.match(text):
            self.add("constant", node, *other_numbers(text, 1))


def other_numbers(text, step):
    digits, suffix = NUMBER.match(text).groups()
    value = int(digits, 0)
    write = hex if digits.lower().startswith("0x") else str
    others = [value + 1, value - 1] if step == 1 or value < 8 else [value * 2, value // 2]
    return [write(other) + suffix for other in others if other >= 0]


def defined_numbers(file, text):
    """Numbers that are named: doubled or halved, for they are sizes rather than bounds."""
    for match in DEFINED_NUMBER.finditer(text):
        start = len(text[: match.start(2)].encode())
        yield Site(file, match[1], "constant", start, match[2], other_numbers(match[2], 2))


def identify(sites):
    """Each gets an id of what is written there; the n-th of the same in one function is told apart by n."""
    seen = {}
    for site in sites:
        key = (site.file, site.function, site.operator, site.old, *site.variants)
        seen[key] = seen.get(key, 0) + 1
        site.id = digest(*key, seen[key])[:10]
    return sites


def find_sites(sources, headers, run_all):
    """All sites of these files; `run_all(function, items)` may use several processors."""
    texts = {}
    for file in sources + headers:
        with open(file, "rb") as opened:
            texts[file] = opened.read()
    found = {}
    for file, sites in zip(sources, run_all(sites_of, [(file, texts) for file in sources])):
        if not any(site.file == file for site in sites):
            raise SystemExit(f"not ok mutants: no place is found in {file}")
        for site in sites:  # a header's functions are seen by many
            found.setdefault((site.file, site.start, site.operator, site.old), site)
    for file in sources + headers:
        for site in defined_numbers(file, texts[file].decode()):
            found[(file, site.start, site.operator, site.old)] = site
    return identify([found[key] for key in sorted(found)])


def sites_of(task):
    file, texts = task
    walk = Walk(texts)
    walk.tree(parse(file))
    return walk.sites
