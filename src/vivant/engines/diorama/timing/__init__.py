"""When everything happens: a storyboard becomes a timeline. resolve.py is the story; each curve and each kind of event
has a maker of its own. Knows neither how things look nor how they sound.
"""
