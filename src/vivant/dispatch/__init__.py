"""Queued tasks meet free workers. dispatcher.py decides, fleet.py says what it needs of workers, local.py keeps them as
child processes, worker.py is the program inside one; messages.py is all that the two sides say to each other.
"""
