"""The light of the scene: day and night, lamps, shadows, rays, grading. Shares only fields.py with its neighbours."""
