"""The insight feed: of everything that was published, the few things that changed most and matter.

`feed` picks and ranks them from published tables alone, so that nothing hidden can be read from it. Sentences are
made of its fields elsewhere: every number in them is one of these. `step_changes` says which step of a funnel broke for
whom, `EarlyBehaviours` counts which early behaviours go with coming back.
"""

from headway.feed.correlates import EarlyBehaviours, with_differences
from headway.feed.items import Item, Kind, feed
from headway.feed.steps import step_changes

__all__ = ["EarlyBehaviours", "Item", "Kind", "feed", "step_changes", "with_differences"]
