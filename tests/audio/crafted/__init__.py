"""Files that were made to cost less than is heard, a module for each container.

A module has `cases()`, which yields (name, bytes or path). The suffix of the name counts: ffmpeg looks at
it. Each of them must be refused, or charged at least what is heard less one second. It may have
`honest()` as well, likewise: files that ordinary encoders write in the same shape, which must be measured.
"""
import importlib
import pkgutil


def modules():
    """By name, all modules of this directory that have cases."""
    found = {each.name: importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)}
    return {name: found[name] for name in sorted(found) if hasattr(found[name], "cases")}
