"""Where canonical tables are kept, how a new export joins them, and how one lead is read back."""
