#!/usr/bin/env python3
"""Sizes: `tests/class_sizes.py [DIRECTORY...]` prints those of files and functions, and the largest classes.

It reads declarations, not C++: a statement in a class body that has a parenthesis outside of template arguments and
initializers is a function, any other declaration of a name is a data member.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
HEAD = re.compile(r'\b(class|struct)\s+(?:\[\[[^\]]*\]\]\s*)?([A-Za-z_][\w:]*)\s*(final\s*)?(:[^;{}()]*(?:\([^()]*\)[^;{}()]*)*)?\{')
NO_MEMBER = re.compile(r'\s*(using|typedef|friend|static_assert|enum|static|#)')


def plain(text):
    """Without comments, the contents of strings, and directives."""
    text = COMMENT_OR_TEXT.sub(lambda found: " " if found[0].startswith("/") else '""', text)
    return re.sub(r'^\s*#[^\n]*(?:\\\n[^\n]*)*', "", text, flags=re.M)


def end_of_block(text, at):
    """The position after the brace that closes the one at `at`."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return len(text)


def without_templates(statement):
    """Without template arguments."""
    shorter = re.sub(r'<[^<>]*>', "", statement)
    return shorter if shorter == statement else without_templates(shorter)


class Sizes:
    def __init__(self, name, file):
        self.name, self.file = name, file
        self.members = self.functions = 0
        self.sources = set()

    def take(self, statement, has_body):
        statement = re.sub(r'\b(public|private|protected)\s*:', "", statement).strip()
        if not statement or NO_MEMBER.match(statement):
            if statement.startswith("static") and "(" in statement and not statement.startswith("static_assert"):
                self.functions += 1
            return
        declaration = without_templates(re.sub(r'\boperator\s*(<=>|<<|>>|<|>|\(\))', "operator_", statement))
        initial = re.split(r'(?<![=!<>])=(?!=)', declaration)[0]
        if "(" in initial or "operator_" in declaration:
            self.functions += 1
        elif not re.match(r'(class|struct)\b', declaration) or " " in declaration.strip().split(None, 1)[-1]:
            if has_body and re.match(r'(class|struct|union)\b', declaration):
                return
            self.members += 1 + re.sub(r'\{[^}]*\}|\[[^\]]*\]', "", declaration).count(",")


def read_class(text, opening, sizes):
    """Counts the statements of the body that begins at `opening`."""
    end, at, start = end_of_block(text, opening), opening + 1, opening + 1
    while at < end - 1:
        if text[at] == "{":
            after = end_of_block(text, at)
            head = text[start:at]
            if re.match(r'[\s,]*;', text[after:after + 40]) or text[after:after + 1] == ",":
                at = after  # an initializer, or a nested type
                if re.search(r'\b(class|struct|enum|union)\b[^()]*$', head):
                    start = at + text[at:].index(";") + 1
                    at = start
                continue
            rest = text[after:].lstrip()
            if rest.startswith(("{", ",", ":")) and "(" in head:  # a constructor's initializers
                at = after
                continue
            sizes.take(head, True)
            start = at = after
            continue
        if text[at] == ";":
            sizes.take(re.sub(r'\{.*?\}', "", text[start:at], flags=re.S), False)
            start = at + 1
        at += 1


def classes(directories):
    found, sources = {}, {}
    for directory in directories:
        for path in sorted((ROOT / directory).rglob("*")):
            if path.suffix not in (".hpp", ".cpp"):
                continue
            text = plain(path.read_text())
            name = path.relative_to(ROOT).as_posix()
            for head in HEAD.finditer(text):
                if text[:head.start()].rstrip().endswith(("enum", "<", ",")):
                    continue
                sizes = Sizes(head[2], name)
                read_class(text, head.end() - 1, sizes)
                found[(name, head[2], head.start())] = sizes
            if path.suffix == ".cpp":
                for owner in set(re.findall(r'^[^\s#/}][^;{}=]*?\b([a-z_]\w*)::~?[a-z_]\w*\(', text, re.M)):
                    sources.setdefault((path.parent.relative_to(ROOT).as_posix(), owner), set()).add(name)
    for sizes in found.values():
        directory = str(Path(sizes.file).parent)
        sizes.sources = sources.get((directory, sizes.name.split("::")[-1]), set())
    return list(found.values())


FUNCTION = re.compile(r'(?P<name>~?\w+)\s*\([^;{}]*\)\s*(?:const|noexcept|override|final|mutable|\s|->[^{;]*|:[^;]*?\})*\{')
CONTROL = {"if", "for", "while", "switch", "catch", "return", "co_return", "co_await", "sizeof", "decltype"}


def lengths_of_functions(text):
    """In lines, from the line of the name to the closing brace; nested functions are part of the outer one."""
    at = 0
    while found := FUNCTION.search(text, at):
        end = end_of_block(text, found.end() - 1)
        if found["name"] in CONTROL:
            at = found.end()
            continue
        yield text.count("\n", found.start(), end) + 1
        at = end


def summary(name, sizes):
    sizes = sorted(sizes)
    return (f"{name:9} {len(sizes):5}, lines: median {sizes[len(sizes) // 2]}, p90 {sizes[len(sizes) * 9 // 10]}, "
            f"longest {sizes[-1]}, all {sum(sizes)}")


def main():
    directories = sys.argv[1:] or ["proxy", "config", "routes", "quota"]
    texts = [path.read_text() for directory in directories for path in (ROOT / directory).rglob("*")
             if path.suffix in (".hpp", ".cpp")]
    print(summary("files", [text.count("\n") for text in texts]))
    print(summary("functions", [length for text in texts for length in lengths_of_functions(plain(text))]))
    for each in sorted(classes(directories),
                       key=lambda one: (-max(one.members / 15, one.functions / 30, len(one.sources) / 2)))[:10]:
        print(f"{each.members:3} members {each.functions:3} functions {len(each.sources)} .cpp  {each.name}  ({each.file})")


if __name__ == "__main__":
    main()
