"""Ablation on labelled pairs: train every variant under one budget, score it, lay out the table."""
