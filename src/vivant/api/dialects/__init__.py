"""One file per API that callers use: routes, field names, response and error bodies. novita.py is the provider's API
that Vivant is compatible with, native.py Vivant's own under /v1.
"""
