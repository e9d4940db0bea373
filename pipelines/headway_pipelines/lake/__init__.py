"""The lake of events and the ledger of files: batches are promoted once, each event once, day by day."""
