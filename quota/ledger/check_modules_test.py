#!/usr/bin/env python3
"""What check_modules finds, and what it lets pass: check_modules_test.py LUAC"""
import pathlib
import sys
import tempfile
import unittest

from check_modules import complaints_about_commands
from kept_state import complaints_about

LUAC = sys.argv.pop() if len(sys.argv) > 1 else "luac5.1"

# A module of this head; `helper` is another. What is found: the complaints, in their order.
HEAD = """local helper = require 'helper'
local insert, format = table.insert, string.format
local cache, count, last, constants = {inner = {}}, 0, nil, {1, 2, {3}}
local m = {limits = {most = 3}}
"""
HELPER = """local h = {shared = {}, sizes = {small = 1}}
function h.append(to, each) to[#to + 1] = each end
function h.append_all(to, all) for _, each in ipairs(all) do h.append(to, each) end end
function h.size(of) return #of end
function h.same(it) return it end
function h.cache() return h.shared end
function h.call(f, it) return f(it) end
return h
"""

KEPT = {
    "a variable": ("function m.f() count = count + 1 end", "changes count"),
    "a variable, in a function of a function": (
        "function m.f(all) all(function() count = count + 1 end) end", "changes count"),
    "a variable of a function that ran with the module": (
        "local function counter() local n = 0 return function() n = n + 1 return n end end m.next = counter()",
        "changes n"),
    "a table of a function that ran with the module": (
        "local function memo() local seen = {} return function(k) seen[k] = 1 end end m.note = memo()",
        "changes seen"),
    "a parameter of a function that ran with the module": (
        "local function around(t) return function(k) t[k] = 1 end end m.note = around(cache)", "changes t"),
    "a variable of a block": ("do local seen = {} function m.f(k) seen[k] = 1 end end", "changes seen"),
    "a global variable": ("function m.f() seen = 1 end", "changes seen"),
    "a table": ("function m.f(k) cache[k] = 1 end", "changes cache"),
    "the module itself": ("function m.f(k) m.last = k end", "changes m"),
    "a table by another name": ("function m.f(k) local a = cache local b = a b[k] = 1 end", "changes b"),
    "a table or one of the call": ("function m.f(k) local t = k and {} or cache t[k] = 1 end", "changes t"),
    "a table that may be replaced": (
        "function m.f(k) local t = cache if k then t = {} end t[k] = 1 end", "changes t"),
    "a table that is replaced in a loop": (
        "function m.f(k) local t = {} for _ = 1, k do t[1] = 1 t = cache end end", "changes t"),
    "a table inside of one": ("function m.f(k) cache.inner[k] = 1 end", "changes cache"),
    "a table inside of one, in a list": ("function m.f(k) constants[3][k] = 1 end", "changes constants"),
    "a table inside of one, in a loop": (
        "function m.f() for _, each in ipairs(constants) do each.seen = 1 end end", "changes each"),
    "a table inside of one, in a loop over pairs": (
        "function m.f() for _, each in pairs(cache) do each.seen = 1 end end", "changes each"),
    "a table inside of one, by next": (
        "function m.f() local _, each = next(cache) each.seen = 1 end", "changes each"),
    "a table inside of one, unpacked": (
        "function m.f() local _, _, each = unpack(constants) each.seen = 1 end", "changes each"),
    "another module": ("function m.f() helper.last = 1 end", "changes helper"),
    "a table of another module": ("function m.f(k) helper.shared[k] = 1 end", "changes helper"),
    "another module, required in the function": (
        "function m.f(k) require('helper').shared[k] = 1 end", "changes require"),
    "table.insert": ("function m.f(k) table.insert(cache, k) end", "changes cache"),
    "table.insert, by another name": ("function m.f(k) insert(cache, k) end", "changes cache"),
    "table.remove": ("function m.f() return table.remove(constants) end", "changes constants"),
    "table.sort": ("function m.f() table.sort(constants) end", "changes constants"),
    "rawset": ("function m.f(k) rawset(cache, k, 1) end", "uses rawset", "changes cache"),
    "setmetatable": ("function m.f(t) setmetatable(cache, t) end", "changes cache"),
    "a metatable of Lua": ("function m.f(k) getmetatable('').last = k end", "uses getmetatable"),
    "a metatable that shows a table": (
        "local meta = {__index = {inner = {}}} function m.f() return setmetatable({}, meta) end",
        "puts a table of a module into another by setmetatable"),
    "a library of Lua": ("function m.f(k) string.last = k end", "changes string"),
    "redis": ("function m.f(k) redis.last = k end", "changes redis"),
    "a function that changes its argument": (
        "local function put(t, k) t[k] = 1 end function m.f(k) put(cache, k) end", "changes cache"),
    "the same, of another module": ("function m.f(k) helper.append(cache, k) end", "changes cache"),
    "the same, through a third": ("function m.f(k) helper.append_all(cache, k) end", "changes cache"),
    "the same, at the end of a function": ("function m.f(k) return helper.append(cache, k) end", "changes cache"),
    "what a function returns": ("function m.f(k) local t = helper.cache() t[k] = 1 end", "changes t"),
    "what a function hands on": ("function m.f(k) local t = helper.same(cache) t[k] = 1 end", "changes t"),
    "a function that is handed in": (
        "function m.f(g) g(cache) end", "gives cache to a function that is not known here"),
    "a method": ("function cache:note(k) self[k] = 1 end function m.f(k) cache:note(k) end", "changes cache"),
    "a table that is put into one of the call": (
        "function m.f(account) account.limits = cache end",
        "puts cache, a table of a module, into a table of the call"),
    "the same, when it is made": (
        "function m.f() return {limits = cache} end", "puts cache, a table of a module, into a table of the call"),
    "the same, in a list": (
        "function m.f() return {cache} end", "puts cache, a table of a module, into a table of the call"),
    "the same, by table.insert": (
        "function m.f(all) insert(all, cache) end", "puts a table of a module into another by table.insert"),
    "the generator of random numbers": ("function m.f() return math.random() end", "uses math.random"),
    "coroutines": ("function m.f(g) return coroutine.wrap(g) end", "uses coroutine"),
    "environments": ("function m.f() getfenv().last = 1 end", "uses getfenv"),
    "all that is global": ("function m.f() _G.last = 1 end", "uses _G", "changes _G"),
}

