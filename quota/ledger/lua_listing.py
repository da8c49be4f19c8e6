"""Reads what `luac -l -l` (Lua 5.1) prints: the functions of a chunk, their instructions, and whose variables they
capture."""
import re
import subprocess
from dataclasses import dataclass, field

HEADER = re.compile(r"^(?:main|function) <", re.M)
COUNTS = re.compile(
    r"^(\d+)\+? params?, \d+ slots?, (\d+) upvalues?, \d+ locals?, \d+ constants?, (\d+) functions?", re.M)
INSTRUCTION = re.compile(r"^\t(\d+)\t\[(-|\d+)\]\t(\w+)\s*([-\d ]*?)\t?(?:; (.*))?$", re.M)
LOCAL = re.compile(r"^\t\d+\t(\S.*?)\t(\d+)\t(\d+)$", re.M)
CONSTANT = re.compile(r"^\t\d+\t(.*)$", re.M)
UPVALUE = re.compile(r"^\t\d+\t(\S+)$", re.M)


@dataclass
class Instruction:
    line: int
    name: str
    operands: list
    comment: str


@dataclass(eq=False)
class Function:
    parent: "Function"
    parameters: int
    code: list  # from 1; the first is None
    locals: list  # (name, from, until), in the order in which they begin
    constants: list
    upvalue_names: list
    children: list = field(default_factory=list)
    captured: list = field(default_factory=list)  # of each upvalue: ("local", register, at) or ("upvalue", index)

    def constant(self, operand):
        """The text or number that an operand names; nothing where it is a register."""
        return self.constants[-operand - 1].strip('"') if operand < 0 else None

    def local_in(self, register, at):
        """The place in `locals` of the variable that this register is, at this instruction."""
        alive = [i for i, (_, begin, end) in enumerate(self.locals) if begin <= at < end]
        return alive[register] if register < len(alive) else None


def functions_of(luac, chunk):
    """The main function of the chunk, with all others in `children`."""
    listing = subprocess.run([luac, "-l", "-l", "-p", str(chunk)], capture_output=True, text=True, check=True).stdout
    starts = [found.start() for found in HEADER.finditer(listing)] + [len(listing)]
    texts = iter([listing[a:b] for a, b in zip(starts, starts[1:])])

    def read(parent):
        text = next(texts)
        parameters, upvalues, children = map(int, COUNTS.search(text).groups())
        code_text, _, rest = text.partition("\nconstants (")
        constants_text, _, rest = rest.partition("\nlocals (")
        locals_text, _, upvalues_text = rest.partition("\nupvalues (")
        code = [None]
        for _, line, name, operands, comment in INSTRUCTION.findall(code_text):
            code.append(Instruction(0 if line == "-" else int(line), name, list(map(int, operands.split())), comment))
        names = [(name, int(begin), int(end)) for name, begin, end in LOCAL.findall(locals_text)]
        one = Function(parent, parameters, code, names, CONSTANT.findall(constants_text),
                       UPVALUE.findall(upvalues_text)[:upvalues])
        one.children = [read(one) for _ in range(children)]
        capture(one)
        return one

    return read(None)


def capture(function):
    """CLOSURE is followed by a line for each variable that the new function captures."""
    for at, each in enumerate(function.code):
        if each is None or each.name != "CLOSURE":
            continue
        child = function.children[each.operands[1]]
        for offset in range(1, len(child.upvalue_names) + 1):
            said = function.code[at + offset]
            if said.name == "MOVE":
                child.captured.append(("local", said.operands[1], at))
            else:
                child.captured.append(("upvalue", said.operands[1]))
            function.code[at + offset] = Instruction(said.line, "CAPTURE", [], None)
