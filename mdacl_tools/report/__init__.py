"""What people look at after an evaluation: the page, its pictures and charts, the annotated bag.

Everything is made from ``report.json``, ``frames.jsonl`` and, for pictures, the recording itself.
"""
