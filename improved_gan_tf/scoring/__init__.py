"""Scores of images: Inception score, Frechet distance, diversity, and their inputs."""
