"""Scores of images: Inception score, Frechet distance, diversity, and what they need."""
