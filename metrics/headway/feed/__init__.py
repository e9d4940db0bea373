"""The insight feed: of everything that was published, the few things that changed most and matter.

`feed` picks and ranks them from published tables alone, so that nothing hidden can be read from it. Sentences are
made of its fields elsewhere: every number in them is one of these.
"""

from headway.feed.items import Item, Kind, feed

__all__ = ["Item", "Kind", "feed"]
