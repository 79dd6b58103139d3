"""Columns and rows."""
