"""What a job is: payload, states, transitions, retry decision. Pure: no I/O anywhere."""
