"""Queued tasks meet free seats. dispatcher.py decides, fleet.py says what it needs of seats, local.py keeps them as
child processes, seat.py is the program inside one; messages.py is all that the two sides say to each other.
"""
