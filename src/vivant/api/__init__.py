"""HTTP: translates requests and responses, and nothing else. app.py lists the addresses and the order of checks,
serve.py runs the server, `dialects/` holds the routes and bodies of each provider's API.
"""
