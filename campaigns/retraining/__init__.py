"""Invented documents with a hidden truth, and coders who err, to retrain models on."""
