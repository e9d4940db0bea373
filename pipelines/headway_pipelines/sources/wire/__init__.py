"""Requests as trackers send them over HTTP, recorded one a line by whoever received them."""
