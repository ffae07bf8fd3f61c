"""Whole applications on the queue, each with a README of its own."""
