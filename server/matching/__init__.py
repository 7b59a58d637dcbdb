"""Who is the same person: comparing two Patients by what people get wrong when they write one down."""
