"""The machine: its card, its thread pools, its ceilings, what disturbs it, and what keeps a measuring process quiet.

Import the module that you need: this file imports none of them, since `quiet` has to run before NumPy is loaded.
"""
