"""Finds what a call of the ledger's library could leave behind in a module for the next call.

What exists once the modules are made is shared by all calls: variables and tables of modules, tables of Lua itself, and
what functions that ran meanwhile had. So no function that runs later may

    assign such a variable             also of a function that made it in a closure, or a global one
    change such a table                itself, one inside of it, by another name, of another module, or through
                                       table.insert, rawset, setmetatable and the like
    give one to a function that changes its argument, or of which that is not known
    put one into a table of the call   where nobody sees any more whose it is
    use what keeps state by itself     math.random, coroutines, environments

It follows values through registers, calls, arguments and results of all modules at once, as compiled code has them:
which of these things may stand where ("may": both branches count). It does not look at what a call has put into its own
tables, which is why nothing shared may get there.
"""
from collections import defaultdict

from function_body import Body
from lua_listing import functions_of

MOST_ROUNDS = 30
NOTHING = frozenset()


class Module:
    def __init__(self, name, main):
        self.name, self.main = name, main
        self.returned = NOTHING


class Analysis:
    """Everything is known better with each round, and nothing is ever unlearned: so it ends."""

    def __init__(self, modules):
        self.modules = {module.name: module for module in modules}
        self.module_of, self.at_load = {}, set()
        self.variables = defaultdict(lambda: NOTHING)  # (function, place of the local) -> values
        self.inside = defaultdict(lambda: NOTHING)     # (table, key) -> values; key None: any
        self.changes = defaultdict(set)                # function -> parameters that it changes
        self.results = defaultdict(lambda: NOTHING)    # function -> values
        self.complaints = set()
        for module in modules:
            self.at_load.add(module.main)
            self.note_module(module, module.main)

    def note_module(self, module, function):
        self.module_of[function] = module
        for child in function.children:
            self.note_module(module, child)

    def functions(self):
        return list(self.module_of)

    def run(self):
        for _ in range(MOST_ROUNDS):
            before = self.size()
            self.complaints.clear()
            for function in self.functions():
                Body(self, function).follow()
            if self.size() == before:
                return self.complaints
        raise RuntimeError("it does not come to an end")

    def size(self):
        return (len(self.at_load), *(sum(map(len, each.values())) for each in
                                     (self.variables, self.inside, self.changes, self.results)),
                sum(len(module.returned) for module in self.modules.values()))

    def elements(self, value, key):
        """What stands in it under this key; nothing for a key: under any."""
        kind, which = value
        if kind == "global":
            return frozenset({("global", f"{which}.{key}")})
        if kind in ("function", "parameter"):
            return frozenset({value}) if kind == "parameter" else NOTHING
        found = self.inside[which, None] | (
            self.inside[which, key] if key is not None else
            frozenset().union(*(values for (table, _), values in list(self.inside.items()) if table == which)))
        return found | {("inside", which)} if kind == "inside" or not found else found


def complaints_about(luac, paths):
    """(module, line, what a function does) of each way to keep state, in their order."""
    modules = [Module(path.stem, functions_of(luac, path)) for path in paths]
    return sorted(Analysis(modules).run())
