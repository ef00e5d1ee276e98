"""How the bundled nets are trained and written; used by train_digits.py and train_keywords.py."""
