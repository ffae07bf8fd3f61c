"""A notes application: embeddings made again in the background, reminders by schedule.

| module | what |
|---|---|
| settings | WORKER_NOTES__... |
| tables, people, notes, progress, reminding | its own tables, and what is done to each |
| embedding | texts to vectors, by weights that come with a package |
| notifiers | how a reminder reaches its reader |
| jobs | the two kinds that workers run |
| tracking, app | the HTTP API: queue a job, look at it, search |
"""
