"""The durable record: requests, the state of tasks, and what they cost. All SQL of the program is in this folder.

database.py   open it, read from it, write to it
writer.py     the one thread that writes to SQLite
migrate.py    bring an older record up to date
tables.py     what is stored
tasks.py      the life of a task, each transition one statement
lanes.py      which key and tier goes next
leases.py     which dispatchers are alive
keys.py, shared_secrets.py, usage.py, ids.py, lock.py
"""
