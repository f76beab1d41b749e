"""The quality of LeadPact's probabilities on real leads, beside what a data scientist would use instead."""
