"""Colour bars, a moving counter and a tone: an engine for tests, load tests and documents."""
