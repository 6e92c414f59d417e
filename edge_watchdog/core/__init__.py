"""The mind: evidence in, decisions out; pure, so that a bad day can be replayed to the letter.

Nothing here reads a clock, a file, a socket or a dice, and nothing logs.  The shell (watch.py)
owes the core four duties, in this order, for every event:

1. ``advance(state, event, policy)`` gives a ``Step``: the new state and the actions due.
2. The event and the step are journalled before anything is done.
3. Every action is carried out; each is a desired state with an id, so doing it twice is harmless,
   and its outcome comes back as ``Done``.
4. The shell sleeps until ``next_deadline`` at the latest and then sends ``Woke``.
"""
