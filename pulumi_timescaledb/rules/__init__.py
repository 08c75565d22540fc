"""Rules between declarations: one module, one rule, `check(whole, capabilities) -> faults`.

A fault is a sentence that names the resources and the safe pattern.
"""
