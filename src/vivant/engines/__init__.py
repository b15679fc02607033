"""Engines make clips. They know pictures and sound, never HTTP, databases or storage. See docs/engines.md."""
