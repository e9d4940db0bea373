"""People, their properties and their sessions: derived from the lake, again only where something is new."""
