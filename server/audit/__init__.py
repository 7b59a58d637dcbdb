"""The audit trail: who did what to whose data, chained so that it shows what was taken away or changed."""
