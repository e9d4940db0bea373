-- The nodes of a graph as integers from 0.
-- grain:  one row per node
-- inputs: edges(a, b)
SELECT node, (row_number() OVER () - 1)::INTEGER AS code
FROM (SELECT a AS node FROM edges UNION SELECT b FROM edges)
