"""What campaigns/kill.py works with: documents, the client that sends them, the processes that die."""
