"""Who does the work of a stage: the embedded defaults, and the paid services behind the same ports."""
