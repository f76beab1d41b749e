"""Whole ways through the product, from export to HTTP answer."""
