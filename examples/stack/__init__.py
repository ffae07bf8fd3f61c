"""An application stack: one queue and one kind of worker for each sort of work.

    tasks/      pure async functions, which know nothing of queues
    queues/     one settings class a queue: its functions, how many run at once, how long each may
    registry    all queues, and the table of them that health reads
    running     the worker of a queue: this project's own, with the queue's settings
    load_test   many tasks at once, and a report
    health      is everything there, and does anybody take what waits?

`python -m examples.stack --help` lists the commands.
"""
