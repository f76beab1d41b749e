"""Studies: questions about how well LeadPact predicts, each a folder with one command and its results."""
