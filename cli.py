"""The command line: `python cli.py --help`.

Exit codes: 0 done; 1 the job failed, or what was checked is not well; 2 wrong usage or input;
69 Redis or the database does not answer; 78 wrong settings.
"""

from __future__ import annotations

from commands.app import main

if __name__ == "__main__":
    main()
