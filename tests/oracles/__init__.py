"""Slow, readable definitions that judge the fast code. They share no code with what they judge."""
