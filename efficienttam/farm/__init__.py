"""A job document as work of a studio's own scheduler.

``plan`` cuts jobs into tasks, purely; each scheduler has a thin writer of that plan. A task is one call of
``efficienttam farm task``, on any machine that sees the plate, the mattes' folder and the weights.
"""
