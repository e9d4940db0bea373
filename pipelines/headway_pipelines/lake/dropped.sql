-- Values that did not pass the gate. Grain: event, property, reason. Inputs: dropped.
SELECT event, property, reason, sum(n) AS n_values
FROM dropped
GROUP BY event, property, reason
ORDER BY n_values DESC, event, property, reason
