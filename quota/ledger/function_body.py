"""One function of the ledger's library: what its registers may hold, and what it does to what is shared. See
kept_state.py."""
from function_calls import KEEPS_STATE, LIBRARIES, PURE, Calls

NOTHING = frozenset()
CHANGE_NOTHING = {"JMP", "TEST", "EQ", "LT", "LE", "CLOSE", "CAPTURE", "FORLOOP", "FORPREP"}

# Where a value may come from:
#   ("table", id)        a table that was made with the modules, by the instruction `id`
#   ("inside", id)       anything in it, or in something in it
#   ("function", f)      a function of a module
#   ("global", "a.b")    of Lua or Redis
#   ("parameter", n)     of the function that is looked at


class Body(Calls):
    """One function: what its registers may hold at each instruction, whichever way it came there."""

    def __init__(self, analysis, function):
        self.all, self.function = analysis, function
        self.module = analysis.module_of[function]
        self.states = {}

    def follow(self):
        first = {n: frozenset({("parameter", n)}) for n in range(self.function.parameters)}
        waiting = [(1, {} if self.is_at_load() else first)]
        while waiting:
            at, registers = waiting.pop()
            if at >= len(self.function.code):
                continue
            known = self.states.get(at)
            merged = dict(registers)
            for register, values in (known or {}).items():
                merged[register] = merged.get(register, NOTHING) | values
            if known == merged:
                continue
            self.states[at] = merged
            after = dict(merged)
            for following in self.step(at, after):
                waiting.append((following, after))
        self.note_variables()

    def is_at_load(self):
        return self.function in self.all.at_load

    def note_variables(self):
        for at, registers in self.states.items():
            for register, values in registers.items():
                place = self.function.local_in(register, at)
                if place is not None:
                    self.all.variables[self.function, place] |= values

    # --- what is shared ------------------------------------------------------------------------------------------

    def owner_of_upvalue(self, index):
        """The function whose variable it is, and the place of that variable."""
        function = self.function
        while True:
            said = function.captured[index]
            function = function.parent
            if said[0] == "local":
                register, at = said[1:]
                # A local function captures itself before it is alive.
                place = function.local_in(register, at)
                return function, place if place is not None else self.next_local(function, register, at)
            index = said[1]

    @staticmethod
    def next_local(function, register, at):
        later = [(begin, i) for i, (_, begin, _) in enumerate(function.locals) if begin > at]
        return min(later)[1] if later else None

    @staticmethod
    def is_shared(values):
        return any(kind in ("table", "inside", "global") for kind, _ in values)

    def complain(self, at, what):
        if not self.is_at_load():
            self.all.complaints.add((self.module.name, self.function.code[at].line, what))

    def is_changed(self, at, values, name):
        if self.is_shared(values):
            self.complain(at, f"changes {name}")
        self.all.changes[self.function].update(n for kind, n in values if kind == "parameter")

    def name_of(self, at, register):
        """For people: the variable, or where it came from."""
        place = self.function.local_in(register, at)
        if place is not None:
            return self.function.locals[place][0]
        for before in range(at - 1, 0, -1):
            each = self.function.code[before]
            if each.operands and each.operands[0] == register and each.name in ("GETUPVAL", "GETGLOBAL"):
                return each.comment
            if each.operands and each.operands[0] == register and each.name in ("GETTABLE", "MOVE"):
                return self.name_of(before, each.operands[1])
            if each.name == "SELF" and each.operands[0] + 1 == register:
                return self.name_of(before, each.operands[1])
        return "a shared table"

    # --- one instruction -----------------------------------------------------------------------------------------

    def step(self, at, registers):
        """Changes `registers`; returns where it goes on."""
        each = self.function.code[at]
        handle = getattr(self, "on_" + each.name.lower(), None)
        if handle:
            handle(at, registers, *each.operands)
        elif each.operands and each.name not in CHANGE_NOTHING:
            registers.pop(each.operands[0], None)
        if each.name in ("RETURN",):
            return []
        if each.name in ("JMP", "FORPREP"):
            return [at + 1 + each.operands[-1]]
        if each.name == "FORLOOP":
            return [at + 1, at + 1 + each.operands[-1]]
        if each.name in ("EQ", "LT", "LE", "TEST", "TESTSET", "TFORLOOP"):
            return [at + 1, at + 2]
        if each.name == "LOADBOOL" and each.operands[2]:
            return [at + 2]
        return [at + 1]

    def put(self, registers, register, values):
        if values:
            registers[register] = frozenset(values)
        else:
            registers.pop(register, None)

    def on_move(self, _, registers, to, of):
        self.put(registers, to, registers.get(of, NOTHING))

    def on_testset(self, _, registers, to, of, *__):
        self.put(registers, to, registers.get(to, NOTHING) | registers.get(of, NOTHING))

    def on_loadnil(self, _, registers, first, last):
        for register in range(first, last + 1):
            registers.pop(register, None)

    def on_getglobal(self, at, registers, to, _):
        name = self.function.code[at].comment
        if name not in PURE | LIBRARIES:
            self.complain(at, f"uses {name}")
        self.put(registers, to, {("global", name)})

    def on_setglobal(self, at, *_):
        self.complain(at, f"changes {self.function.code[at].comment}")

    def on_getupval(self, _, registers, to, index):
        owner = self.owner_of_upvalue(index)
        values = self.all.variables[owner]
        # A variable of a function of this very call; its parameters are not ours.
        if owner[0] not in self.all.at_load:
            values = frozenset(value for value in values if value[0] != "parameter")
        self.put(registers, to, values)

    def on_setupval(self, at, registers, of, index):
        owner = self.owner_of_upvalue(index)
        if owner[0] in self.all.at_load:
            self.complain(at, f"changes {self.function.code[at].comment}")
        self.all.variables[owner] |= frozenset(
            value for value in registers.get(of, NOTHING) if value[0] != "parameter")

    def on_newtable(self, at, registers, to, *_):
        values = {("table", (self.function, at))} if self.is_at_load() else NOTHING
        self.put(registers, to, values)

    def on_closure(self, _, registers, to, child):
        self.put(registers, to, {("function", self.function.children[child])})

    def on_gettable(self, at, registers, to, of, key):
        name = self.function.constant(key)
        found = NOTHING
        for value in registers.get(of, NOTHING):
            found |= self.all.elements(value, name)
        for kind, which in found:
            if kind == "global" and which in KEEPS_STATE:
                self.complain(at, f"uses {which}")
        self.put(registers, to, found)

    def on_self(self, at, registers, to, of, key):
        receiver = registers.get(of, NOTHING)
        self.on_gettable(at, registers, to, of, key)
        self.put(registers, to + 1, receiver)

    def on_settable(self, at, registers, to, key, of):
        into, values = registers.get(to, NOTHING), registers.get(of, NOTHING) if of >= 0 else NOTHING
        if self.is_at_load():
            self.note_inside(into, self.function.constant(key), values)
            return
        self.is_changed(at, into, self.name_of(at, to))
        if any(kind == "table" for kind, _ in values):
            self.complain(at, f"puts {self.name_of(at, of)}, a table of a module, into a table of the call")

    def on_setlist(self, at, registers, to, count, _):
        for register in range(to + 1, to + count + 1):
            if self.is_at_load():
                self.note_inside(registers.get(to, NOTHING), None, registers.get(register, NOTHING))
            elif any(kind == "table" for kind, _ in registers.get(register, NOTHING)):
                self.complain(at, f"puts {self.name_of(at, register)}, a table of a module, into a table of the call")

    def note_inside(self, into, key, values):
        for kind, which in into:
            if kind in ("table", "inside"):
                self.all.inside[which, key] |= values

    def on_tforloop(self, _, registers, base, count):
        found = NOTHING
        for value in registers.get(base + 1, NOTHING):
            found |= self.all.elements(value, None)
        for register in range(base + 3, base + 3 + count):
            self.put(registers, register, found)

    def on_vararg(self, _, registers, first, count):
        for register in [each for each in registers if each >= first and (count == 0 or each < first + count - 1)]:
            registers.pop(register)

    def on_return(self, _, registers, first, count):
        last = first + count - 1 if count > 0 else max(registers, default=first) + 1
        found = frozenset().union(*(registers.get(each, NOTHING) for each in range(first, last)))
        self.all.results[self.function] |= found
        if self.function is self.module.main:
            self.module.returned |= found
