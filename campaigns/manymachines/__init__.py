"""What campaigns/machines.py works with: a network of namespaces, the machines in it, faults, load and judgement."""
