"""How an export becomes canonical tables: raw columns, types, rules, rejects, and the act of importing."""
