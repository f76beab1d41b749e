"""What happens today: the service, its database and the one command `leadpact`."""
