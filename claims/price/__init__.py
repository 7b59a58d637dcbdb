"""What Medicare's fee schedules allow for the lines of claims."""
