-- Grain: one row per unit and instant at which something can fill a step or spoil an attempt.
-- Inputs: counts.
-- Meaning: far_2 is the furthest step that an attempt standing at step 2 takes in this instant (2: it takes none);
--   far_0 is 0 where no attempt starts. Events of one instant fill steps in any order, each event one step: that
--   can be done when every group of the steps finds as many events as it has steps (Hall's theorem).
SELECT
  *,
  $furthest
FROM counts
