"""What features and reasons are called, in German and English."""
