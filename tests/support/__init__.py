"""What several test modules share: servers, clips, scenes, judges."""
