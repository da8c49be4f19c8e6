"""The black-box harness: starts Redis, the sample upstream and Tollgate, and talks to them.

Needs Python 3.11 and its standard library only. A test derives from `stack.StackTest`.
"""
