"""What may leave: cells are suppressed, documented and written into the published database."""
