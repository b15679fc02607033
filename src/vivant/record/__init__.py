"""The durable record: what was asked, where it stands, what it cost. All SQL of the program lives in this folder.

database.py   open it, read from it, hand it something to write
writer.py     the one thread that writes
migrate.py    bring an older record up to date
tables.py     what is kept
tasks.py      the life of a task, each move one statement
lanes.py      whose turn it is
leases.py     which dispatcher is alive
keys.py, secrets.py, usage.py, ids.py, lock.py
"""
