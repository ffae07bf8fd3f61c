"""Who does a stage's work: the embedded defaults, and paid services behind the same ports."""
