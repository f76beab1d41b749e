"""How often `leadpact monitor` cries wolf, and how often it sees one, on simulated CRMs."""
