"""What a subject without a human face does: one displacement for its parts, and lids over its eyes."""
