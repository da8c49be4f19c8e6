"""What a call does to what is given to it. See kept_state.py."""
NOTHING = frozenset()

# Of what is global, all else is unknown here and refused.
PURE = {"ipairs", "pairs", "next", "select", "tonumber", "tostring", "type", "unpack", "assert", "error", "rawget",
        "rawequal", "pcall", "require", "setmetatable", "NAME"}
LIBRARIES = {"string", "table", "math", "redis", "struct"}
KEEPS_STATE = {"math.random", "math.randomseed"}
CHANGES_FIRST = {"table.insert", "table.remove", "table.sort", "rawset", "setmetatable"}
READS = {"ipairs", "pairs", "next", "select", "tonumber", "tostring", "type", "unpack", "assert", "rawget", "rawequal",
         "table.concat", "table.getn", "table.maxn"}
HANDS_ON = {"ipairs", "pairs", "next", "select", "unpack", "assert", "rawget", "setmetatable", "table.remove"}


class Calls:
    """The part of Body that is about calls."""

    def on_call(self, at, registers, base, count, results):
        last = base + count if count > 0 else max(registers, default=base) + 1
        given = [registers.get(each, NOTHING) for each in range(base + 1, last)]
        called, found = registers.get(base, NOTHING), NOTHING
        for value in called:
            found |= self.call(at, value, given, base)
        if not called or any(kind in ("inside", "parameter") for kind, _ in called):
            self.give_away(at, given, base)
        stop = base + results - 1 if results > 0 else base + 1
        for register in [each for each in registers if each >= base]:
            registers.pop(register)
        for register in range(base, max(stop, base)):
            self.put(registers, register, found)

    on_tailcall = on_call

    def call(self, at, value, given, base):
        kind, which = value
        if kind == "global":
            return self.call_global(at, which, given, base)
        if kind != "function":
            return NOTHING
        if self.is_at_load():
            self.all.at_load.add(which)
            for n, values in enumerate(given):
                if n < which.parameters:
                    self.all.variables[which, n] |= values
        else:
            for n in self.all.changes[which]:
                if n < len(given):
                    self.is_changed(at, given[n], self.name_of(at, base + 1 + n))
        found = NOTHING
        for result in self.all.results[which]:
            if result[0] != "parameter":
                found |= {result}
            elif result[1] < len(given):
                found |= given[result[1]]
        return found

    def call_global(self, at, name, given, base):
        if name == "require" and self.function.code[at - 1].name == "LOADK":
            required = self.function.code[at - 1].comment.strip('"')
            return self.all.modules[required].returned if required in self.all.modules else NOTHING
        if name in CHANGES_FIRST and given:
            if self.is_at_load():
                for values in given[1:]:
                    self.note_inside(given[0], None, values)
            else:
                self.is_changed(at, given[0], self.name_of(at, base + 1))
                if any(kind == "table" for values in given[1:] for kind, _ in values) and not (
                        name == "setmetatable" and self.only_gives_defaults(given[1])):
                    self.complain(at, f"puts a table of a module into another by {name}")
        elif name not in READS and name.split(".")[0] in PURE - READS:
            self.give_away(at, given, base)
        return frozenset().union(*given[:1]) if name in HANDS_ON else NOTHING

    def only_gives_defaults(self, metatables):
        """Through it a table of the call shows what stands in a shared one, and nothing of that is a table."""
        inside = self.all.inside
        shown = frozenset().union(*(inside[table, "__index"] for _, table in metatables))
        return all(not values for (table, _), values in list(inside.items()) if ("table", table) in shown)

    def give_away(self, at, given, base):
        """To a function of which is not known what it does."""
        for n, values in enumerate(given):
            if any(kind == "table" for kind, _ in values):
                self.complain(at, f"gives {self.name_of(at, base + 1 + n)} to a function that is not known here")
