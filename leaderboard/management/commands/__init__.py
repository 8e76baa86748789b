"""One module a command, as Django has it."""
