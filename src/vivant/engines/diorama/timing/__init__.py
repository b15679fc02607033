"""When everything happens: resolve.py makes a timeline of a storyboard; the other modules make its curves and events.
Knows neither how things look nor how they sound.
"""
