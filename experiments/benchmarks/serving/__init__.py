"""The service beside other servers of the same model, on loopback: requests per second, latency, memory."""
