"""Runs queued tasks on workers. dispatcher.py claims and settles tasks; fleet.py is the interface it needs of workers;
local.py runs them as child processes; worker.py is the program inside one; messages.py is the protocol between the two.
"""
