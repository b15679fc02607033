"""A composed piece of music and the SoundFont player that plays it."""
