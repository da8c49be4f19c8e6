#!/usr/bin/env python3
"""No two sources of a library define the same name in an anonymous namespace.

The release preset compiles the sources of a library in batches (TOLLGATE_BATCH, CMakeLists.txt). Which sources share a
batch changes with every new file, so names that collide would break the build at some later commit. Expects sources
as formatted by clang-format; functions of one name collide if their parameters are the same.

    tests/batches.py [DIRECTORY]    of another working tree
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
LIBRARIES = ["quota", "routes", "config", "proxy", "deploy/sample_upstream"]
NAMED = re.compile(r"namespace ([\w:]+) \{$")
TYPE = re.compile(r"(?:class|struct|union|enum(?: class| struct)?) (\w+)\b(?! \w+[;={(])")
ALIAS = re.compile(r"using (\w+) =(.*)", re.DOTALL)
FUNCTION = re.compile(r"^[^=({]*?([\w:~]+)\((.*?)\)[^()]*$", re.DOTALL)
VARIABLE = re.compile(r"(\w+)(?:\[[^\]]*\])? ?(?:=|\{|;|$)")


def without_comments(text):
    """Without comments and raw strings, which may contain another language."""
    text = re.sub(r'R"(\w*)\(.*?\)\1"', '""', text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def anonymous_parts(path):
    """(enclosing namespace, text) of each anonymous namespace; the text without comments."""
    enclosing, inside = [], None
    for line in path.read_text().splitlines():
        if inside is not None:
            if line.startswith("}  // namespace"):
                yield "::".join(enclosing), without_comments("\n".join(inside))
                inside = None
            else:
                inside.append(line)
        elif line == "namespace {":
            inside = []
        elif named := NAMED.match(line):
            enclosing.append(named[1])
        elif re.match(r"\}  // namespace [\w:]+$", line):
            enclosing.pop()


def declarations(text):
    """Each top-level declaration up to its body or its end."""
    for block in re.split(r"\n(?=[^\s})#])", "\n" + text):
        head = re.split(r"(?<=\))[^;{]*\{\n|;\n|\{\n", block.strip(), maxsplit=1)[0]
        if head and not head.startswith(("#", "}", "namespace", "static_assert", "using namespace")):
            yield re.sub(r"^template <.*?>\n", "", head, flags=re.DOTALL)


def names_in(declaration):
    """What a declaration defines: a function with its parameters. An alias may be declared twice with the same
    meaning."""
    if found := ALIAS.match(declaration):
        return [found[1]]
    if found := TYPE.match(declaration):
        return [found[1]]
    if declaration.startswith("using "):
        return []
    before_value = re.split(r" = |\{", declaration, maxsplit=1)[0]
    if "(" in before_value:
        found = FUNCTION.match(declaration)
        if not found:
            return []
        parameters = re.sub(r"\s+", " ", re.sub(r" = [^,]+", "", found[2]))
        types = [re.sub(r"[ &*]\w+$", lambda m: m[0][0].strip(), each.strip()) for each in parameters.split(",")]
        return [f"{found[1]}({', '.join(types)})"]
    found = VARIABLE.search(before_value.rstrip() + " =")
    return [found[1], *more_variables(declaration)] if found else []


def more_variables(declaration):
    """b and c of `int a = f(1, 2), b = 3, c{4}`."""
    plain = re.sub(r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])'", '""', declaration)
    while plain != (shorter := re.sub(r"\([^()]*\)|\{[^{}]*\}|\[[^\[\]]*\]|<[^<>()]*>", "", plain)):
        plain = shorter
    return re.findall(r",\s*(\w+)(?=\s*(?:=|,|$))", plain)


def complaints_about(library, paths):
    homes, aliases = defaultdict(set), {}
    for path in paths:
        for enclosing, text in anonymous_parts(path):
            for declaration in declarations(text):
                alias = ALIAS.match(declaration)
                for name in names_in(declaration):
                    if alias and aliases.setdefault((enclosing, name), alias[2].split()) == alias[2].split():
                        continue
                    homes[enclosing, name].add(path.relative_to(ROOT).as_posix())
    for (enclosing, name), where in homes.items():
        if len(where) > 1:
            yield f"{library}: {name} of {enclosing} is defined in {' and '.join(sorted(where))}"


def main():
    sources = {library: sorted((ROOT / library).rglob("*.cpp")) for library in LIBRARIES}
    complaints = [each for library, paths in sources.items() for each in complaints_about(library, paths)]
    count = sum(map(len, sources.values()))
    print("\n".join(complaints) or f"{count} sources without a name in common")
    return 1 if complaints or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
