"""Homework 4: convolutional networks in theory, on flowers, and on imbalanced data."""
