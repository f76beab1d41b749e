"""What leaves for the CRM and others: who is reached, how it is signed, when it is tried again."""
