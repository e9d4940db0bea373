-- The edges of a graph between integers.
-- grain:  one row per edge
-- inputs: edges(a, b), coded(node, code)
SELECT x.code AS a, y.code AS b
FROM edges e JOIN coded x ON x.node = e.a JOIN coded y ON y.node = e.b
