"""What we knew about each lead, and when: canonical tables, declared features, one kernel."""
