"""Strategy in a workspace: bets that are frozen and settled, kata, and the tables that are published about them."""
