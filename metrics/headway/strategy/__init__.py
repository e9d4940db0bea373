"""Strategy: bets that are settled, the build trap in figures, what is missing in the tree, and how a kata goes.

The tree itself is read by `headway.models.strategy`; here is what follows from it and from measured effects.
"""

from headway.strategy.bets import FrozenBet, bets_of, owner_of
from headway.strategy.gaps import Gap, gaps
from headway.strategy.money import Income, TimeToMoney, time_to_money
from headway.strategy.portfolio import Adoption, BuildTrap, Released, build_trap, released_options
from headway.strategy.practice import KataMeasures, came, kata_measures
from headway.strategy.settlement import MeasuredEffect, Settlement, settle

__all__ = [
    "Adoption",
    "BuildTrap",
    "FrozenBet",
    "Gap",
    "Income",
    "KataMeasures",
    "MeasuredEffect",
    "Released",
    "Settlement",
    "TimeToMoney",
    "bets_of",
    "build_trap",
    "came",
    "gaps",
    "kata_measures",
    "owner_of",
    "released_options",
    "settle",
    "time_to_money",
]
