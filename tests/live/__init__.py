"""One cheap real call per paid provider. Never collected: `./run_tests.sh live` runs it."""
