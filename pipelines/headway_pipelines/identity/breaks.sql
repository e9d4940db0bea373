-- Log-outs: after each of them a device starts anew, as if it were another one.
-- grain:  one row per device and log-out
-- inputs: kept
-- of each device and person the last log-out is known
SELECT DISTINCT device, logout_at AS happened_at FROM kept WHERE logout_at IS NOT NULL
