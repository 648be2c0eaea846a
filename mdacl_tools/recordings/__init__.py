"""Bags, clips and data sets as one kind of recording."""
