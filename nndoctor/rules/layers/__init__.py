"""Rules on what single layers do while they train."""
