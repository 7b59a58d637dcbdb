"""What the house decides about patients' data as a whole: holds, copies, erasure, how long they stay."""