FINE = {
    "variables of a call": "function m.f(k) local n = 0 for _ = 1, k do n = n + 1 end return n end",
    "tables of a call": "function m.f(k) local t = {} t[k] = 1 insert(t, k) helper.append(t, k) return t end",
    "what is handed in": "function m.f(account, k) account.held = account.held + k account.open[k] = nil end",
    "a closure of a call": (
        "function m.f(all) local n, seen = 0, {} all(function(k) n = n + 1 seen[k] = n end) return n, seen end"),
    "reading": "function m.f(k) return constants[k] or m.limits.most or helper.sizes.small end",
    "reading in a loop":
        "function m.f() local n = 0 for _, each in ipairs(constants) do n = n + #each end return n end",
    "a function that only reads": "function m.f() return helper.size(constants), table.concat(constants) end",
    "numbers and texts of a module": "function m.f(account) account.most = m.limits.most account.name = 'x' end",
    "defaults": "local meta = {__index = {held = 0}} function m.f() return setmetatable({}, meta) end",
    "the module while it is made":
        "for digit = 0, 3 do m['r' .. digit] = {digit} end cache.x = {} insert(constants, 4)",
    "a table that is replaced": "function m.f(k) local t = cache t = {} t[k] = 1 return t end",
}


class CheckModules(unittest.TestCase):
    def found(self, body):
        with tempfile.TemporaryDirectory() as directory:
            place = pathlib.Path(directory)
            (place / "m.lua").write_text(HEAD + body + "\nreturn m\n")
            (place / "helper.lua").write_text(HELPER)
            found = complaints_about(LUAC, [place / "m.lua", place / "helper.lua"])
            return [complaint for module, _, complaint in found if module == "m"]

    def test_what_would_be_kept_is_found(self):
        for name, (body, *complaints) in KEPT.items():
            with self.subTest(name):
                self.assertCountEqual(self.found(body), complaints)

    def test_what_ends_with_the_call_is_not(self):
        for name, body in FINE.items():
            with self.subTest(name):
                self.assertEqual(self.found(body), [])

    def test_commands_that_are_not_listed_and_those_that_are_not_sent_are_found(self):
        library, sends = "local COMMANDS = {'HGET',\n 'HSET'}", "call('HGET', k) send('HSET', list)"
        self.assertEqual(list(complaints_about_commands({"library": library, "m": sends})), [])
        self.assertEqual(list(complaints_about_commands({"library": library, "m": sends + " redis.call('DEL', k)"})),
                         ["DEL is not in library.lua's COMMANDS, but the modules send it"])
        self.assertEqual(list(complaints_about_commands({"library": library, "m": "call('HGET', k)"})),
                         ["HSET is in library.lua's COMMANDS, but the modules do not send it"])


if __name__ == "__main__":
    unittest.main()
